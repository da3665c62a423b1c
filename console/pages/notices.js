// Notices: each failed request and each pause, and whether a mail has told of it.

import { html } from "../lib/html.js";
import { api } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { href } from "../lib/router.js";
import { NOTICE, PAUSED_BECAUSE, REASON, sentence } from "../lib/words.js";
import { Time, WordBadge } from "../ui/parts.js";
import { Table } from "../ui/table.js";

const COLUMNS = [
  {
    key: "kind",
    title: "What",
    cell: (notice) => html`<${WordBadge} words=${NOTICE} value=${notice.kind} />`,
  },
  {
    key: "webhook",
    title: "Webhook",
    cell: (notice) =>
      html`<a href=${href(`/webhooks/${notice.webhook_id}`)}>${
        notice.webhook_name ?? notice.webhook_id
      }</a>`,
  },
  {
    key: "reason",
    title: "Why",
    className: "cell-wide",
    cell: (notice) =>
      html`${sentence(
        PAUSED_BECAUSE[notice.reason] ?? REASON[notice.reason] ?? notice.reason,
      )}${notice.request_id && html` <a class="mono small"
        href=${href(`/logs/${notice.request_id}`)}>${notice.request_id}</a>`}`,
  },
  {
    key: "mail",
    title: "Mail",
    cell: (notice) => (notice.mailed ? "sent" : html`<span class="quiet">not sent</span>`),
  },
  { key: "at", title: "When", cell: (notice) => html`<${Time} at=${notice.created_at} />` },
];

export function LatestNotices({ account, webhook }) {
  const loaded = useLoad(
    JSON.stringify([account, webhook]),
    (options) => api.get("/notices", { account, webhook, limit: 5 }, options),
    { everyMs: 10000 },
  );
  const rows = loaded.data?.notices;
  return html`<section class="section" aria-labelledby="part-notices"><h2 id="part-notices">Latest
    notices</h2>
    ${
      rows?.length === 0
        ? html`<p class="quiet">None: no request has failed and no webhook was paused. When that
          happens, the
      administrators get a mail, and it stands here. <a href=${href("/settings")}>Who gets
        mails</a></p>`
        : (rows || loaded.loading) &&
          html`<${Table} label="Latest notices" columns=${COLUMNS} rows=${rows ?? null}
        rowKey=${(notice) => notice.id} skeleton=${2} />`
    }
  </section>`;
}
