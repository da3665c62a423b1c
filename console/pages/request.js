// One request of the log: its events, every attempt, what was sent and what was answered.

import { html } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { curl } from "../lib/curl.js";
import { count } from "../lib/format.js";
import { indent, items, members } from "../lib/json_text.js";
import { useAction, useLoad } from "../lib/load.js";
import { href } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { OUTCOME, REASON, STATE, sentence } from "../lib/words.js";
import { Icon } from "../ui/icon.js";
import {
  Code,
  CopyButton,
  Facts,
  PageHead,
  ProblemNote,
  Skeleton,
  Time,
  WordBadge,
} from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { toast } from "../ui/toast.js";
import { Attempts } from "./attempts.js";
import { StoppedNote } from "./stopped_note.js";

const POLL_MS = 3000;
const EVENTS_SHOWN = 100;

// The body may be gone before the request is: then only its ids are known.
async function loadBody(id, options) {
  try {
    return { text: await api.text(path("requests", id, "body"), null, options) };
  } catch (problem) {
    return { problem };
  }
}

function eventsOf(request, text) {
  if (!text) return request.event_ids.map((id) => ({ id, type: null, member: null }));
  return items(members(text).get("events") ?? "[]").map((piece) => {
    const event = JSON.parse(piece);
    return { id: event.id, type: event.event_type, member: event.data?.member_info?.member_id };
  });
}

function Events({ request, body }) {
  const all = body ? eventsOf(request, body.text) : null;
  return html`<section class="section" aria-labelledby="part-events"><h2 id="part-events">${count(
    request.total_count,
    "event",
  )}</h2>
    <${Table} label="Events of this request" rows=${all?.slice(0, EVENTS_SHOWN) ?? null}
      rowKey=${(event) => event.id}
      skeleton=${Math.min(3, request.total_count)} columns=${[
        {
          key: "id",
          title: "Event",
          cell: (event) =>
            html`<a class="mono" href=${href(`/events/${event.id}`)}>${event.id}</a>`,
        },
        {
          key: "type",
          title: "Type",
          cell: (event) => (event.type ? html`<code>${event.type}</code>` : "–"),
        },
        {
          key: "member",
          title: "Member",
          cell: (event) =>
            event.member == null
              ? html`<span class="quiet">–</span>`
              : html`<a
                href=${href(`/logs?q=${encodeURIComponent(event.member)}`)}>${String(event.member)}</a>`,
        },
      ]} />
    ${all?.length > EVENTS_SHOWN && html`<p class="quiet small">The first ${EVENTS_SHOWN}; the
      payload below has all of them.</p>`}
  </section>`;
}

// The last attempt whose headers are known: what a command can repeat.
function repeatable(request) {
  return request.attempts.findLast((attempt) => attempt.headers);
}

function Actions({ request, webhook, body, reload }) {
  const [retry, busy, problem] = useAction(async () => {
    const {
      requests: [result],
    } = await api.post("/requests/retry", { request_ids: [request.request_id] });
    const good = result.outcome === "retried";
    toast(
      `${OUTCOME[result.outcome]?.label ?? result.outcome}${result.message ? `: ${result.message}`
        : ""}`,
      { tone: good ? "good" : "bad" },
    );
    reload();
  });
  const attempt = repeatable(request);
  const command = () => curl({ url: attempt.url, body: body.text, headers: attempt.headers });
  return html`
    ${
      body?.text &&
      attempt &&
      isAdmin() && // others do not see the values of its own headers
      html`<${CopyButton} className="button" text=${command} label="Copy as curl" />`
    }
    ${
      body?.text &&
      html`<${CopyButton} className="button" text=${body.text} label="Copy payload" />`
    }
    ${
      isAdmin() &&
      request.state === "failed" &&
      webhook?.status !== "deleted" &&
      html`<button type="button"
      class="button button-primary" disabled=${busy || (webhook && webhook.status !== "enabled")}
        onClick=${retry}>
      <${Icon} name="retry" size=${16} />Retry</button>`
    }
    <${ProblemNote} problem=${problem} />`;
}

function factsOf(request, webhook) {
  return [
    ["State", html`<${WordBadge} words=${STATE} value=${request.state} />`],
    request.reason && ["Reason", sentence(REASON[request.reason] ?? request.reason)],
    [
      "Webhook",
      html`<a href=${href(`/webhooks/${request.webhook_id}`)}>${webhook?.name
        ?? request.webhook_id}</a>`,
    ],
    ["Attempts", request.attempts_made],
    ["Created", html`<${Time} at=${request.created_at} precise />`],
    request.next_attempt_at && [
      "Next try",
      html`<${Time} at=${request.next_attempt_at} precise />`,
    ],
    request.finished_at && ["Finished", html`<${Time} at=${request.finished_at} precise />`],
  ];
}

export function RequestPage({ id }) {
  const loaded = useLoad(id, (options) => api.get(path("requests", id), null, options), {
    everyMs: POLL_MS,
  });
  const body = useLoad(`${id} body`, (options) => loadBody(id, options)).data;
  const request = loaded.data;
  const webhook = useLoad(
    request?.webhook_id ?? "",
    async (options) => request && api.get(path("webhooks", request.webhook_id), null, options),
  ).data;
  const reload = loaded.reload;
  return html`
    <${PageHead} title=${`Request ${id}`} back=${{ href: href("/logs"), label: "Webhook Logs" }}>
      ${request && html`<${Actions} request=${request} webhook=${webhook} body=${body}
        reload=${reload} />`}
    </${PageHead}>
    <${ProblemNote} problem=${loaded.problem} retry=${reload} />
    ${loaded.loading && html`<${Skeleton} lines=${8} />`}
    ${
      request &&
      html`
      ${
        webhook &&
        ["paused", "disabled"].includes(webhook.status) &&
        request.state === "failed" &&
        html`
        <${StoppedNote} webhook=${webhook} onChange=${reload} />`
      }
      <${Facts} rows=${factsOf(request, webhook)} />
      <${Attempts} request=${request} />
      <${Events} request=${request} body=${body} />
      <section class="section" aria-labelledby="part-payload"><h2 id="part-payload">Payload</h2>
        ${body?.problem && html`<p class="quiet">${body.problem.message}</p>`}
        ${
          body?.text &&
          html`<p class="quiet small">Indented for reading; “Copy payload” gives the exact
            bytes.${
              repeatable(request) &&
              html` “Copy as curl” repeats attempt ${repeatable(request).number} with its nonce and
              signature: a receiver that checks the time refuses them once they are old.`
            }</p>
          <${Code} text=${indent(body.text)} label="Text of the payload" copy=${false}
            className="code-tall" />`
        }
      </section>`
    }`;
}
