// One figure with its name.

import { html } from "../lib/html.js";

export function Tile({ label, value, sub, tone = "" }) {
  return html`<div class=${`tile ${tone && `tile-${tone}`}`}>
    <div class="tile-label">${label}</div>
    <div class="tile-value">${value}</div>
    <div class="tile-sub">${sub ?? " "}</div>
  </div>`;
}
