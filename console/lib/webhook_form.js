// The form of a webhook as data: from the API's fields to texts and back, what was changed, and
// what becomes of two people's changes. Pure.

export const NUMBERS = [
  "batch_size",
  "retries_max",
  "retry_interval_s",
  "pause_after",
  "timeout_ms",
  "max_in_flight",
  "batch_wait_ms",
  "batch_bytes_max",
];
export const FIELDS = [
  "name",
  "url",
  "event_types",
  ...NUMBERS,
  "retry_schedule",
  "headers",
  "success",
  "scheme",
  "ordered",
];
export const ADVANCED = FIELDS.filter(
  (name) => !["name", "url", "event_types", "batch_size"].includes(name),
);

export const LABELS = {
  name: "Webhook Name",
  url: "Webhook URL",
  secret: "Secret Key",
  event_types: "Events to send Webhook for",
  batch_size: "Batch size for bulk events",
  retries_max: "Retries",
  retry_interval_s: "Interval between retries",
  retry_schedule: "Retry schedule",
  pause_after: "Pause after failed requests",
  timeout_ms: "Timeout of an attempt",
  max_in_flight: "Attempts at once",
  batch_wait_ms: "Wait to fill a batch",
  batch_bytes_max: "Size of a batch",
  headers: "Own headers",
  success: "What counts as delivered",
  scheme: "Signature scheme",
  ordered: "Deliver in order",
};

export const NEW = {
  name: "",
  url: "",
  event_types: [],
  batch_size: "100",
  retries_max: "5",
  retry_interval_s: "300",
  retry_schedule: "",
  pause_after: "5",
  timeout_ms: "30000",
  max_in_flight: "4",
  batch_wait_ms: "0",
  batch_bytes_max: "1000000",
  headers: "",
  success: "200",
  scheme: "zinrelo",
  ordered: false,
};

export function toForm(webhook) {
  const form = { ...NEW };
  for (const name of FIELDS) {
    const value = webhook[name];
    if (name === "headers") {
      form.headers = Object.entries(value ?? {})
        .map(([key, text]) => `${key}: ${text}`)
        .join("\n");
    } else if (name === "retry_schedule") {
      form.retry_schedule = (value ?? []).join(", ");
    } else if (name === "event_types" || name === "ordered") {
      form[name] = value;
    } else {
      form[name] = String(value);
    }
  }
  return form;
}

function wholeNumber(text) {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : null;
}

function headersOf(text) {
  const headers = {};
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    const [, name, value] = /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (!name)
      return { error: `Write one a line, as “Name: value”. This line is not: ${line.trim()}` };
    if (headers[name] !== undefined) return { error: `${name} stands there twice.` };
    headers[name] = value;
  }
  return { headers };
}

function scheduleOf(text) {
  const parts = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(wholeNumber);
  return parts.includes(null)
    ? { error: "Whole seconds, with commas between them: 60, 300, 3600" }
    : { schedule: parts };
}

// { body, errors }: body has the fields as the API takes them; errors says what is no value at all.
export function toBody(form) {
  const body = {};
  const errors = {};
  for (const name of FIELDS) {
    const value = form[name];
    if (NUMBERS.includes(name)) {
      body[name] = wholeNumber(value);
      if (body[name] === null) errors[name] = "A whole number is needed.";
    } else if (name === "headers") {
      const { headers, error } = headersOf(value);
      body.headers = headers;
      if (error) errors.headers = error;
    } else if (name === "retry_schedule") {
      const { schedule, error } = scheduleOf(value);
      body.retry_schedule = schedule;
      if (error) errors.retry_schedule = error;
    } else {
      body[name] = typeof value === "string" ? value.trim() : value;
    }
  }
  if (!body.name) errors.name = "A name is needed.";
  if (!body.url) errors.url = "A URL is needed.";
  else if (!/^https?:\/\/[^\s/]+/i.test(body.url))
    errors.url = "It begins with https:// and names a host.";
  if (body.event_types.length === 0) errors.event_types = "Choose at least one event.";
  return { body, errors };
}

export function same(one, other) {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && [...one].sort().join() === [...other].sort().join();
  }
  return one === other;
}

// The fields in which two forms differ.
export function changed(before, after) {
  return FIELDS.filter((name) => !same(before[name], after[name]));
}

// What is not the default is sent; the rest is the server's business.
export function newBody(form) {
  const { body, errors } = toBody(form);
  const defaults = toBody(NEW).body;
  for (const name of ADVANCED) {
    if (JSON.stringify(body[name]) === JSON.stringify(defaults[name])) delete body[name];
  }
  return { body, errors };
}

export function editBody(base, form) {
  const { body, errors } = toBody(form);
  const names = changed(base, form);
  return { body: Object.fromEntries(names.map((name) => [name, body[name]])), errors };
}

// base: what both began with. Returns { form, conflicts }: their changes where mine are none; where
// both changed a field to different values it is a conflict, and mine stands until it is decided.
export function merge(base, mine, theirs) {
  const form = { ...mine };
  const conflicts = [];
  const taken = [];
  for (const name of changed(base, theirs)) {
    if (same(base[name], mine[name])) {
      form[name] = theirs[name];
      taken.push(name);
    } else if (!same(mine[name], theirs[name])) {
      conflicts.push(name);
    }
  }
  return { form, conflicts, taken };
}
