// One webhook: what it is doing, how it is set, and its latest requests.

import { html } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useCatalogue } from "../lib/data.js";
import { bytes, compact, count, milliseconds, percent, seconds } from "../lib/format.js";
import { useLoad } from "../lib/load.js";
import { href, navigate } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { STATE } from "../lib/words.js";
import { Facts, Note, PageHead, ProblemNote, Skeleton, Time, Url, WordBadge } from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { Tile } from "../ui/tile.js";
import { StoppedNote } from "./stopped_note.js";
import { ActionMenu } from "./webhook_actions.js";
import { EventsCell, StatusCell } from "./webhooks.js";

const POLL_MS = 5000;

function retriesOf(webhook) {
  if (webhook.retries_max === 0) return "none";
  if (webhook.retry_schedule?.length)
    return `after ${webhook.retry_schedule.map(seconds).join(", ")}`;
  return `${webhook.retries_max}, every ${seconds(webhook.retry_interval_s)}`;
}

function settingsOf(webhook) {
  return [
    ["Batch size", `${webhook.batch_size} events, ${bytes(webhook.batch_bytes_max)} at most`],
    webhook.batch_wait_ms > 0 && ["Waits to fill a batch", milliseconds(webhook.batch_wait_ms)],
    ["Retries", retriesOf(webhook)],
    [
      "Pauses after",
      webhook.pause_after
        ? `${count(webhook.pause_after, "failed request")} in a row ` +
          `(${webhook.failed_in_a_row} now)`
        : "never",
    ],
    ["Timeout", milliseconds(webhook.timeout_ms)],
    ["Attempts at once", `${webhook.max_in_flight}${webhook.ordered ? ", in order" : ""}`],
    ["Counts as delivered", webhook.success === "200" ? "200 only" : "any 2xx"],
    ["Signature", webhook.scheme === "standard" ? "Standard Webhooks" : "x-zinrelo-signature"],
    ["Own headers", Object.keys(webhook.headers ?? {}).join(", ") || "none"],
    webhook.secret_rotates_at && [
      "New secret takes over",
      html`<${Time} at=${webhook.secret_rotates_at} />`,
    ],
    ["Created", html`<${Time} at=${webhook.created_at} />`],
    ["Changed", html`<${Time} at=${webhook.updated_at} />`],
  ];
}

function Figures({ stats }) {
  const { recent } = stats;
  const waiting =
    stats.waiting + stats.requests.pending + stats.requests.sending + stats.requests.retrying;
  return html`<div class="tiles">
    <${Tile} label="Success, 24 h" value=${percent(recent.delivered,
      recent.delivered + recent.failed) ?? "–"}
      sub=${`${compact(recent.delivered)} delivered, ${compact(recent.failed)} failed`} />
    <${Tile} label="Waiting" value=${compact(waiting)} sub="events and requests" />
    <${Tile} label="Oldest undelivered" value=${html`<${Time} relative
      at=${stats.oldest_undelivered_at} empty="none" />`} />
    <${Tile} label="Answer time, p95" value=${milliseconds(recent.attempt_ms?.p95)}
      sub="of an attempt" />
  </div>`;
}

function Latest({ requests, id }) {
  return html`<section class="section" aria-labelledby="part-latest">
    <div class="section-head"><h2 id="part-latest">Latest requests</h2>
      <a href=${href(`/logs?webhook=${id}`)}>All in Webhook Logs</a></div>
    ${
      requests?.length === 0
        ? html`<p class="quiet">None yet: send a test event from the Action menu, or wait for the
          first event.</p>`
        : html`<${Table} label="Latest requests" rows=${requests ?? null}
          rowKey=${(row) => row.request_id} skeleton=${3}
        columns=${[
          {
            key: "id",
            title: "Request",
            cell: (row) =>
              html`<a class="mono" href=${href(`/logs/${row.request_id}`)}>${row.request_id}</a>`,
          },
          {
            key: "state",
            title: "State",
            cell: (row) => html`<${WordBadge} words=${STATE} value=${row.state} />`,
          },
          { key: "events", title: "Events", className: "numeric", cell: (row) => row.total_count },
          {
            key: "created",
            title: "Created",
            cell: (row) => html`<${Time} at=${row.created_at} />`,
          },
        ]} />`
    }
  </section>`;
}

export function WebhookPage({ id }) {
  const known = useCatalogue().data;
  const loaded = useLoad(id, (options) => api.get(path("webhooks", id), null, options), {
    everyMs: POLL_MS,
  });
  const webhook = loaded.data;
  const account = webhook?.account;
  const stats = useLoad(
    `${id} ${account}`,
    async (options) =>
      account && api.get("/stats", { webhook: id, account, since: "24h" }, options),
    { everyMs: POLL_MS },
  ).data;
  const log = useLoad(
    `${id} ${account} log`,
    async (options) => account && api.get("/requests", { webhook: id, account, limit: 5 }, options),
    { everyMs: POLL_MS },
  ).data;
  const changedNow = (what) => {
    if (what?.deleted) navigate("/webhooks");
    else loaded.reload();
  };
  const back = { href: href("/webhooks"), label: "Webhooks" };
  if (!webhook) {
    return html`<${PageHead} title="Webhook" back=${back} />
      <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
      ${loaded.loading && html`<${Skeleton} lines=${8} />`}`;
  }
  return html`
    <${PageHead} title=${webhook.name} back=${back} sub=${html`<${Url} url=${webhook.url} />`}>
      ${isAdmin() && webhook.status !== "deleted" && html`<a class="button"
        href=${href(`/webhooks/${id}/edit`)}>Edit</a>`}
      <${ActionMenu} webhook=${webhook} onChange=${changedNow} large />
    </${PageHead}>
    <${ProblemNote} problem=${loaded.problem} />
    ${["paused", "disabled"].includes(webhook.status) && html`<${StoppedNote} webhook=${webhook}
      onChange=${changedNow} here />`}
    ${webhook.status === "deleted" && html`<${Note}>This webhook is deleted; its log stays
      readable.</${Note}>`}
    ${stats ? html`<${Figures} stats=${stats} />` : html`<div class="tiles tiles-empty"></div>`}
    <section class="section" aria-labelledby="part-settings">
      <div class="section-head"><h2 id="part-settings">Settings</h2>
        ${isAdmin() && html`<a href=${href(`/settings/audit?object=${id}`)}>Who changed
          it</a>`}</div>
      <${Facts} rows=${[
        ["Status", html`<${StatusCell} webhook=${webhook} />`],
        ["Events", html`<${EventsCell} webhook=${webhook} known=${known} />`],
        ...settingsOf(webhook),
      ]} />
    </section>
    <${Latest} requests=${log?.requests} id=${id} />`;
}
