// The attempts of a request, newest first: when, how long, the answer, and what it means in words.

import { html } from "../lib/html.js";
import { milliseconds } from "../lib/format.js";
import { sentence } from "../lib/words.js";
import { Badge, Code, Facts, Time, Url } from "../ui/parts.js";

function isGood(attempt) {
  return attempt.status >= 200 && attempt.status < 300 && !attempt.error;
}

// Its number and time stand above, in the reader's zone.
const OPENING = /^attempt \d+, [-\d: ]+ UTC: /;

function remark(attempt) {
  if (!attempt.headers) {
    return attempt.nonce
      ? "Not kept: an earlier version of loyalhook recorded this attempt."
      : "Not known: the worker was lost.";
  }
  return attempt.sent === false
    ? "Nothing was sent. These are the headers that would have been."
    : "The connection adds Host, User-Agent and Content-Length.";
}

function Headers({ attempt }) {
  const lines = Object.entries(attempt.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  return html`<h3>Our headers</h3>
    ${
      attempt.headers &&
      html`<${Code} text=${lines.join("\n")} label=${`Headers of attempt ${attempt.number}`} />`
    }
    <p class="quiet small">${remark(attempt)}</p>`;
}

function Attempt({ attempt, last }) {
  const under = attempt.duration_ms === null && attempt.status === null && !attempt.error;
  const tone = isGood(attempt) ? "good" : under ? "info" : "bad";
  const label =
    attempt.status !== null ? `HTTP ${attempt.status}` : under ? "Under way" : "No answer";
  return html`<li><details class="attempt" open=${last}>
    <summary>
      <span class="attempt-number">Attempt ${attempt.number}</span>
      <${Badge} tone=${tone}>${label}</${Badge}>
      <span class="quiet"><${Time} at=${attempt.started_at} /></span>
      <span class="quiet numeric">${milliseconds(attempt.duration_ms)}</span>
    </summary>
    <div class="attempt-body">
      <p>${sentence((attempt.explanation ?? attempt.error ?? "").replace(OPENING, ""))}</p>
      <${Facts} rows=${[
        ["Started", html`<${Time} at=${attempt.started_at} precise />`],
        [
          "Took",
          attempt.duration_ms === null ? "its end was not seen" : milliseconds(attempt.duration_ms),
        ],
        attempt.url && ["Sent to", html`<${Url} url=${attempt.url} />`],
        attempt.error && ["Error", sentence(attempt.error)],
      ]} />
      <${Headers} attempt=${attempt} />
      <h3>Answer</h3>
      ${
        attempt.response
          ? html`<${Code} text=${attempt.response} label=${`Answer to attempt ${attempt.number}`} />
          <p class="quiet small">The first 4 KiB of its body are kept.</p>`
          : html`<p class="quiet">${attempt.status === null ? "None came." : "Without a body."}</p>`
      }
    </div>
  </details></li>`;
}

export function Attempts({ request }) {
  const list = [...request.attempts].reverse();
  return html`<section class="section" aria-labelledby="part-attempts">
    <h2 id="part-attempts">Attempts</h2>
    ${
      list.length === 0
        ? html`<p class="quiet">None yet.</p>`
        : html`<ol class="attempts" reversed>${list.map(
            (attempt, index) => html`<${Attempt} key=${attempt.number}
          attempt=${attempt} last=${index === 0} />`,
          )}</ol>`
    }
  </section>`;
}
