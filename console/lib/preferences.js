// What a reader chose for this browser: theme, and the zone of times.

import { createStore } from "./store.js";

function read(name) {
  try {
    return localStorage.getItem("loyalhook." + name);
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    if (value) localStorage.setItem("loyalhook." + name, value);
    else localStorage.removeItem("loyalhook." + name);
  } catch {
    // Then it lasts as long as the page.
  }
}

export const theme = createStore(read("theme") ?? "system");
export const zone = createStore(read("zone") ?? "local");

export function chooseTheme(value) {
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  write("theme", value === "system" ? null : value);
  theme.set(value);
}

export function chooseZone(value) {
  write("zone", value === "local" ? null : value);
  zone.set(value);
}
