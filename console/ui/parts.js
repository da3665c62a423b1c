// Small parts that every page uses.

import { html, useEffect, useRef, useState } from "../lib/html.js";
import { now } from "../lib/clock.js";
import { ago, dateTime } from "../lib/format.js";
import { useStore } from "../lib/store.js";
import { zone } from "../lib/preferences.js";
import { Icon } from "./icon.js";

export function Badge({ tone = "quiet", children }) {
  return html`<span class=${`badge badge-${tone}`}><span class="badge-dot"
    aria-hidden="true"></span>${
    children
  }</span>`;
}

// `words`: one of the tables in lib/words.js.
export function WordBadge({ words, value }) {
  const word = words[value] ?? { label: value, tone: "quiet" };
  return html`<${Badge} tone=${word.tone}>${word.label}</${Badge}>`;
}

export function Mono({ children, title }) {
  return html`<span class="mono" title=${title}>${children}</span>`;
}

// A time in the reader's zone, with UTC on hover (or the other way round, as chosen).
export function Time({ at, relative = false, precise = false, brief = false, empty = "–" }) {
  const utc = useStore(zone) === "utc";
  if (!at) return html`<span class="quiet">${empty}</span>`;
  const instant = new Date(at);
  const shown = dateTime(instant, { utc, precise, brief });
  if (relative) return html`<${Ago} at=${at} title=${`${shown}${utc ? "" : ` (${at})`}`} />`;
  return html`<time class="nowrap" datetime=${at} title=${utc ? dateTime(instant) : `UTC: ${at}`}>${
    shown
  }</time>`;
}

function Ago({ at, title }) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), 15000);
    return () => clearInterval(timer);
  }, []);
  return html`<time class="nowrap" datetime=${at} title=${title}>${ago(
    Date.parse(at),
    now(),
  )}</time>`;
}

// What went wrong, with a way to try again.
export function ProblemNote({ problem, retry }) {
  if (!problem) return null;
  return html`<div class="note note-bad" role="alert">
    <${Icon} name="warning" />
    <div class="grow">${problem.message}</div>
    ${retry && html`<button type="button" class="button button-small" onClick=${retry}>Try
      again</button>`}
  </div>`;
}

export function Note({ tone = "info", icon = "info", children, role }) {
  return html`<div class=${`note note-${tone}`} role=${role}><${Icon} name=${icon} /><div
    class="grow">${
    children
  }</div></div>`;
}

// Says what belongs here, and how it gets here.
export function Empty({ icon = "info", title, children, action }) {
  return html`<div class="empty">
    <span class="empty-icon"><${Icon} name=${icon} size=${28} /></span>
    <h2>${title}</h2>
    <div class="empty-text">${children}</div>
    ${action}
  </div>`;
}

export function Skeleton({ lines = 4, label = "Loading" }) {
  return html`<div class="skeleton" role="status" aria-label=${label}>
    ${Array.from({ length: lines }, (_, index) => html`<div class="skeleton-line"
      key=${index}></div>`)}
  </div>`;
}

export function CopyButton({ text, label = "Copy", className = "button button-small" }) {
  const [state, setState] = useState("idle");
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    let done = "copied";
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? await text() : text);
    } catch {
      done = "refused";
    }
    setState(done);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setState("idle"), 2500);
  };
  const said = { idle: label, copied: "Copied", refused: "Not allowed" }[state];
  return html`<button type="button" class=${className} onClick=${copy}>
    <${Icon} name=${state === "copied" ? "check" : "copy"} size=${16} /><span>${said}</span>
    <span class="hidden" role="status">${state === "idle" ? "" : said}</span>
  </button>`;
}

// Text of others, as it is. Scrolls, so it can be reached with the keyboard.
export function Code({ text, label, copy = true, className = "" }) {
  return html`<div class=${`code ${className}`}>
    <pre tabindex="0" role="region" aria-label=${label}>${text}</pre>
    ${copy && html`<div class="code-tools"><${CopyButton} text=${text} /></div>`}
  </div>`;
}

export function PageHead({ title, children, back, sub }) {
  useEffect(() => {
    document.title = `${title} · loyalhook`;
  }, [title]);
  return html`<header class="page-head">
    <div class="page-title">
      ${back && html`<a class="back" href=${back.href}><${Icon} name="left" size=${16}
        />${back.label}</a>`}
      <h1 tabindex="-1">${title}</h1>
      ${sub && html`<div class="page-sub">${sub}</div>`}
    </div>
    <div class="page-actions">${children}</div>
  </header>`;
}

export function Facts({ rows }) {
  return html`<dl class="facts">${rows.filter(Boolean).map(
    ([name, value]) => html`
    <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

// A link to the address of an endpoint is never a link: it is text. Only http(s) may be opened.
export function Url({ url }) {
  return html`<span class="url" title=${url}>${url}</span>`;
}
