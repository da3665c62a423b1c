// Light or dark, before anything is painted: a choice of the reader, else the system's.
"use strict";
try {
  const theme = localStorage.getItem("loyalhook.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system decides.
}
