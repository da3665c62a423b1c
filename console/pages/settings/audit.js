// The audit log: who changed what, newest first, in words. Its filters stand in the address.

import { html } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { whatWords, whoWords } from "../../lib/audit_words.js";
import { allOf } from "../../lib/data.js";
import { useLoad } from "../../lib/load.js";
import { PERIODS } from "../../lib/log_filter.js";
import { href, route, setQuery } from "../../lib/router.js";
import { useStore } from "../../lib/store.js";
import { LABELS } from "../../lib/webhook_form.js";
import { sentence } from "../../lib/words.js";
import { SelectField } from "../../ui/field.js";
import { Empty, Note, ProblemNote, Time } from "../../ui/parts.js";
import { Pager, Table } from "../../ui/table.js";

const KINDS = [
  ["", "Everything"],
  ["webhook.", "Webhooks"],
  ["request.", "Retries"],
  ["inbox.", "Retries of handler tasks"],
  ["handler.", "Handlers"],
  ["account.", "Mail addresses"],
  ["notices.", "Test mails"],
  ["token.", "API tokens"],
  ["user.", "Users"],
  ["login.", "Signing in and out"],
];
const FILTERS = ["who", "what", "since", "object", "after"];
const NOBODY = { webhooks: new Map(), tokens: new Map(), users: [] };

const set = (fields) => setQuery({ after: "", ...fields });

async function loadNames(options) {
  const [webhooks, { tokens }, { users }] = await Promise.all([
    allOf("/webhooks", "webhooks", { deleted: true }, options),
    api.get("/tokens", null, options),
    api.get("/users", null, options),
  ]);
  return {
    webhooks: new Map(webhooks.map((webhook) => [webhook.id, webhook.name])),
    tokens: new Map(tokens.map((token) => [token.id, token.name])),
    users: users.map((user) => user.user),
  };
}

function Happened({ entry, names }) {
  const { done, object } = whatWords(entry, names);
  return html`<div class="cell-main"><span><strong>${whoWords(entry.who, names)}</strong> ${done}${
    object &&
    html` ${object.to ? html`<a href=${href(object.to)}>${object.name}</a>` : object.name}`
  }</span><code class="small quiet">${entry.what}</code></div>`;
}

function titleOf(name, what) {
  const own = what.startsWith("webhook.") ? LABELS[name] : null;
  return own ?? sentence(name.replaceAll("_", " "));
}

function valueOf(value) {
  if (value === null) return "none";
  if (Array.isArray(value)) return value.map(valueOf).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Detail({ entry }) {
  const fields = Object.entries(entry.detail ?? {});
  if (fields.length === 0) return html`<span class="quiet">–</span>`;
  return html`<ul class="detail">${fields.map(
    ([name, value]) =>
      html`<li key=${name}><span class="quiet">${titleOf(name, entry.what)}:</span> ${
        valueOf(value)
      }</li>`,
  )}</ul>`;
}

const columnsOf = (names) => [
  {
    key: "what",
    title: "What happened",
    cell: (entry) => html`<${Happened} entry=${entry} names=${names} />`,
  },
  { key: "at", title: "When", cell: (entry) => html`<${Time} at=${entry.at} />` },
  { key: "account", title: "Account", cell: (entry) => entry.account ?? "–" },
  {
    key: "detail",
    title: "What was set",
    className: "cell-wide",
    cell: (entry) => html`<${Detail} entry=${entry} />`,
  },
];

// Everybody who may stand in the log; and who is asked for, though removed long ago.
function peopleOf(names, who) {
  const known = [
    "command line",
    "lua",
    ...names.users.map((user) => `user:${user}`),
    ...[...names.tokens.keys()].map((id) => `token:${id}`),
  ];
  const all = who && !known.includes(who) ? [...known, who] : known;
  return [
    { value: "", label: "Everybody" },
    ...all.map((value) => ({ value, label: whoWords(value, names) })),
  ];
}

function Filters({ filter, names }) {
  const options = (pairs) => pairs.map(([value, label]) => ({ value, label }));
  return html`<div class="filters">
    <${SelectField} label="Who" value=${filter.who} onChange=${(who) => set({ who })}
      options=${peopleOf(names, filter.who)} />
    <${SelectField} label="What" value=${filter.what} onChange=${(what) => set({ what })}
      options=${options(KINDS)} />
    <${SelectField} label="Time" value=${filter.since} onChange=${(since) => set({ since })}
      options=${options(PERIODS)} />
  </div>
  ${
    filter.object &&
    html`<${Note}>Only what concerns <strong>${
      names.webhooks.get(filter.object) ?? filter.object
    }</strong>. <button type="button" class="button-link" onClick=${() => set({ object: "" })}>Show
      everything</button></${Note}>`
  }`;
}

export function AuditPart() {
  const { query } = useStore(route);
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const names = useLoad("names", loadNames).data ?? NOBODY;
  const loaded = useLoad(JSON.stringify(filter), (options) =>
    api.get("/audit", { ...filter, limit: 50 }, options),
  );
  const rows = loaded.data?.entries ?? null;
  const filtered = FILTERS.some((name) => filter[name] !== "");
  return html`<${Filters} filter=${filter} names=${names} />
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${
      rows?.length === 0
        ? html`<${Empty} icon=${filtered ? "search" : "logs"}
          title=${filtered ? "Nothing matches" : "No change yet"}
          action=${filtered && html`<a class="button" href=${href("/settings/audit")}>Clear
            filters</a>`}><p>Each change that a user, a token, the command line or a program makes
          stands here, with who made it.</p></${Empty}>`
        : (rows || loaded.loading) &&
          html`<${Table} label="Audit log" columns=${columnsOf(names)} rows=${rows}
        stale=${loaded.stale} rowKey=${(entry) => entry.id} skeleton=${8} />`
    }
    <${Pager} hasBefore=${filter.after !== ""} next=${loaded.data?.next}
      onFirst=${() => setQuery({ after: "" })}
      onNext=${() => setQuery({ after: loaded.data.next })} />`;
}
