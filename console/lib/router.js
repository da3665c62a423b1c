// Addresses of the console: plain paths below /console, changed with the history API. Links are
// ordinary links; one listener keeps those to the console in the page. After a change of the path
// the focus goes to the new page's heading; a change of the query only (a filter) leaves it.

import { createStore } from "./store.js";

export const ROOT = "/console";

function here() {
  const { pathname, search } = window.location;
  const path = pathname.slice(ROOT.length).replace(/\/+$/, "") || "/";
  return { path, query: new URLSearchParams(search) };
}

export const route = createStore(here());

let guard = null; // asks whether a page with unsaved work may be left

export function setGuard(ask) {
  guard = ask;
  return () => {
    if (guard === ask) guard = null;
  };
}

export function hasGuard() {
  return guard !== null;
}

function focusHeading() {
  requestAnimationFrame(() => {
    const heading = document.querySelector("main h1");
    if (heading) heading.focus({ preventScroll: true });
  });
}

function show(samePath) {
  route.set(here());
  if (!samePath) {
    window.scrollTo(0, 0);
    focusHeading();
  }
}

// `to`: a path below the root, with its query.
export async function navigate(to, { replace = false, force = false } = {}) {
  const target = new URL(ROOT + to, window.location.origin);
  const samePath = target.pathname === window.location.pathname;
  if (!samePath && !force && guard && !(await guard())) return;
  if (!samePath) guard = null;
  window.history[replace ? "replaceState" : "pushState"](null, "", target);
  show(samePath);
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
  for (let index = 0; index < wanted.length; index += 1) {
    if (wanted[index].startsWith(":")) {
      try {
        found[wanted[index].slice(1)] = decodeURIComponent(given[index]);
      } catch {
        return null;
      }
    } else if (wanted[index] !== given[index]) {
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

export function startRouter() {
  document.addEventListener("click", (event) => {
    const link = ours(event);
    if (!link) return;
    event.preventDefault();
    navigate(link.pathname.slice(ROOT.length) + link.search);
  });
  let path = here().path;
  route.watch((now) => {
    path = now.path;
  });
  window.addEventListener("popstate", () => {
    guard = null;
    show(here().path === path);
  });
}
