// A button with a menu: arrow keys move, Home and End, Escape closes, letters jump. The menu is a
// popover, so nothing clips it and a click elsewhere closes it.

import { html, useId, useRef, useState } from "../lib/html.js";
import { Icon } from "./icon.js";

function place(button, menu) {
  const from = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = from.bottom + 4 + size.height <= window.innerHeight || from.top < size.height;
  const left = Math.min(Math.max(8, from.right - size.width), window.innerWidth - size.width - 8);
  menu.style.left = `${Math.round(left)}px`;
  menu.style.top = `${Math.round(below ? from.bottom + 4 : from.top - size.height - 4)}px`;
}

function focusBy(menu, event) {
  const items = [...menu.querySelectorAll('[role^="menuitem"]')];
  const at = items.indexOf(document.activeElement);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  let next = moves[event.key];
  if (next === undefined && event.key.length === 1) {
    const letter = event.key.toLowerCase();
    next = [...items.keys()]
      .map((step) => (at + 1 + step) % items.length)
      .find((index) => items[index].textContent.trim().toLowerCase().startsWith(letter));
  }
  if (next === undefined) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
}

// named: the button's own text is its name.
// items: [{ label, icon, run, danger } | { label, href, icon }], falsy ones are left out.
export function Menu({
  label,
  named = false,
  items,
  icon = "down",
  children,
  className = "button button-small",
}) {
  const id = useId();
  const button = useRef(null);
  const menu = useRef(null);
  const [open, setOpen] = useState(false);

  const toggled = (event) => {
    const isOpen = event.newState === "open";
    setOpen(isOpen);
    if (!isOpen) return;
    place(button.current, menu.current);
    menu.current.querySelector('[role^="menuitem"]')?.focus();
  };
  const close = () => {
    menu.current.hidePopover();
    button.current.focus();
  };
  const keys = (event) => {
    if (event.key === "Tab") close();
    else focusBy(menu.current, event);
  };
  const opens = (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    menu.current.showPopover();
  };
  const run = (item) => {
    close();
    item.run?.();
  };
  return html`<span class="menu-place">
    <button ref=${button} type="button" class=${className} aria-haspopup="menu"
      aria-expanded=${String(open)}
      aria-controls=${id} aria-label=${named ? undefined : label} popovertarget=${id}
        onKeyDown=${opens}>
      ${children}<${Icon} name=${icon} size=${16} />
    </button>
    <div ref=${menu} id=${id} class="menu" role="menu" aria-label=${label} popover="auto"
      onToggle=${toggled}
      onKeyDown=${keys}>
      ${items.filter(Boolean).map((item) =>
        item.href
          ? html`<a key=${item.label} role="menuitem" tabindex="-1" href=${item.href}
            onClick=${() => run(item)}>
            <${Icon} name=${item.icon} />${item.label}</a>`
          : html`<button key=${item.label} type="button" role=${item.checked === undefined
            ? "menuitem" : "menuitemradio"}
            aria-checked=${item.checked === undefined ? undefined : String(item.checked)}
              tabindex="-1"
            class=${item.danger ? "menu-danger" : ""} onClick=${() => run(item)}>
            <${Icon} name=${item.checked === undefined ? item.icon : item.checked ? "check"
              : "none"} />${item.label}</button>`,
      )}
    </div>
  </span>`;
}
