// Webhook Logs: the log of requests with tabs, filters and check boxes, and "Retry Selected Logs".

import { html, useEffect, useState } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useAccount, useWebhooks } from "../lib/data.js";
import { count } from "../lib/format.js";
import { useLoad } from "../lib/load.js";
import { TABS, isFiltered, isId, readFilter, toQuery } from "../lib/log_filter.js";
import { href, route, setQuery } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { OUTCOME, REASON, STATE } from "../lib/words.js";
import { Icon } from "../ui/icon.js";
import { Empty, PageHead, ProblemNote, Time, WordBadge } from "../ui/parts.js";
import { Pager, TabLinks, Table } from "../ui/table.js";
import { LogFilters } from "./log_filters.js";
import { RetryBar } from "./log_retry.js";
import { StoppedNote } from "./stopped_note.js";

const POLL_MS = 5000;
const LIMIT = 50;

// An id may be a request's: then the list is that one.
async function loadLog(filter, account, options) {
  const search = filter.q.trim();
  if (isId(search) && !filter.after) {
    try {
      const found = await api.get(path("requests", search), null, options);
      return { requests: [found], next: null };
    } catch (problem) {
      if (problem.status !== 404) throw problem;
    }
  }
  return api.get("/requests", { ...toQuery(filter, account), limit: LIMIT }, options);
}

function tabHref(state) {
  const query = new URLSearchParams(route.get().query);
  query.delete("after");
  if (state) query.set("state", state);
  else query.delete("state");
  const text = query.toString();
  return href("/logs" + (text ? `?${text}` : ""));
}

function selectColumn({ selected, toggle, rows, toggleAll }) {
  const failed = (rows ?? []).filter((row) => row.state === "failed");
  const chosen = failed.filter((row) => selected.has(row.request_id)).length;
  return {
    key: "select",
    title: "Select",
    className: "cell-select",
    hideTitle: false,
    head: html`<input type="checkbox" aria-label="Select all failed requests of this page"
      disabled=${failed.length === 0}
      checked=${failed.length > 0 && chosen === failed.length}
      ref=${(input) => {
        if (input) input.indeterminate = chosen > 0 && chosen < failed.length;
      }}
      onChange=${(event) => toggleAll(failed, event.currentTarget.checked)} />`,
    cell: (row) =>
      row.state === "failed" &&
      html`<input type="checkbox" aria-label=${`Select request ${row.request_id}`}
      checked=${selected.has(row.request_id)} onChange=${() => toggle(row.request_id)} />`,
  };
}

function StateCell({ row, outcome }) {
  return html`<div class="status-cell"><${WordBadge} words=${STATE} value=${row.state} />
    ${row.reason && html`<div class="small quiet">${REASON[row.reason] ?? row.reason}</div>`}
    ${
      outcome &&
      html`<div class=${`small outcome outcome-${OUTCOME[outcome.outcome]?.tone}`}>${
        OUTCOME[outcome.outcome]?.label
      }</div>`
    }</div>`;
}

function columnsOf({ names, outcomes, select }) {
  return [
    isAdmin() && selectColumn(select),
    {
      key: "id",
      title: "Request",
      cell: (row) => html`<div class="cell-main">
        <a class="mono strong" href=${href(`/logs/${row.request_id}`)}>${row.request_id}</a>
        <span class="quiet small">${names.get(row.webhook_id)?.name
          ?? row.webhook_id}</span></div>`,
    },
    {
      key: "state",
      title: "State",
      cell: (row) => html`<${StateCell} row=${row} outcome=${outcomes.get(row.request_id)} />`,
    },
    { key: "events", title: "Events", className: "numeric", cell: (row) => row.total_count },
    { key: "attempts", title: "Attempts", className: "numeric", cell: (row) => row.attempts_made },
    { key: "created", title: "Created", cell: (row) => html`<${Time} at=${row.created_at} />` },
    {
      key: "when",
      title: "Finished / next try",
      cell: (row) =>
        row.finished_at
          ? html`<${Time} at=${row.finished_at} />`
          : row.next_attempt_at
            ? html`<span class="nowrap">next <${Time} at=${row.next_attempt_at} relative /></span>`
            : html`<span class="quiet">–</span>`,
    },
  ].filter(Boolean);
}

