// The two charts of the dashboard, from GET /stats/series.

import { html } from "../lib/html.js";
import { compact, milliseconds } from "../lib/format.js";
import { Chart } from "../ui/chart.js";

const timesOf = (series) => series.points.map((point) => Date.parse(point.from) / 1000);
const shown = (value) => (value == null ? "–" : compact(value));
const shownMs = (value) => (value == null ? "–" : milliseconds(value));

export function DeliveriesChart({ series }) {
  const delivered = series.points.map((point) => point.delivered);
  const failed = series.points.map((point) => point.failed);
  const sums = delivered.map((value, index) => value + failed[index]);
  const nothing = sums.every((value) => value === 0);
  // Stacked: the sum is drawn first, what was delivered over it.
  return html`<${Chart} title="Deliveries and failures" times=${timesOf(series)} format=${shown}
    least=${4}
    empty=${nothing && "No request was finished in this time."}
    series=${[
      { label: "Failed", colour: "bad", bars: true, values: failed, drawn: sums },
      { label: "Delivered", colour: "good", bars: true, values: delivered },
    ]} />`;
}

export function LatencyChart({ series }) {
  const of = (name) => series.points.map((point) => point.delivery_ms?.[name] ?? null);
  const lines = [
    ["p50", "one"],
    ["p95", "two"],
    ["p99", "three"],
  ].map(([name, colour]) => ({ label: name, colour, values: of(name) }));
  const nothing = lines.every((line) => line.values.every((value) => value === null));
  return html`<${Chart} title="Delivery time" times=${timesOf(series)} format=${shownMs} least=${10}
    series=${lines} empty=${nothing && "Nothing was delivered in this time."} />`;
}
