// Inbox: what was received, and what the handlers made of it.

import { html, useEffect, useState } from "../lib/html.js";
import { api } from "../lib/api.js";
import { count } from "../lib/format.js";
import { useAction, useLoad } from "../lib/load.js";
import { PERIODS } from "../lib/log_filter.js";
import { href, route, setQuery } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { STATE } from "../lib/words.js";
import { SelectField, TextField } from "../ui/field.js";
import { Icon } from "../ui/icon.js";
import { Badge, Empty, PageHead, ProblemNote, Time, WordBadge } from "../ui/parts.js";
import { Pager, TabLinks, Table } from "../ui/table.js";
import { toast } from "../ui/toast.js";

const TABS = [
  ["", "All"],
  ["pending", "Pending"],
  ["failed", "Failed"],
  ["done", "Done"],
];
const NAMES = ["state", "source", "event_type", "handler", "since", "after"];
const LIMIT = 50;

const keyOf = (row) => `${row.source} ${row.id}`;
export const eventHref = (row) =>
  href(`/inbox/${encodeURIComponent(row.id)}?source=${encodeURIComponent(row.source)}`);

export function tellRetried(tasks) {
  const retried = tasks.filter((task) => task.outcome === "retried").length;
  toast(
    retried
      ? `${count(retried, "task")} retried: due now.`
      : "Nothing to retry: no task of these is failed any more.",
    { tone: retried ? "good" : "warn" },
  );
}

const taskWords = (task) => `${task.handler}: ${STATE[task.state]?.label.toLowerCase()}`;

function Tasks({ tasks }) {
  if (tasks.length === 0) return html`<span class="quiet">no handler yet</span>`;
  return html`<div class="chips">${tasks.map(
    (task) => html`<span key=${task.handler} title=${task.error}>
      <${Badge} tone=${STATE[task.state]?.tone}>${taskWords(task)}</${Badge}></span>`,
  )}</div>`;
}

function tabHref(query, state) {
  const next = new URLSearchParams(query);
  next.delete("after");
  if (state) next.set("state", state);
  else next.delete("state");
  const text = next.toString();
  return href("/inbox" + (text ? `?${text}` : ""));
}

function Filters({ filter, handlers }) {
  const set = (fields) => setQuery({ after: "", ...fields });
  const typed = (name, label) =>
    html`<${Typed} key=${name} label=${label} value=${filter[name]}
      onSet=${(value) => set({ [name]: value })} />`;
  return html`<div class="filters">
    <${SelectField} label="Handler" value=${filter.handler} onChange=${(handler) =>
      set({ handler })}
      options=${[{ value: "", label: "All handlers" }, ...handlers.map((handler) =>
        ({ value: handler.name, label: handler.name }))]} />
    <${SelectField} label="Received" value=${filter.since} onChange=${(since) => set({ since })}
      options=${PERIODS.map(([value, label]) => ({ value, label }))} />
    ${typed("source", "Source")}${typed("event_type", "Event type")}
  </div>`;
}

// Filters when it is left or Enter is pressed.
function Typed({ label, value, onSet }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return html`<${TextField} label=${label} value=${text} onChange=${setText}
    onBlur=${() => text !== value && onSet(text.trim())}
    onKeyDown=${(event) => event.key === "Enter" && onSet(text.trim())} />`;
}

function Nothing({ filtered }) {
  if (filtered) {
    return html`<${Empty} icon="search" title="Nothing matches" action=${html`<a class="button"
      href=${href("/inbox")}>Clear filters</a>`} />`;
  }
  return html`<${Empty} icon="inbox" title="Nothing was received yet">
    <p>The inbox is the receiving side: events that others send to <code>/receive/SOURCE</code> of
      this server are verified,
    stored once, and handed to handlers (mail, CRM, wallet …). Name a source with its secret
      in <code>loyalhook.lua</code>.</p>
  </${Empty}>`;
}