const NOTHING = {
  "": [
    "Nothing has been sent yet",
    "As soon as events happen that a webhook wants, the requests that carry them stand here: " +
      "what was sent, how often, and what was answered.",
  ],
  delivered: [
    "Nothing delivered yet",
    "A request is delivered when your endpoint has answered 200.",
  ],
  retrying: [
    "Nothing is being retried",
    "A request whose attempt failed waits here for its next try, five minutes later unless its " +
      "webhook says otherwise.",
  ],
  failed: [
    "Nothing has failed",
    "A request fails when all its attempts have failed, or when its webhook is paused or " +
      "disabled. It stays here until you retry it.",
  ],
};

function NoLogs({ filter }) {
  if (isFiltered(filter) || filter.after) {
    return html`<${Empty} icon="search" title="No request matches" action=${html`
      <a class="button" href=${href(`/logs${filter.state ? `?state=${filter.state}` : ""}`)}>Clear
        filters</a>`}>
      <p>Search takes a whole request id, event id or member id.</p></${Empty}>`;
  }
  const [title, text] = NOTHING[filter.state] ?? NOTHING[""];
  return html`<${Empty} icon="logs" title=${title}><p>${text}</p></${Empty}>`;
}

export function LogsPage() {
  const { query } = useStore(route);
  const filter = readFilter(query);
  const account = useAccount();
  const key = JSON.stringify([account, filter]);
  const webhooks = useWebhooks({ deleted: true, everyMs: POLL_MS * 3 });
  const log = useLoad(key, (options) => loadLog(filter, account, options), {
    everyMs: filter.after ? 0 : POLL_MS,
  });
  const [selected, setSelected] = useState(new Set());
  const [outcomes, setOutcomes] = useState(new Map());
  useEffect(() => {
    setSelected(new Set());
    setOutcomes(new Map());
  }, [key]);

  const names = new Map((webhooks.data ?? []).map((webhook) => [webhook.id, webhook]));
  const rows = log.data?.requests ?? null;
  const change = (ids, on) => {
    const next = new Set(selected);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    setSelected(next);
  };
  const select = {
    selected,
    rows,
    toggle: (id) => change([id], !selected.has(id)),
    toggleAll: (failed, on) =>
      change(
        failed.map((row) => row.request_id),
        on,
      ),
  };
  const reload = () => {
    log.reload();
    webhooks.reload();
  };
  const done = (results) => {
    setOutcomes(new Map(results.map((result) => [result.request_id, result])));
    setSelected(new Set());
    reload();
  };
  const concerned = new Set([
    filter.webhook,
    ...(rows ?? [])
      .filter((row) => row.state === "failed" || row.state === "retrying")
      .map((row) => row.webhook_id),
  ]);
  const stopped = [...concerned]
    .map((id) => names.get(id))
    .filter((webhook) => webhook && (webhook.status === "paused" || webhook.status === "disabled"));
  return html`
    <${PageHead} title="Webhook Logs" sub="Every request to your endpoints, newest first.">
      <button type="button" class="button" onClick=${reload}><${Icon} name="retry" size=${16}
        />Refresh</button>
    </${PageHead}>
    <${TabLinks} label="State" current=${filter.state} tabs=${TABS.map(([state, label]) => ({
      key: state,
      label,
      href: tabHref(state),
    }))} />
    <${LogFilters} filter=${filter} webhooks=${webhooks.data ?? []} />
    ${stopped.map((webhook) => html`<${StoppedNote} key=${webhook.id} webhook=${webhook}
      onChange=${reload} />`)}
    <${ProblemNote} problem=${log.problem} retry=${log.reload} />
    ${
      isAdmin() &&
      rows?.some((row) => row.state === "failed") &&
      html`<${RetryBar} filter=${filter} account=${account}
      rows=${rows} selected=${selected} more=${log.data.next !== null} onDone=${done}
      onClear=${() => setSelected(new Set())} />`
    }
    ${
      rows?.length === 0
        ? html`<${NoLogs} filter=${filter} />`
        : (rows || log.loading) &&
          html`
      <${Table} label="Requests" rows=${rows} columns=${columnsOf({ names, outcomes, select })}
        stale=${log.stale}
        rowKey=${(row) => row.request_id} rowClass=${(row) => (selected.has(row.request_id)
          ? "is-selected" : "")}
        skeleton=${10} />`
    }
    <${Pager} hasBefore=${filter.after !== ""} next=${log.data?.next}
      onFirst=${() => setQuery({ after: "" })}
      onNext=${() => setQuery({ after: log.data.next })} />
    <p class="hidden" role="status">${rows && !log.stale ? `${count(rows.length, "request")} shown`
      : ""}</p>`;
}
