// A chart over time, drawn by uPlot on a canvas; its figures are also a table, for those who cannot
// see it. Colours come from the style sheet, so that light and dark both work.

import { html, useEffect, useRef, useState } from "../lib/html.js";
import { dateTime } from "../lib/format.js";
import { theme, zone } from "../lib/preferences.js";
import { useStore } from "../lib/store.js";

// Ticks are whole numbers: a figure between two of them would be rounded to a wrong one.
const INCREMENTS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
);
let library = null;

function loadLibrary() {
  library ??= import("../vendor/uplot.js").then((module) => module.uPlot);
  return library;
}

function colour(element, name) {
  const probe = document.createElement("span");
  probe.className = `colour-${name}`;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// A figure without neighbours would be no line at all: it is drawn as a point.
function lonely(plot, row) {
  const values = plot.data[row];
  const has = (index) => values[index] != null;
  return [...values.keys()].filter((index) => has(index) && !has(index - 1) && !has(index + 1));
}

// Fills and lines of a series as uPlot takes them.
function drawn(uPlot, series, element) {
  const stroke = colour(element, series.colour);
  if (series.bars) {
    return {
      label: series.label,
      stroke,
      fill: stroke,
      width: 0,
      points: { show: false },
      paths: uPlot.paths.bars({ size: [0.72, 28], radius: 0.15 }),
    };
  }
  return {
    label: series.label,
    stroke,
    width: 2,
    points: { show: true, size: 6, fill: stroke, filter: lonely },
  };
}

// From half a step before the first figure to half a step after the last: no bar is cut.
function timesOf({ step, span = 0 }, times) {
  const [first, last] = [times[0], times.at(-1)];
  return [Math.min(first, last - span) - step / 2, last + step / 2];
}

function options(uPlot, given, element) {
  const ink = colour(element, "ink");
  const grid = { stroke: colour(element, "line"), width: 1 };
  const axis = {
    stroke: ink,
    grid,
    ticks: { ...grid, size: 4 },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth || 320,
    height: element.clientHeight,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    tzDate: given.utc ? (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : undefined,
    scales: {
      x: { range: (plot) => timesOf(given, plot.data[0]) },
      y: { range: (_, low, high) => [0, Math.max(high || 0, given.least ?? 1) * 1.08] },
    },
    axes: [
      {
        ...axis,
        space: 70,
        values: [
          [86400, "{MMM} {D}", null, null, null, null, null, null, 1],
          [60, "{HH}:{mm}", "\n{MMM} {D}", null, null, null, null, null, 1],
        ],
      },
      {
        ...axis,
        size: 58,
        incrs: given.increments ?? INCREMENTS,
        values: (_, ticks) => ticks.map((tick) => given.format(tick)),
      },
    ],
    series: [{}, ...given.series.map((series) => drawn(uPlot, series, element))],
    hooks: { setCursor: [(plot) => given.onCursor(plot.cursor.idx ?? null)] },
  };
}

// The figures under the pointer; without one, what `rest` makes of a column: { label, of(values) }.
function Legend({ series, at, index, format, columns, rest }) {
  const figure = (values) => format(index === null ? rest.of(values) : values[index]);
  return html`<div class="legend">
    ${series.map(
      (entry, row) => html`<span class="legend-item" key=${entry.label}>
      <span class=${`legend-mark colour-${entry.colour}`} aria-hidden="true"></span>${entry.label}
      <strong class="numeric">${figure(columns[row])}</strong></span>`,
    )}
    <span class="quiet small legend-at">${index === null ? rest.label : at}</span>
  </div>`;
}

function Figures({ title, times, series, columns, format, utc }) {
  const [open, setOpen] = useState(false);
  return html`<details class="figures" onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>As a table</summary>
    ${
      open &&
      html`<div class="figures-scroll" tabindex="0" role="region"
        aria-label=${`${title}: table`}><table class="plain-table">
      <thead><tr><th scope="col">From</th>${series.map(
        (entry) => html`<th scope="col"
        key=${entry.label}>${entry.label}</th>`,
      )}</tr></thead>
      <tbody>${times.map(
        (time, index) => html`<tr key=${time}><th scope="row">${dateTime(time * 1000, { utc })}</th>
        ${columns.map(
          (column, row) => html`<td class="numeric"
          key=${row}>${format(column[index])}</td>`,
        )}</tr>`,
      )}</tbody>
    </table></div>`
    }
  </details>`;
}

// times: seconds, `step` of them a figure, over `span` at least; series: [{ label, colour, values,
// bars, drawn (what the canvas gets instead) }].
export function Chart({ title, note, times, series, format, rest, empty, small, ...scale }) {
  const place = useRef(null);
  const plot = useRef(null);
  const [index, setIndex] = useState(null);
  const utc = useStore(zone) === "utc";
  const shade = useStore(theme);
  const data = [times, ...series.map((entry) => entry.drawn ?? entry.values)];
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    let gone = false;
    const watcher = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const draw = async () => {
      const uPlot = await loadLibrary();
      if (gone) return;
      plot.current?.destroy();
      plot.current = new uPlot(
        options(uPlot, { series, format, utc, onCursor: setIndex, ...scale }, element),
        latest.current,
        element,
      );
    };
    draw();
    watcher.observe(element);
    system.addEventListener("change", draw);
    return () => {
      gone = true;
      watcher.disconnect();
      system.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [utc, shade]);
  useEffect(() => plot.current?.setData(data), [JSON.stringify(data)]);

  const columns = series.map((entry) => entry.values);
  return html`<figure class=${small ? "card chart chart-small" : "card chart"}>
    <figcaption><h2>${title}</h2>${note && html`<p class="quiet small">${note}</p>`}
      <${Legend} series=${series} index=${index} columns=${columns} format=${format} rest=${rest}
        at=${index === null ? "" : dateTime(times[index] * 1000, { utc })} /></figcaption>
    <div class="chart-place" ref=${place} aria-hidden="true">${
      empty &&
      html`<div
      class="chart-empty">${empty}</div>`
    }</div>
    <${Figures} title=${title} times=${times} series=${series} columns=${columns} format=${format}
      utc=${utc} />
  </figure>`;
}
