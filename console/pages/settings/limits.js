// How the deployment is configured: shown, not changed; loyalhook.lua is the place for that.

import { html } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { bytes, count, number, seconds } from "../../lib/format.js";
import { useLoad } from "../../lib/load.js";
import { Facts, ProblemNote, Skeleton } from "../../ui/parts.js";

const NAMES = {
  emit_many_max: ["Events in one call"],
  event_bytes_max: ["Data of one event", bytes],
  retry_many_max: ["Requests retried in one call"],
  secret_overlap_s_max: ["Two secrets overlap", seconds],
};
const plain = (name) => name.replaceAll("_", " ").replace(/ max$/, "");

function limit([name, value]) {
  const [title, words = number] = NAMES[name] ?? [plain(name)];
  return [title, `${words(value)} at most`];
}

function Store() {
  const stats = useLoad("store", (options) => api.get("/stats", { since: "1h" }, options)).data;
  if (!stats) return null;
  return html`<section class="card"><h2>Store</h2><${Facts} rows=${[
    stats.events !== null && ["Events in the log", number(stats.events)],
    stats.webhooks !== null && ["Webhooks", number(stats.webhooks)],
    stats.database_bytes !== null && [
      "Size",
      `${bytes(stats.database_bytes)}, and ${bytes(stats.wal_bytes)} not yet checkpointed`,
    ],
  ]} /></section>`;
}

export function LimitsPart() {
  const loaded = useLoad("settings", (options) => api.get("/settings", null, options));
  const settings = loaded.data;
  if (loaded.problem)
    return html`<${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />`;
  if (!settings) return html`<${Skeleton} lines=${8} />`;
  return html`<div class="stack">
    <p class="quiet">These stand in <code>loyalhook.lua</code>, and change with it.</p>
    <section class="card"><h2>Retention</h2><${Facts} rows=${[
      ["What was delivered is kept", count(settings.retention_days, "day")],
      ["What failed is kept", count(settings.failed_retention_days, "day")],
      ["Received ids are remembered", count(settings.dedupe_days, "day")],
    ]} /></section>
    <section class="card"><h2>Deployment</h2><${Facts} rows=${[
      ["Version", settings.version],
      ["Webhooks of an account", `${number(settings.webhooks_max)} at most`],
      ["Plain http", settings.allow_http ? "allowed" : "refused"],
      ["Exceptions to the address guard", settings.allow_networks.join(", ") || "none"],
      ["Sources that may send", settings.sources.join(", ") || "none"],
      ["Mail", settings.notices.mail ? `from ${settings.notices.from}` : "not configured"],
    ]} /></section>
    <section class="card"><h2>Limits</h2><${Facts} rows=${Object.entries(settings.limits)
      .sort()
      .map(limit)} /></section>
    <${Store} />
  </div>`;
}
