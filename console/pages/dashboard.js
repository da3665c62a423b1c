// Dashboard: how deliveries go, all together and by webhook; it renews itself.

import { html } from "../lib/html.js";
import { api } from "../lib/api.js";
import { now } from "../lib/clock.js";
import { useAccount, useWebhooks } from "../lib/data.js";
import { compact, count, milliseconds, number, percent } from "../lib/format.js";
import { useLoad } from "../lib/load.js";
import { href, route, setQuery } from "../lib/router.js";
import { gather } from "../lib/samples.js";
import { useStore } from "../lib/store.js";
import { STATUS } from "../lib/words.js";
import { SelectField } from "../ui/field.js";
import { Icon } from "../ui/icon.js";
import { Empty, PageHead, ProblemNote, Time, WordBadge } from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { Tile } from "../ui/tile.js";
import { DeliveriesChart, LatencyChart, QueueCharts } from "./dashboard_charts.js";
import { LatestNotices } from "./notices.js";

const POLL_MS = 5000;
const RANGES = [
  ["1h", 300, "Last hour"],
  ["24h", 1800, "Last 24 hours"],
  ["7d", 10800, "Last 7 days"],
];

export function queueOf(figures) {
  const { pending, sending, retrying } = figures.requests;
  return {
    requests: pending + sending + retrying,
    events: figures.waiting,
    more: figures.waiting_at_least,
  };
}

function sampleOf(stats) {
  const { events, requests } = queueOf(stats);
  const oldest = stats.oldest_undelivered_at;
  return {
    at: Math.round(now() / 1000),
    depth: events + requests,
    oldest_s: oldest ? Math.max(0, (now() - Date.parse(oldest)) / 1000) : null,
  };
}

function Tiles({ stats }) {
  const { recent } = stats;
  const queue = queueOf(stats);
  const rate = percent(recent.delivered, recent.delivered + recent.failed);
  return html`<div class="tiles tiles-six">
    <${Tile} label="Delivered" value=${compact(recent.delivered)}
      sub=${count(recent.delivered_events, "event")} />
    <${Tile} label="Failed" value=${compact(recent.failed)} tone=${recent.failed ? "bad" : ""}
      sub=${`${compact(recent.failed_attempts)} of ${compact(recent.attempts)} attempts failed`} />
    <${Tile} label="Success" value=${rate ?? "–"} sub="of finished requests" />
    <${Tile} label="Delivery time, p95" value=${milliseconds(recent.delivery_ms?.p95)}
      sub="from emit to accepted" />
    <${Tile} label="Queue depth" value=${`${compact(queue.events + queue.requests)}${queue.more
      ? "+" : ""}`}
      sub=${`${compact(queue.events)} events, ${count(queue.requests, "request")}`} />
    <${Tile} label="Oldest undelivered" value=${html`<${Time} relative
      at=${stats.oldest_undelivered_at} empty="none" />`}
      sub=${stats.oldest_undelivered_at ? "emitted" : "all caught up"} />
  </div>`;
}

const COLUMNS = [
  {
    key: "name",
    title: "Webhook",
    cell: (row) =>
      html`<a class="strong" href=${href(`/webhooks/${row.webhook_id}`)}>${row.name}</a>`,
  },
  {
    key: "status",
    title: "Status",
    cell: (row) => html`<${WordBadge} words=${STATUS} value=${row.status} />`,
  },
  {
    key: "delivered",
    title: "Delivered",
    className: "numeric",
    cell: (row) => number(row.recent.delivered),
  },
  {
    key: "failed",
    title: "Failed",
    className: "numeric",
    cell: (row) => number(row.recent.failed),
  },
  {
    key: "rate",
    title: "Success",
    className: "numeric",
    cell: (row) => percent(row.recent.delivered, row.recent.delivered + row.recent.failed) ?? "–",
  },
  {
    key: "p95",
    title: "p95",
    className: "numeric",
    cell: (row) => milliseconds(row.recent.delivery_ms?.p95),
  },
  {
    key: "queue",
    title: "Queue",
    className: "numeric",
    cell: (row) => number(queueOf(row).events + queueOf(row).requests),
  },
  {
    key: "oldest",
    title: "Oldest undelivered",
    cell: (row) => html`<${Time} relative at=${row.oldest_undelivered_at} empty="none" />`,
  },
];

function Nothing() {
  return html`<${Empty} icon="dashboard" title="Nothing to show yet" action=${html`
    <a class="button button-primary" href=${href("/webhooks/new")}><${Icon} name="plus"
      />Create Webhook</a>`}>
    <p>Here stand deliveries, failures, how long they take and what still waits, as soon as there is
      a webhook.</p>
  </${Empty}>`;
}

export function DashboardPage() {
  const { query } = useStore(route);
  const account = useAccount();
  const webhook = query.get("webhook") ?? "";
  const [since, step] = RANGES.find(([value]) => value === query.get("range")) ?? RANGES[1];
  const webhooks = useWebhooks().data;
  const key = JSON.stringify([account, webhook, since]);
  const loaded = useLoad(
    key,
    async (options) => {
      const scope = { account, webhook };
      const [stats, series] = await Promise.all([
        api.get("/stats", { ...scope, since }, options),
        api.get("/stats/series", { ...scope, from: since, step }, options),
      ]);
      return { stats, series, samples: gather(JSON.stringify(scope), sampleOf(stats)) };
    },
    { everyMs: POLL_MS },
  );
  const { stats, series, samples } = loaded.data ?? {};
  const nothing = webhooks?.length === 0;
  return html`
    <${PageHead} title="Dashboard" sub=${
      loaded.problem
        ? "Not renewed at present"
        : html`<span class="live"><span class="live-dot"
      aria-hidden="true"></span>Live, every five seconds</span>`
    }>
      <${SelectField} label="Webhook" value=${webhook} onChange=${(value) =>
        setQuery({ webhook: value })}
        options=${[{ value: "", label: "All webhooks" }, ...(webhooks ?? []).map((entry) =>
          ({ value: entry.id, label: entry.name }))]} />
      <${SelectField} label="Time" value=${since} onChange=${(range) => setQuery({ range })}
        options=${RANGES.map(([value, , label]) => ({ value, label }))} />
    </${PageHead}>
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${nothing && html`<${Nothing} />`}
    ${!nothing && (stats ? html`<${Tiles} stats=${stats} />` : loaded.loading && html`<div
      class="tiles tiles-empty"></div>`)}
    ${
      !nothing &&
      html`<div class="charts">
      ${
        series
          ? html`<${DeliveriesChart} key=${`d${key}`} series=${series} /><${LatencyChart}
            key=${`l${key}`} series=${series} /><${QueueCharts} key=${`q${key}`}
            samples=${samples} everyS=${POLL_MS / 1000} />`
          : loaded.loading &&
            ["", "", "chart-small", "chart-small"].map(
              (size, index) =>
                html`<div key=${index} class=${`card chart chart-wait ${size}`}></div>`,
            )
      }</div>`
    }
    ${
      !nothing &&
      !webhook &&
      html`<section class="section" aria-labelledby="part-each"><h2 id="part-each">By webhook</h2>
      <${Table} label="Figures by webhook" columns=${COLUMNS} rows=${stats?.per_webhook
        ?? (loaded.loading ? null : [])}
        rowKey=${(row) => row.webhook_id} skeleton=${3} /></section>`
    }
    ${!nothing && html`<${LatestNotices} account=${account} webhook=${webhook} />`}`;
}
