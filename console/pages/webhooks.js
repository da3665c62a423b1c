// Notifications → Webhooks: the list, with what each is doing and the menu of actions.

import { html } from "../lib/html.js";
import { api } from "../lib/api.js";
import { selectorWords, useAccount, useCatalogue, useWebhooks } from "../lib/data.js";
import { compact, count, percent } from "../lib/format.js";
import { useLoad } from "../lib/load.js";
import { href } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { PAUSED_BECAUSE, STATUS } from "../lib/words.js";
import { Icon } from "../ui/icon.js";
import { Empty, PageHead, ProblemNote, Time, Url, WordBadge } from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { ActionMenu } from "./webhook_actions.js";

const POLL_MS = 10000;

export function StatusCell({ webhook }) {
  return html`<div class="status-cell">
    <${WordBadge} words=${STATUS} value=${webhook.status} />
    ${
      webhook.status === "paused" &&
      html`<div class="small">${
        PAUSED_BECAUSE[webhook.status_reason] ?? webhook.status_reason
      }</div>`
    }
    ${webhook.status_since && html`<div class="small quiet">since <${Time}
      at=${webhook.status_since} brief /></div>`}
  </div>`;
}

export function EventsCell({ webhook, known }) {
  const words = selectorWords(webhook.event_types, known);
  const shown = words.slice(0, 2);
  return html`<div class="chips">${shown.map((word) => html`<span class="chip"
    key=${word}>${word}</span>`)}${
    words.length > shown.length &&
    html`<span class="chip" title=${words.slice(2).join(", ")}>+${
      words.length - shown.length
    } more</span>`
  }</div>`;
}

function SuccessCell({ figures }) {
  if (!figures) return html`<span class="quiet">–</span>`;
  const { delivered, failed } = figures.recent;
  const rate = percent(delivered, delivered + failed);
  if (!rate) return html`<span class="quiet">nothing in 24 h</span>`;
  return html`<div><div class=${failed ? "" : "good-text"}>${rate}</div>
    <div class="small quiet">${failed ? count(failed, "failure")
      : `${compact(delivered)} delivered`} in 24 h</div></div>`;
}

function NoWebhooks() {
  return html`<${Empty} icon="webhook" title="No webhook yet" action=${
    isAdmin() &&
    html`
    <a class="button button-primary" href=${href("/webhooks/new")}><${Icon} name="plus"
      />Create Webhook</a>`
  }>
    <p>A webhook sends events of your loyalty program to an address of yours: an HTTP POST with a
    signed batch of events, as soon as they happen. Until one is created, nothing is sent
      anywhere.</p>
    <ol class="steps">
      <li>Name it, and give it the URL of your endpoint.</li>
      <li>Choose the events it gets.</li>
      <li>Copy the secret key: your endpoint verifies signatures with it.</li>
    </ol>
  </${Empty}>`;
}

function columnsOf({ figures, known, reload }) {
  return [
    {
      key: "name",
      title: "Webhook",
      cell: (webhook) => html`<div class="cell-main">
        <a class="strong" href=${href(`/webhooks/${webhook.id}`)}>${webhook.name}</a>
        <${Url} url=${webhook.url} /></div>`,
    },
    {
      key: "status",
      title: "Status",
      cell: (webhook) => html`<${StatusCell} webhook=${webhook} />`,
    },
    {
      key: "events",
      title: "Events",
      cell: (webhook) => html`<${EventsCell} webhook=${webhook} known=${known} />`,
    },
    {
      key: "batch",
      title: "Batch size",
      className: "numeric",
      cell: (webhook) => webhook.batch_size,
    },
    {
      key: "rate",
      title: "Success",
      className: "cell-rate",
      cell: (webhook) => html`<${SuccessCell} figures=${figures?.get(webhook.id)} />`,
    },
    {
      key: "last",
      title: "Last delivery",
      cell: (webhook) => html`<${Time} relative
        at=${figures?.get(webhook.id)?.last_delivered_at} empty="never" />`,
    },
    {
      key: "action",
      title: "Action",
      hideTitle: true,
      className: "cell-action",
      cell: (webhook) => html`
      <${ActionMenu} webhook=${webhook} onChange=${reload} />`,
    },
  ];
}

export function WebhooksPage() {
  const account = useAccount();
  const webhooks = useWebhooks({ everyMs: POLL_MS });
  const known = useCatalogue().data;
  const stats = useLoad(
    account,
    (options) => api.get("/stats", { account, since: "24h" }, options),
    { everyMs: POLL_MS },
  );
  const figures =
    stats.data && new Map((stats.data.per_webhook ?? []).map((row) => [row.webhook_id, row]));
  const reload = () => {
    webhooks.reload();
    stats.reload();
  };
  const isEmpty = webhooks.data?.length === 0;
  return html`
    <${PageHead} title="Webhooks" sub="Where events are sent, and how that goes.">
      ${
        isAdmin() &&
        !isEmpty &&
        html`<a class="button button-primary" href=${href("/webhooks/new")}>
        <${Icon} name="plus" />Create Webhook</a>`
      }
    </${PageHead}>
    <${ProblemNote} problem=${webhooks.problem} retry=${webhooks.reload} />
    ${
      isEmpty
        ? html`<${NoWebhooks} />`
        : (webhooks.data || webhooks.loading) &&
          html`<${Table} label="Webhooks"
        columns=${columnsOf({ figures, known, reload })} rows=${webhooks.data}
          stale=${webhooks.stale}
        rowKey=${(webhook) => webhook.id} skeleton=${3} />`
    }`;
}
