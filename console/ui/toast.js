// What was done, told at the edge of the page and to screen readers; sometimes with a way back.
// A problem stays until it is closed; the rest goes by itself, but not under the pointer or focus.

import { html, useEffect, useState } from "../lib/html.js";
import { createStore, useStore } from "../lib/store.js";
import { Icon } from "./icon.js";

const SHOWN_MS = 8000;
const toasts = createStore([]);
let last = 0;

// action: { label, run }.
export function toast(text, { tone = "good", action } = {}) {
  last += 1;
  toasts.set([...toasts.get().slice(-3), { id: last, text, tone, action }]);
}

export function toastProblem(problem) {
  toast(problem.message, { tone: "bad" });
}

// Does it, and tells what went wrong.
export async function telling(action) {
  try {
    await action();
  } catch (problem) {
    toastProblem(problem);
  }
}

function drop(id) {
  toasts.set(toasts.get().filter((entry) => entry.id !== id));
}

function Toast({ entry }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held || entry.tone === "bad") return undefined;
    const timer = setTimeout(() => drop(entry.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held, entry]);
  const act = () => {
    drop(entry.id);
    entry.action.run();
  };
  return html`<div class=${`toast toast-${entry.tone}`} onMouseEnter=${() => setHeld(true)}
    onMouseLeave=${() => setHeld(false)} onFocusIn=${() => setHeld(true)}
    onFocusOut=${() => setHeld(false)}>
    <${Icon} name=${entry.tone === "bad" ? "warning" : "check"} />
    <span class="grow">${entry.text}</span>
    ${
      entry.action &&
      html`<button type="button" class="button button-small" onClick=${act}>${
        entry.action.label
      }</button>`
    }
    <button type="button" class="button button-plain button-icon button-small"
      aria-label="Close message"
      onClick=${() => drop(entry.id)}><${Icon} name="close" size=${16} /></button>
  </div>`;
}

export function ToastHost() {
  const list = useStore(toasts);
  return html`<section class="toasts" aria-label="Messages">
    <div role="status" aria-live="polite">${list.map((entry) => html`<${Toast} key=${entry.id}
      entry=${entry} />`)}</div>
  </section>`;
}
