// The charts of the dashboard: two from GET /stats/series, and two of the queue, which is sampled
// while the page is open.

import { html } from "../lib/html.js";
import { compact, milliseconds, seconds } from "../lib/format.js";
import { Chart } from "../ui/chart.js";

const timesOf = (series) => series.points.map((point) => Date.parse(point.from) / 1000);
const shown = (value) => (value == null ? "–" : compact(value));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const latest = (values) => values.findLast((value) => value != null);
const shownMs = (value) => (value == null ? "–" : milliseconds(value));

export function DeliveriesChart({ series }) {
  const delivered = series.points.map((point) => point.delivered);
  const failed = series.points.map((point) => point.failed);
  const sums = delivered.map((value, index) => value + failed[index]);
  const nothing = sums.every((value) => value === 0);
  // Stacked: the sum is drawn first, what was delivered over it.
  return html`<${Chart} title="Deliveries and failures" times=${timesOf(series)} format=${shown}
    least=${4} step=${series.step} rest=${{ label: "in all", of: sum }}
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
    step=${series.step} rest=${{ label: "latest", of: latest }}
    series=${lines} empty=${nothing && "Nothing was delivered in this time."} />`;
}

const SPAN_S = 300; // the least that is shown, so that the first samples are not stretched
const AGES = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 43200, 86400, 604800, 2592000];
const shownAge = (value) => (value == null ? "none" : seconds(value));

// samples: [{ at, depth, oldest_s }], of lib/samples.js; `everyS`: how often one is taken.
export function QueueCharts({ samples, everyS }) {
  const common = {
    times: samples.map((sample) => sample.at),
    rest: { label: "now", of: (values) => values.at(-1) },
    note: "Sampled while this page is open",
    step: everyS,
    span: SPAN_S,
    small: true,
  };
  const of = (name) => samples.map((sample) => sample[name] ?? null);
  return html`<${Chart} ...${common} title="Queue depth over time" format=${shown} least=${4}
      series=${[{ label: "Events and requests", colour: "one", values: of("depth") }]} />
    <${Chart} ...${common} title="Age of the oldest undelivered" format=${shownAge} least=${10}
      increments=${AGES}
      series=${[{ label: "Oldest undelivered", colour: "two", values: of("oldest_s") }]} />`;
}
