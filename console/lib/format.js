// Numbers, times and lengths of time as people read them.

import { now } from "./clock.js";

const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const number = (value) => NUMBER.format(value);
export const compact = (value) => (value < 10000 ? NUMBER.format(value) : COMPACT.format(value));

export function count(value, one, many = one + "s") {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function percent(part, whole) {
  if (!whole) return null;
  const share = (part / whole) * 100;
  if (part === whole) return "100 %";
  if (part === 0) return "0 %";
  // Never rounded up to 100 %: something did fail.
  return share >= 99.95 ? "99.9 %" : `${share.toFixed(share < 10 ? 1 : share % 1 ? 1 : 0)} %`;
}

export function milliseconds(value) {
  if (value == null) return "–";
  if (value < 1000) return `${number(Math.round(value))} ms`;
  if (value < 60000) return `${number(Number((value / 1000).toFixed(value < 10000 ? 2 : 1)))} s`;
  return length(value);
}

const UNITS = [
  [86400000, "d"],
  [3600000, "h"],
  [60000, "min"],
  [1000, "s"],
];

// The two largest units: "2 h 5 min".
export function length(ms) {
  if (ms < 1000) return "0 s";
  const parts = [];
  let rest = ms;
  for (const [size, unit] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
    if (parts.length === 2 || (parts.length === 1 && whole === 0)) break;
  }
  return parts.join(" ");
}

export const seconds = (value) => length(value * 1000);

export function bytes(value) {
  if (value == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  let size = value;
  while (size >= 1024 && index < units.length - 1) {
    size /= 1024;
    index += 1;
  }
  return `${index && size < 10 ? size.toFixed(1) : number(Math.round(size))} ${units[index]}`;
}

export function ago(then, at) {
  const ms = at - then;
  if (Math.abs(ms) < 5000) return "just now";
  const first = length(Math.abs(ms)).split(" ").slice(0, 2).join(" ");
  return ms > 0 ? `${first} ago` : `in ${first}`;
}

// instant: a Date or milliseconds. precise: with milliseconds; brief: to the minute, without the
// year while it is this one.
export function dateTime(instant, { utc = false, precise = false, brief = false } = {}) {
  const year = (time) => (utc ? new Date(time).getUTCFullYear() : new Date(time).getFullYear());
  const thisYear = year(instant) === year(now());
  return new Intl.DateTimeFormat(undefined, {
    year: brief && thisYear ? undefined : "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: brief ? undefined : "2-digit",
    fractionalSecondDigits: precise ? 3 : undefined,
    hourCycle: "h23",
    timeZone: utc ? "UTC" : undefined,
    timeZoneName: utc ? "short" : undefined,
  }).format(instant);
}
