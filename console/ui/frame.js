// What stands around each page: the navigation at the side (a drawer on a narrow screen), the
// account, and the menu of the user.

import { html, useEffect, useRef } from "../lib/html.js";
import { api, loadHealth } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { chooseTheme, chooseZone, theme, zone } from "../lib/preferences.js";
import { href, navigate } from "../lib/router.js";
import { chooseAccount, account, session, signOut } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { sentence } from "../lib/words.js";
import { SelectField } from "./field.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";
import { Note } from "./parts.js";
import { telling } from "./toast.js";

const GROUPS = [
  {
    title: "Notifications",
    links: [
      { to: "/", icon: "dashboard", label: "Dashboard" },
      { to: "/webhooks", icon: "webhook", label: "Webhooks" },
      { to: "/logs", icon: "logs", label: "Webhook Logs" },
      { to: "/catalogue", icon: "catalogue", label: "Event Catalogue" },
    ],
  },
  {
    title: "Receiving",
    links: [
      { to: "/inbox", icon: "inbox", label: "Inbox" },
      { to: "/handlers", icon: "handlers", label: "Handlers" },
    ],
  },
  { title: "Administration", links: [{ to: "/settings", icon: "settings", label: "Settings" }] },
];

function isHere(to, path) {
  return to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
}

function Navigation({ path }) {
  return html`<nav class="nav" aria-label="Main">${GROUPS.map(
    (group, index) => html`<div class="nav-group" key=${group.title}>
    <h2 class="nav-title" id=${`nav-${index}`}>${group.title}</h2>
    <ul aria-labelledby=${`nav-${index}`}>${group.links.map(
      (link) => html`<li key=${link.to}>
      <a href=${href(link.to)} aria-current=${isHere(link.to, path) ? "page" : undefined}>
        <${Icon} name=${link.icon} />${link.label}</a></li>`,
    )}</ul></div>`,
  )}</nav>`;
}

// Only where there is a choice.
function AccountChoice() {
  const chosen = useStore(account);
  const loaded = useLoad("accounts", (options) =>
    api.get("/accounts", { limit: 200 }, options),
  ).data;
  const names = (loaded?.accounts ?? []).map((entry) => entry.name);
  if (names.filter((name) => name !== chosen).length === 0) return null;
  const all = [...new Set([chosen, ...names])].sort();
  return html`<${SelectField} label="Account" value=${chosen} onChange=${chooseAccount}
    options=${all.map((name) => ({ value: name, label: name }))} />`;
}

function UserMenu() {
  const { user, role } = useStore(session);
  const shade = useStore(theme);
  const utc = useStore(zone) === "utc";
  const shades = [
    ["system", "Theme: as the system"],
    ["light", "Theme: light"],
    ["dark", "Theme: dark"],
  ];
  return html`<${Menu} label="Your settings" named className="button button-plain user-button"
    items=${[
    ...shades.map(([value, label]) => ({
      label,
      checked: shade === value,
      run: () => chooseTheme(value),
    })),
    {
      label: utc ? "Times: in my time zone" : "Times: in UTC",
      icon: "info",
      run: () => chooseZone(utc ? "local" : "utc"),
    },
    { label: "Change password", icon: "key", run: () => navigate("/settings/you") },
    { label: "Sign out", icon: "out", run: () => telling(signOut) },
  ]}><span class="avatar" aria-hidden="true">${user[0].toUpperCase()}</span><span
    class="user-name">${user}
    <span class="quiet small">${role}</span></span></${Menu}>`;
}

function Brand() {
  return html`<a class="brand" href=${href("/")}><img src="/console/icon.svg" alt="" width="26"
    height="26" />loyalhook</a>`;
}

// The drawer is a dialog: it keeps the focus, and Escape closes it.
function Drawer({ path }) {
  const drawer = useRef(null);
  useEffect(() => drawer.current.close(), [path]);
  return html`<header class="topbar">
      <button type="button" class="button button-plain button-icon" aria-label="Open navigation"
        onClick=${() => drawer.current.showModal()}><${Icon} name="menu" size=${22} /></button>
      <${Brand} /></header>
    <dialog class="drawer" ref=${drawer} aria-label="Navigation"
      onClick=${(event) => event.target === drawer.current && drawer.current.close()}>
      <div class="drawer-frame"><div class="drawer-head"><${Brand} /><button type="button"
        class="button button-plain button-icon"
        aria-label="Close navigation" onClick=${() => drawer.current.close()}><${Icon} name="close"
          /></button></div>
        <${Navigation} path=${path} /><div class="side-foot"><${AccountChoice} /><${UserMenu}
          /></div></div>
    </dialog>`;
}

const HEALTH_MS = 15000;
const STANDING = {
  worker: () => "No worker runs: nothing is sent, and no handler works. Start loyalhook work.",
  store: (said) => `The store ${said}. New events are refused.`,
  key: (said) => `${sentence(said)}: nothing can be signed.`,
};

// On every page: whether the server can do its work.
function Standing() {
  const checks = useLoad("health", loadHealth, { everyMs: HEALTH_MS }).data ?? {};
  const wrong = Object.keys(STANDING).filter((part) => (checks[part] ?? "ok") !== "ok");
  return html`<div role="status">${wrong.map(
    (part) => html`<${Note} key=${part} tone="bad" icon="warning">${STANDING[part](
      checks[part],
    )}</${Note}>`,
  )}</div>`;
}

function useWide() {
  const query = useRef(window.matchMedia("(min-width: 60rem)")).current;
  const wide = useRef({
    get: () => query.matches,
    watch: (listener) => {
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
  }).current;
  return useStore(wide);
}

export function Frame({ path, children }) {
  const wide = useWide();
  return html`<a class="skip" href="#main" onClick=${(event) => {
    event.preventDefault();
    document.querySelector("main h1")?.focus();
  }}>Skip to the page</a>
    <div class="frame">
      ${
        wide
          ? html`<header class="side"><${Brand} /><${Navigation} path=${path} />
        <div class="side-foot"><${AccountChoice} /><${UserMenu} /></div></header>`
          : html`<${Drawer} path=${path} />`
      }
      <main id="main" class="main"><${Standing} />${children}</main>
    </div>`;
}
