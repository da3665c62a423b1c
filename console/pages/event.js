// One event: its data, and why it was delivered to each webhook, or was not.

import { html } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { indent, members } from "../lib/json_text.js";
import { useLoad } from "../lib/load.js";
import { href } from "../lib/router.js";
import { VERDICT, sentence } from "../lib/words.js";
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

function Way({ way }) {
  return html`<li class="card way">
    <div class="way-head"><a class="strong"
      href=${href(`/webhooks/${way.webhook_id}`)}>${way.name}</a>
      <${WordBadge} words=${VERDICT} value=${way.verdict} /></div>
    <p>${sentence(way.explanation)}.</p>
    ${
      way.request &&
      html`<p><a class="mono" href=${href(`/logs/${way.request.request_id}`)}>Request ${
        way.request.request_id
      }</a></p>`
    }
    ${way.hint && html`<div class="hint-command"><code>${way.hint}</code><${CopyButton}
      text=${way.hint} /></div>`}
  </li>`;
}

export function EventPage({ id }) {
  const loaded = useLoad(
    id,
    async (options) => {
      const [text, explanation] = await Promise.all([
        api.text(path("events", id), null, options),
        api.get(path("events", id, "explain"), null, options),
      ]);
      return { text, explanation };
    },
    { everyMs: 5000 },
  );
  const { text, explanation } = loaded.data ?? {};
  const data = text && (members(text).get("data") ?? "");
  return html`
    <${PageHead} title=${`Event ${id}`} back=${{ href: href("/logs"), label: "Webhook Logs" }}>
      ${data && html`<${CopyButton} className="button" text=${data} label="Copy data" />`}
    </${PageHead}>
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${loaded.loading && html`<${Skeleton} lines=${6} />`}
    ${
      explanation &&
      html`
      <${Facts} rows=${[
        ["Type", html`<code>${explanation.event.event_type}</code>`],
        ["Account", explanation.event.account],
        ["Emitted", html`<${Time} at=${explanation.event.created_at} precise />`],
        ["Requests", html`<a href=${href(`/logs?q=${id}`)}>Find them in the log</a>`],
      ]} />
      <section class="section" aria-labelledby="part-ways"><h2 id="part-ways">What became of it</h2>
        ${explanation.explanation && html`<p>${sentence(explanation.explanation)}.</p>`}
        <ul class="ways">${explanation.webhooks.map((way) => html`<${Way} key=${way.webhook_id}
          way=${way} />`)}</ul>
      </section>
      <section class="section" aria-labelledby="part-data"><h2 id="part-data">Data</h2>
        <${Code} text=${indent(data)} label="Text of the data" copy=${false} className="code-tall"
          />
      </section>`
    }`;
}
