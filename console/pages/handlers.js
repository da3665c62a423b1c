// Handlers: which there are, how far each has come, and what of it failed.

import { html } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useCatalogue } from "../lib/data.js";
import { count, number } from "../lib/format.js";
import { useLoad } from "../lib/load.js";
import { href } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { ask } from "../ui/dialog.js";
import { Menu } from "../ui/menu.js";
import { Empty, PageHead, ProblemNote, Time } from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { telling, toast } from "../ui/toast.js";
import { EventsCell } from "./webhooks.js";

const STEPS_MAX = 10000;

// Step by step, so that each call is short; what fails meanwhile is left alone.
async function retryAll(handler, dryRun) {
  let sum = 0;
  let body = { handler: handler.name, dry_run: dryRun };
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const answer = await api.post("/inbox/retry-failed", body);
    sum += answer.count;
    if (!answer.next) break;
    body = { ...body, after: answer.next, failed_before: answer.failed_before };
  }
  return sum;
}

async function retry(handler, reload) {
  await telling(async () => {
    const total = await retryAll(handler, true);
    if (total === 0) {
      toast(`No task of ${handler.name} is failed.`, { tone: "warn" });
    } else {
      await ask({
        title: `Retry all failed tasks of ${handler.name}?`,
        action: `Retry ${count(total, "task")}`,
        children: html`<p>Each gets all its attempts anew.</p>`,
        run: () =>
          telling(async () =>
            toast(`${count(await retryAll(handler, false), "task")} of ${handler.name} retried.`),
          ),
      });
    }
  });
  reload();
}

async function forget(handler, reload) {
  await ask({
    title: `Forget ${handler.name}?`,
    action: `Forget ${handler.name}`,
    danger: true,
    children: html`
    <p>For a handler that no worker loads any more. Its unfinished tasks fail, and it leaves this
      list.</p>`,
    run: () =>
      telling(async () => {
        const answer = await api.remove(path("handlers", handler.name));
        toast(
          `${handler.name} is forgotten${answer?.failed ? `; ${count(answer.failed,
            "task")} failed by it` : ""}.`,
        );
      }),
  });
  reload();
}

function columnsOf(reload, known) {
  const tasks = (key, title) => ({
    key,
    title,
    className: "numeric",
    cell: (handler) => number(handler.tasks[key]),
  });
  return [
    {
      key: "name",
      title: "Handler",
      cell: (handler) => html`<div class="cell-main"><a class="strong mono"
      href=${href(`/inbox?handler=${encodeURIComponent(handler.name)}`)}>${handler.name}</a>
      <${EventsCell} webhook=${handler} known=${known} /></div>`,
    },
    {
      key: "behind",
      title: "Behind",
      className: "numeric",
      cell: (handler) => number(handler.behind),
    },
    {
      key: "waiting",
      title: "Waiting",
      className: "numeric",
      cell: (handler) => number(handler.tasks.pending + handler.tasks.running),
    },
    tasks("retrying", "Retrying"),
    tasks("done", "Done"),
    {
      key: "failed",
      title: "Failed",
      className: "numeric",
      cell: (handler) =>
        handler.tasks.failed
          ? html`<a
            href=${href(`/inbox?state=failed&handler=${encodeURIComponent(handler.name)}`)}>${number(handler.tasks.failed)}</a>`
          : "0",
    },
    {
      key: "loaded",
      title: "Last loaded",
      cell: (handler) => html`<${Time} relative at=${handler.loaded_at} empty="never" />`,
    },
    isAdmin() && {
      key: "action",
      title: "Action",
      hideTitle: true,
      className: "cell-action",
      cell: (handler) => html`<${Menu}
      label=${`Action: ${handler.name}`} items=${[
        { label: "Retry all failed", icon: "retry", run: () => retry(handler, reload) },
        { label: "Forget", icon: "trash", danger: true, run: () => forget(handler, reload) },
      ]}>Action</${Menu}>`,
    },
  ].filter(Boolean);
}

export function HandlersPage() {
  const loaded = useLoad("handlers", (options) => api.get("/handlers", null, options), {
    everyMs: 5000,
  });
  const known = useCatalogue().data;
  const rows = loaded.data?.handlers ?? null;
  return html`
    <${PageHead} title="Handlers" sub="What acts on received events, and how far each has come." />
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${
      rows?.length === 0
        ? html`<${Empty} icon="handlers" title="No handler yet">
        <p>A handler does something with received events: sends a mail, updates the CRM, credits a
          wallet. Name one
        in <code>loyalhook.lua</code> under <code>handlers</code>; a worker that loads it makes it
          appear here.</p></${Empty}>`
        : (rows || loaded.loading) &&
          html`<${Table} label="Handlers" columns=${columnsOf(loaded.reload, known)} rows=${rows}
        rowKey=${(handler) => handler.name} skeleton=${3} />`
    }`;
}
