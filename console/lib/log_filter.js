// The filter of the log as the address has it, and as the API takes it. Pure.

export const TABS = [
  ["", "All"],
  ["delivered", "Delivered"],
  ["retrying", "Retrying"],
  ["failed", "Failed"],
];
export const PERIODS = [
  ["", "Any time"],
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
];
export const TIMES = [...PERIODS, ["own", "From – to …"]];
const NAMES = ["state", "webhook", "event_type", "since", "until", "q", "after"];

export function readFilter(query) {
  const filter = {};
  for (const name of NAMES) filter[name] = query.get(name) ?? "";
  return filter;
}

export const isId = (text) => /^[0-9a-f]{24}$/.test(text);

// The query of GET /requests. A search for an id that is no request's looks for an event's.
export function toQuery(filter, account) {
  const search = filter.q.trim();
  return {
    account,
    state: filter.state,
    webhook: filter.webhook,
    event_type: filter.event_type,
    since: filter.since,
    until: filter.until,
    after: filter.after,
    event: isId(search) ? search : null,
    member: search && !isId(search) ? search : null,
  };
}

// Whether a stored job can mean the same requests; else they are collected by their ids.
export function fitsJob(filter) {
  return !filter.event_type && !filter.q.trim();
}

export function isFiltered(filter) {
  return ["webhook", "event_type", "since", "until", "q"].some((name) => filter[name] !== "");
}

// For <input type="datetime-local">, in the zone that the reader chose, and back. What is no moment
// is an empty field.
export function toInput(at, utc) {
  const instant = /^\d{4}-/.test(at) ? new Date(at).getTime() : NaN;
  if (Number.isNaN(instant)) return "";
  const minutes = utc ? 0 : new Date(instant).getTimezoneOffset();
  return new Date(instant - minutes * 60000).toISOString().slice(0, 16);
}

export function fromInput(text, utc) {
  const instant = /^\d{4}-/.test(text) ? new Date(utc ? `${text}Z` : text).getTime() : NaN;
  return Number.isNaN(instant) ? "" : new Date(instant).toISOString();
}