function columnsOf({ rows, selected, change }) {
  const failed = (rows ?? []).filter((row) => row.state === "failed");
  const all = failed.length > 0 && failed.every((row) => selected.has(keyOf(row)));
  return [
    isAdmin() && {
      key: "select",
      title: "Select",
      className: "cell-select",
      head: html`<input type="checkbox" aria-label="Select all failed events of this page"
        disabled=${failed.length === 0}
        checked=${all} onChange=${(event) => change(failed, event.currentTarget.checked)} />`,
      cell: (row) =>
        row.state === "failed" &&
        html`<input type="checkbox" aria-label=${`Select event ${row.id}`}
        checked=${selected.has(keyOf(row))} onChange=${(event) => change([row],
          event.currentTarget.checked)} />`,
    },
    {
      key: "id",
      title: "Event",
      cell: (
        row,
      ) => html`<div class="cell-main"><a class="mono strong" href=${eventHref(row)}>${row.id}</a>
      <span class="quiet small">${row.source}</span></div>`,
    },
    {
      key: "type",
      title: "Type",
      className: "cell-wide",
      cell: (row) => html`<code>${row.event_type}</code>`,
    },
    {
      key: "state",
      title: "State",
      cell: (row) => html`<${WordBadge} words=${STATE} value=${row.state} />`,
    },
    {
      key: "tasks",
      title: "Tasks",
      className: "cell-wide",
      cell: (row) => html`<${Tasks} tasks=${row.tasks} />`,
    },
    { key: "at", title: "Received", cell: (row) => html`<${Time} at=${row.received_at} />` },
  ].filter(Boolean);
}

export function InboxPage() {
  const { query } = useStore(route);
  const filter = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]));
  const key = JSON.stringify(filter);
  const loaded = useLoad(
    key,
    (options) => api.get("/inbox", { ...filter, limit: LIMIT }, options),
    { everyMs: filter.after ? 0 : 5000 },
  );
  const handlers =
    useLoad("handlers", (options) => api.get("/handlers", null, options)).data?.handlers ?? [];
  const [selected, setSelected] = useState(new Map());
  useEffect(() => setSelected(new Map()), [key]);
  const change = (rows, on) => {
    const next = new Map(selected);
    for (const row of rows) on ? next.set(keyOf(row), row) : next.delete(keyOf(row));
    setSelected(next);
  };
  const [retry, busy, problem] = useAction(async () => {
    const tasks = [...selected.values()].map(({ id, source }) => ({ id, source }));
    tellRetried((await api.post("/inbox/retry", { tasks })).tasks);
    setSelected(new Map());
    loaded.reload();
  });
  const rows = loaded.data?.events ?? null;
  const filtered = NAMES.some((name) => filter[name] !== "");
  return html`
    <${PageHead} title="Inbox"
      sub="Events that this server received, and what its handlers made of them." />
    <${TabLinks} label="State" current=${filter.state} tabs=${TABS.map(([state, label]) =>
      ({ key: state, label, href: tabHref(query, state) }))} />
    <${Filters} filter=${filter} handlers=${handlers} />
    <${ProblemNote} problem=${loaded.problem ?? problem} retry=${loaded.problem && loaded.reload} />
    ${
      isAdmin() &&
      rows?.some((row) => row.state === "failed") &&
      html`<div class="bar">
      <button type="button" class="button button-primary" disabled=${busy || selected.size === 0}
        onClick=${retry}>
        <${Icon} name="retry" size=${16} />Retry Selected</button>
      <span role="status">${selected.size ? `${count(selected.size, "event")} selected.`
        : "Check the failed events whose tasks you want to retry."}</span>
      <a class="button-link" href=${href("/handlers")}>Retry all of a handler</a></div>`
    }
    ${
      rows?.length === 0
        ? html`<${Nothing} filtered=${filtered} />`
        : (rows || loaded.loading) &&
          html`
      <${Table} label="Received events" rows=${rows} columns=${columnsOf({ rows, selected,
        change })} stale=${loaded.stale}
        rowKey=${keyOf} rowClass=${(row) => (selected.has(keyOf(row)) ? "is-selected" : "")} />`
    }
    <${Pager} hasBefore=${filter.after !== ""} next=${loaded.data?.next}
      onFirst=${() => setQuery({ after: "" })}
      onNext=${() => setQuery({ after: loaded.data.next })} />`;
}
