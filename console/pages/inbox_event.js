// One received event: its data, and each handler's task. Two sources may send the same id.

import { html } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { indent, items, members } from "../lib/json_text.js";
import { useAction, useLoad } from "../lib/load.js";
import { href, route } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { REASON, STATE, sentence } from "../lib/words.js";
import { Code, Facts, PageHead, ProblemNote, Skeleton, Time, WordBadge } from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { tellRetried } from "./inbox.js";

function TaskTable({ event, reload }) {
  const [retry, busy, problem] = useAction(async (handler) => {
    tellRetried(
      (await api.post("/inbox/retry", { tasks: [{ id: event.id, source: event.source, handler }] }))
        .tasks,
    );
    reload();
  });
  if (event.tasks.length === 0) {
    return html`<p class="quiet">No handler has come to it yet. <a href=${href("/handlers")}>Which
      handlers there are</a></p>`;
  }
  return html`<${ProblemNote} problem=${problem} />
    <${Table} label="Tasks" rows=${event.tasks} rowKey=${(task) => task.handler} columns=${[
      { key: "handler", title: "Handler", cell: (task) => html`<code>${task.handler}</code>` },
      {
        key: "state",
        title: "State",
        cell: (
          task,
        ) => html`<div class="status-cell"><${WordBadge} words=${STATE} value=${task.state} />
        ${task.waits && html`<div class="small quiet">waits for an earlier task of its
          member</div>`}</div>`,
      },
      {
        key: "attempts",
        title: "Attempts",
        className: "numeric",
        cell: (task) => task.attempts_made,
      },
      {
        key: "next",
        title: "Next try",
        cell: (task) => html`<${Time} at=${task.next_attempt_at} />`,
      },
      {
        key: "error",
        title: "What it said",
        cell: (
          task,
        ) => html`<div>${task.reason && `${sentence(REASON[task.reason] ?? task.reason)}. `}
        ${task.error ?? (task.reason ? "" : html`<span class="quiet">–</span>`)}</div>`,
      },
      {
        key: "retry",
        title: "Retry",
        hideTitle: true,
        className: "cell-action",
        cell: (task) =>
          isAdmin() &&
          task.state === "failed" &&
          html`<button type="button" class="button button-small" disabled=${busy}
            onClick=${() => retry(task.handler)}>Retry<span
          class="hidden"> ${task.handler}</span></button>`,
      },
    ]} />`;
}

export function InboxEventPage({ id }) {
  const source = useStore(route).query.get("source") ?? "";
  const loaded = useLoad(
    `${source} ${id}`,
    async (options) => {
      const text = await api.text(path("inbox", id), { source }, options);
      const texts = items(members(text).get("events") ?? "[]");
      return JSON.parse(text).events.map((event, index) => ({
        ...event,
        text: members(texts[index]).get("data") ?? "",
      }));
    },
    { everyMs: 3000 },
  );
  return html`
    <${PageHead} title=${`Received event ${id}`} back=${{ href: href("/inbox"), label: "Inbox" }} />
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${loaded.loading && html`<${Skeleton} lines=${6} />`}
    ${loaded.data?.map(
      (event) => html`<div class="stack" key=${event.source}>
      <${Facts} rows=${[
        ["State", html`<${WordBadge} words=${STATE} value=${event.state} />`],
        ["Source", event.source],
        ["Type", html`<code>${event.event_type}</code>`],
        ["Member", event.member_id ?? "–"],
        ["Received", html`<${Time} at=${event.received_at} precise />`],
      ]} />
      <section class="section"><h2>Tasks</h2><${TaskTable} event=${event} reload=${loaded.reload}
        /></section>
      <section class="section"><h2>Data</h2><${Code} text=${indent(event.text)}
        label="Text of the data" className="code-tall" /></section>
    </div>`,
    )}`;
}
