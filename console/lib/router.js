// Addresses of the console: plain paths below /console, changed with the history API. Links are
// ordinary links; one listener keeps those to the console in the page. After a change of the path
// the focus goes to the new page's heading; a change of the query only (a filter) leaves it. Going
// back asks about unsaved work as a link does, and comes to where the page was scrolled to.

import { focusHeading } from "./focus.js";
import { createStore } from "./store.js";

export const ROOT = "/console";

const SCROLL_KEPT_MS = 150; // after the last movement
const RESTORE_MS = 5000; // so long a page may take until it is as high as it was
const HANDS = ["wheel", "touchmove", "keydown", "pointerdown"]; // from then on the reader scrolls

function here() {
  const { pathname, search } = window.location;
  const path = pathname.slice(ROOT.length).replace(/\/+$/, "") || "/";
  return { path, query: new URLSearchParams(search) };
}

export const route = createStore(here());

let guard = null; // asks whether a page with unsaved work may be left
let index = 0; // of this entry of the history; its state is { index, y }
let returning = false; // on the way back to the page that may not be left yet
let restoring = 0; // the frame in which the scrolling is tried again

export function setGuard(ask) {
  guard = ask;
  return () => {
    if (guard === ask) guard = null;
  };
}

export function hasGuard() {
  return guard !== null;
}

// Not while the browser stands on another entry, on the way back to one that may not be left.
function keepScroll() {
  if ((window.history.state?.index ?? index) !== index) return;
  window.history.replaceState({ index, y: Math.round(window.scrollY) }, "");
}

function stopRestoring() {
  cancelAnimationFrame(restoring);
}

// The page is loaded bit by bit, and is higher and lower meanwhile: it is held there for a while.
function restoreScroll(y) {
  stopRestoring();
  const end = performance.now() + RESTORE_MS;
  const hold = () => {
    if (Math.round(window.scrollY) !== y) window.scrollTo(0, y);
    if (y > 0 && performance.now() < end) restoring = requestAnimationFrame(hold);
  };
  hold();
}

function show(samePath) {
  route.set(here());
  if (!samePath) focusHeading();
}

// `to`: a path below the root, with its query.
export async function navigate(to, { replace = false, force = false } = {}) {
  const target = new URL(ROOT + to, window.location.origin);
  const samePath = target.pathname === window.location.pathname;
  if (!samePath && !force && guard && !(await guard())) return;
  if (!samePath) guard = null;
  stopRestoring();
  keepScroll();
  if (!replace) index += 1;
  const y = samePath ? Math.round(window.scrollY) : 0;
  window.history[replace ? "replaceState" : "pushState"]({ index, y }, "", target);
  show(samePath);
  if (!samePath) window.scrollTo(0, 0);
}

// Changes some parameters of the query; an empty value takes one away.
export function setQuery(changes, options) {
  const { path, query } = route.get();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value == null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return navigate(path + (text ? "?" + text : ""), options);
}

export function href(to) {
  return ROOT + to;
}

// pattern: "/webhooks/:id". Returns the named parts, or null.
export function match(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const found = {};
  for (let at = 0; at < wanted.length; at += 1) {
    if (wanted[at].startsWith(":")) {
      try {
        found[wanted[at].slice(1)] = decodeURIComponent(given[at]);
      } catch {
        return null;
      }
    } else if (wanted[at] !== given[at]) {
      return null;
    }
  }
  return found;
}

function ours(event) {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download")) return null;
  if (link.origin !== window.location.origin || !link.pathname.startsWith(ROOT)) return null;
  if (link.hash && link.pathname === window.location.pathname) return null;
  return link;
}

// The browser has gone back or forth already; with unsaved work it goes back again, and asks.
async function popped({ state }) {
  if (returning) {
    returning = false;
    return;
  }
  const steps = (state?.index ?? 0) - index;
  const samePath = here().path === route.get().path;
  if (guard && !samePath && steps !== 0) {
    returning = true;
    window.history.go(-steps);
    if (!(await guard())) return;
    guard = null;
    window.history.go(steps);
    return;
  }
  index = state?.index ?? 0;
  show(samePath);
  restoreScroll(state?.y ?? 0);
}

export function startRouter() {
  document.addEventListener("click", (event) => {
    const link = ours(event);
    if (!link) return;
    event.preventDefault();
    navigate(link.pathname.slice(ROOT.length) + link.search);
  });
  window.history.scrollRestoration = "manual";
  index = window.history.state?.index ?? 0;
  restoreScroll(window.history.state?.y ?? 0);
  let timer = 0;
  window.addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(keepScroll, SCROLL_KEPT_MS);
  });
  for (const name of HANDS) {
    window.addEventListener(name, stopRestoring, { passive: true });
  }
  window.addEventListener("popstate", popped);
}
