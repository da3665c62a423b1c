// Dialogs: the browser's own <dialog>, which keeps the focus inside, closes on Escape and gives the
// focus back. `ask` and `openDialog` open one from anywhere and promise its answer.

import { html, useEffect, useId, useRef, useState } from "../lib/html.js";
import { route } from "../lib/router.js";
import { createStore, useStore } from "../lib/store.js";
import { Icon } from "./icon.js";

// children: the body; foot: its buttons. onClose is called for Escape and the cross.
export function Dialog({ title, children, foot, onClose, onSubmit, wide, closable = true }) {
  const element = useRef(null);
  const body = useRef(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  // What scrolls is reached with the keyboard.
  useEffect(() => {
    body.current.toggleAttribute("tabindex", false);
    if (body.current.scrollHeight > body.current.clientHeight) body.current.tabIndex = 0;
  });
  const cancel = (event) => {
    event.preventDefault();
    if (closable) onClose?.();
  };
  // A second Escape closes whatever `cancel` says: what may not be closed is opened again.
  const closed = () => {
    if (!element.current?.isConnected || element.current.open) return;
    if (closable) onClose?.();
    else element.current.showModal();
  };
  const submit = (event) => {
    event.preventDefault();
    onSubmit?.();
  };
  return html`<dialog ref=${element} class=${wide ? "dialog dialog-wide" : "dialog"}
    aria-labelledby=${id}
    onCancel=${cancel} onClose=${closed}>
    <form class="dialog-frame" onSubmit=${submit} novalidate>
      <header class="dialog-head">
        <h2 id=${id}>${title}</h2>
        ${
          closable &&
          html`<button type="button" class="button button-plain button-icon" aria-label="Close"
          onClick=${() => onClose?.()}><${Icon} name="close" /></button>`
        }
      </header>
      <div class="dialog-body" ref=${body}>${children}</div>
      <footer class="dialog-foot">${foot}</footer>
    </form>
  </dialog>`;
}

const open = createStore([]);
let last = 0;

// make(close) → the dialog; the promise is kept with what `close` is given, or with null when the
// reader goes to another page, except if it has to `stay`.
export function openDialog(make, { stay = false } = {}) {
  return new Promise((resolve) => {
    last += 1;
    const id = last;
    const close = (result) => {
      open.set(open.get().filter((entry) => entry.id !== id));
      resolve(result);
    };
    open.set([...open.get(), { id, element: make(close), leave: () => stay || close(null) }]);
  });
}

let path = route.get().path;
route.watch((now) => {
  if (now.path === path) return;
  path = now.path;
  for (const entry of open.get()) entry.leave();
});

export function DialogHost() {
  return useStore(open).map((entry) => html`<div key=${entry.id}>${entry.element}</div>`);
}

function Question({ title, children, action, danger, cancel, run, close }) {
  const [busy, setBusy] = useState(false);
  const answer = async () => {
    if (busy) return;
    setBusy(true);
    await run?.();
    close(true);
  };
  return html`<${Dialog} title=${title} onClose=${() => close(false)} onSubmit=${answer}
    closable=${!busy} foot=${html`
      <button type="button" class="button" disabled=${busy}
        onClick=${() => close(false)}>${cancel ?? "Cancel"}</button>
      <button type="submit" class=${danger ? "button button-danger"
        : "button button-primary"} disabled=${busy}>${busy ? "One moment…" : action}</button>`}>
    ${children}
  </${Dialog}>`;
}

// A question with one action: { title, children, action, danger, cancel, run }. Promises true or
// false. It stays until `run`, which tells itself what went wrong, is over.
export function ask(given) {
  return openDialog((close) => html`<${Question} ...${given} close=${close} />`);
}
