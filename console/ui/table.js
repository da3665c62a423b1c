// Tables that become cards on a narrow screen. Roles are written out, because a table whose cells
// are laid out as blocks is no table to a screen reader any more.

import { html, useLayoutEffect, useRef } from "../lib/html.js";

function SkeletonRows({ columns, rows }) {
  return Array.from(
    { length: rows },
    (_, row) => html`<tr role="row" key=${row} class="skeleton-row">
    ${columns.map((column) => html`<td role="cell" key=${column.key}><div
      class="skeleton-line"></div></td>`)}
  </tr>`,
  );
}

// columns: [{ key, title, cell(row), className, hideTitle }]; rows: null while they load.
export function Table({ label, columns, rows, rowKey, stale = false, rowClass, skeleton = 6 }) {
  return html`<div class=${stale ? "table-frame is-stale" : "table-frame"}
    aria-busy=${String(rows === null || stale)}>
    <table role="table" aria-label=${label} class="table">
      <thead role="rowgroup"><tr role="row">${columns.map(
        (column) => html`
        <th role="columnheader" scope="col" key=${column.key} class=${column.className}>${
          column.hideTitle
            ? html`<span class="hidden">${column.title}</span>`
            : (column.head ?? column.title)
        }</th>`,
      )}</tr></thead>
      <tbody role="rowgroup">${
        rows === null
          ? html`<${SkeletonRows} columns=${columns} rows=${skeleton} />`
          : rows.map(
              (row) => html`<tr role="row" key=${rowKey(row)} class=${rowClass?.(row)}>
          ${columns.map(
            (column) => html`<td role="cell" key=${column.key} class=${column.className}
            data-title=${column.hideTitle ? undefined : column.title}>${column.cell(row)}</td>`,
          )}
        </tr>`,
            )
      }</tbody>
    </table>
  </div>`;
}

// Pages of a list that goes on for ever: back to the newest, on to older ones.
export function Pager({ hasBefore, next, onFirst, onNext }) {
  if (!hasBefore && !next) return null;
  return html`<nav class="pager" aria-label="Pages">
    <button type="button" class="button" disabled=${!hasBefore} onClick=${onFirst}>Newest</button>
    <button type="button" class="button" disabled=${!next} onClick=${onNext}>Older</button>
  </nav>`;
}

// Links that look like tabs: each is an address of its own.
export function TabLinks({ label, tabs, current }) {
  const place = useRef(null);
  useLayoutEffect(() => {
    // In the middle, where there is more than fits: so its neighbours are seen.
    const [bar, tab] = [place.current, place.current.querySelector("[aria-current]")];
    const room = bar.clientWidth - (tab?.clientWidth ?? 0);
    if (tab) bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - room / 2;
  }, [current]);
  return html`<nav class="tabs" aria-label=${label} ref=${place}>${tabs.map(
    (tab) => html`
    <a key=${tab.key} href=${tab.href} aria-current=${tab.key === current ? "page"
      : undefined}>${tab.label}${
      tab.count == null ? "" : html` <span class="tab-count">${tab.count}</span>`
    }</a>`,
  )}</nav>`;
}
