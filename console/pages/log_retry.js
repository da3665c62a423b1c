// "Retry Selected Logs": some rows by their ids, or all that match (a stored job, or page by page).

import { html, useEffect, useState } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { count, number } from "../lib/format.js";
import { useAction, useLoad } from "../lib/load.js";
import { fitsJob, toQuery } from "../lib/log_filter.js";
import { OUTCOME, jobWords } from "../lib/words.js";
import { Dialog, ask, openDialog } from "../ui/dialog.js";
import { Icon } from "../ui/icon.js";
import { ProblemNote, Skeleton, WordBadge } from "../ui/parts.js";
import { Table } from "../ui/table.js";
import { toast } from "../ui/toast.js";

const AT_ONCE = 1000;
const COLLECTED_MAX = 10000;

async function retryIds(ids) {
  const results = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const answer = await api.post("/requests/retry", {
      request_ids: ids.slice(from, from + AT_ONCE),
    });
    results.push(...answer.requests);
  }
  return results;
}

async function collectIds(filter, account) {
  const ids = [];
  const query = { ...toQuery({ ...filter, after: "" }, account), state: "failed", limit: 200 };
  let after = null;
  do {
    const page = await api.get("/requests", { ...query, after });
    ids.push(...page.requests.map((row) => row.request_id));
    after = page.next;
  } while (after && ids.length < COLLECTED_MAX);
  return ids.slice(0, COLLECTED_MAX);
}

function jobBody(filter, account) {
  const body = { account };
  for (const name of ["webhook", "since", "until"]) if (filter[name]) body[name] = filter[name];
  return body;
}

function counts(results) {
  const sums = new Map();
  for (const { outcome } of results) sums.set(outcome, (sums.get(outcome) ?? 0) + 1);
  return [...sums].map(([outcome, sum]) => ({ outcome, sum }));
}

function OutcomeDialog({ results, close }) {
  return html`<${Dialog} title="Retry Selected Logs" wide onClose=${() => close()}
    onSubmit=${() => close()}
    foot=${html`<button type="submit" class="button button-primary">Close</button>`}>
    <ul class="sums">${counts(results).map(
      ({ outcome, sum }) => html`<li key=${outcome}>
      <strong>${number(sum)}</strong> <${WordBadge} words=${OUTCOME} value=${outcome} /></li>`,
    )}</ul>
    <${Table} label="Outcome of each request" rows=${results.slice(0, 200)}
      rowKey=${(row) => row.request_id}
      columns=${[
        {
          key: "id",
          title: "Request",
          cell: (row) => html`<span class="mono">${row.request_id}</span>`,
        },
        {
          key: "outcome",
          title: "Outcome",
          cell: (row) => html`<${WordBadge} words=${OUTCOME} value=${row.outcome} />`,
        },
        {
          key: "message",
          title: "What to do",
          cell: (row) => row.message ?? html`<span class="quiet">–</span>`,
        },
      ]} />
    ${results.length > 200 && html`<p class="quiet small">The first 200
      of ${number(results.length)}.</p>`}
  </${Dialog}>`;
}

// How far a retry of many is; it goes on without this dialog.
export function JobDialog({ job: begun, close }) {
  const [over, setOver] = useState(false);
  const loaded = useLoad(begun.id, (options) => api.get(path("jobs", begun.id), null, options), {
    everyMs: over ? 0 : 1000,
  });
  const job = loaded.data ?? begun;
  useEffect(() => {
    if (job.finished_at) setOver(true);
  }, [job.finished_at]);
  const handled = job.retried + job.left_over;
  const [said, next] = jobWords(job);
  return html`<${Dialog} title="Retry all that match" onClose=${() => close()}
    onSubmit=${() => close()}
    foot=${html`<button type="submit" class="button button-primary">Close</button>`}>
    <p role="status">${said}</p>
    <progress class="progress" max=${job.total || 1} value=${job.finished_at ? job.total || 1
      : handled}
      aria-label="Progress"></progress>
    <p class="quiet small">${next}</p>
    <${ProblemNote} problem=${loaded.problem} />
  </${Dialog}>`;
}

function Total({ filter, account }) {
  const loaded = useLoad("total", () =>
    api.post("/requests/retry-failed", { ...jobBody(filter, account), dry_run: true }),
  );
  if (loaded.problem) return html`<${ProblemNote} problem=${loaded.problem} />`;
  if (!loaded.data) return html`<${Skeleton} lines=${1} label="Counting" />`;
  return html`<p><strong>${count(loaded.data.total, "failed request")}</strong> ${
    loaded.data.total === 1 ? "matches" : "match"
  } the filters now.</p>`;
}

function askAll(filter, account) {
  return ask({
    title: "Retry all that match?",
    action: "Retry all",
    children: html`
    <p>Each is sent anew with all its attempts, in the background. What fails meanwhile is not
      retried a second time.</p>
    ${
      fitsJob(filter)
        ? html`<${Total} filter=${filter} account=${account} />`
        : html`<p>All failed requests that match the filters, up to ${number(COLLECTED_MAX)}.</p>`
    }`,
  });
}

export function RetryBar({ filter, account, rows, selected, more, onDone, onClear }) {
  const failed = rows.filter((row) => row.state === "failed");
  const whole = selected.size > 0 && failed.every((row) => selected.has(row.request_id));
  const [all, setAll] = useState(false);
  useEffect(() => {
    if (!whole) setAll(false);
  }, [whole]);

  const tell = (results) => {
    onDone(results);
    const retried = results.filter((result) => result.outcome === "retried").length;
    if (results.length && retried === results.length)
      toast(`${count(retried, "request")} retried: due now.`);
    else openDialog((close) => html`<${OutcomeDialog} results=${results} close=${close} />`);
  };
  const retryAll = async () => {
    if (!(await askAll(filter, account))) return;
    if (!fitsJob(filter)) return tell(await retryIds(await collectIds(filter, account)));
    const job = await api.post("/requests/retry-failed", jobBody(filter, account));
    await openDialog((close) => html`<${JobDialog} job=${job} close=${close} />`);
    onDone([]);
  };
  const [run, busy, problem] = useAction(async () => {
    if (all) await retryAll();
    else tell(await retryIds([...selected]));
  });
  return html`<div class="bar">
    <button type="button" class="button button-primary" disabled=${busy || selected.size === 0}
      onClick=${run}>
      <${Icon} name="retry" size=${16} />${busy ? "Retrying…" : "Retry Selected Logs"}</button>
    <span role="status">${
      all
        ? "All that match are selected."
        : selected.size
          ? `${count(selected.size, "request")} selected.`
          : "Check the failed requests that you want to retry."
    }</span>
    ${
      whole &&
      more &&
      !all &&
      html`<button type="button" class="button button-link" onClick=${() => setAll(true)}>
      Select all that match</button>`
    }
    ${
      selected.size > 0 &&
      html`<button type="button" class="button button-link" onClick=${() => {
        setAll(false);
        onClear();
      }}>Clear</button>`
    }
    <${ProblemNote} problem=${problem} />
  </div>`;
}
