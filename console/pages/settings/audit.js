// The audit log: who changed what, newest first.

import { html, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { useLoad } from "../../lib/load.js";
import { SelectField } from "../../ui/field.js";
import { Empty, ProblemNote, Time } from "../../ui/parts.js";
import { Pager, Table } from "../../ui/table.js";

const KINDS = [
  ["", "Everything"],
  ["webhook.", "Webhooks"],
  ["request.", "Retries"],
  ["account.", "Mail addresses"],
  ["token.", "Tokens"],
  ["user.", "Users"],
  ["login.", "Sign-ins"],
];

function Detail({ entry }) {
  const fields = Object.entries(entry.detail ?? {});
  if (fields.length === 0) return html`<span class="quiet">–</span>`;
  return html`<ul class="detail">${fields.map(
    ([name, value]) =>
      html`<li key=${name}><span class="quiet">${name}:</span> ${
        typeof value === "string" ? value : JSON.stringify(value)
      }</li>`,
  )}</ul>`;
}

const COLUMNS = [
  { key: "at", title: "When", cell: (entry) => html`<${Time} at=${entry.at} />` },
  { key: "who", title: "Who", cell: (entry) => entry.who },
  { key: "what", title: "What", cell: (entry) => html`<code>${entry.what}</code>` },
  {
    key: "object",
    title: "Object",
    cell: (entry) => html`<span class="mono small">${entry.object ?? "–"}</span>`,
  },
  { key: "account", title: "Account", cell: (entry) => entry.account ?? "–" },
  { key: "detail", title: "What was set", cell: (entry) => html`<${Detail} entry=${entry} />` },
];

export function AuditPart() {
  const [kind, setKind] = useState("");
  const [after, setAfter] = useState("");
  const loaded = useLoad(`${kind} ${after}`, (options) =>
    api.get("/audit", { what: kind, after, limit: 50 }, options),
  );
  const rows = loaded.data?.entries ?? null;
  const choose = (value) => {
    setKind(value);
    setAfter("");
  };
  return html`<div class="filters"><${SelectField} label="What" value=${kind} onChange=${choose}
      options=${KINDS.map(([value, label]) => ({ value, label }))} /></div>
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${
      rows?.length === 0
        ? html`<${Empty} icon="logs" title="No change yet"><p>Each change that a user, a token or
          the command
        line makes stands here, with who made it.</p></${Empty}>`
        : (rows || loaded.loading) &&
          html`<${Table} label="Audit log" columns=${COLUMNS} rows=${rows} stale=${loaded.stale}
        rowKey=${(entry) => entry.id} skeleton=${8} />`
    }
    <${Pager} hasBefore=${after !== ""} next=${loaded.data?.next} onFirst=${() => setAfter("")}
      onNext=${() => setAfter(loaded.data.next)} />`;
}
