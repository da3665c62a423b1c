// The HTTP API as functions. A refusal is thrown as a Problem, whose message is a sentence for the
// reader. What ends the session is told to `onSignedOut`; the page that stands stays as it is.

import { learnTime } from "./clock.js";

const BASE = "/api/v1";
const TIMEOUT_MS = 30000;
const ENDED = "Your session had ended, so this was not done. Do it again.";

export class Problem extends Error {
  constructor(fields) {
    super(fields.detail);
    Object.assign(this, { status: 0, code: "network", errors: [], current: null }, fields);
  }
}

let csrf = null;
let signedOut = () => {};

export function setCsrf(token) {
  csrf = token;
}

export function onSignedOut(listener) {
  signedOut = listener;
}

function queryText(query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value != null && value !== "");
  return pairs.length ? "?" + new URLSearchParams(pairs) : "";
}

// Names in a path are texts of others; each is one segment.
export function path(...segments) {
  return segments.map((segment) => "/" + encodeURIComponent(segment)).join("");
}

async function problemOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  try {
    const body = await response.json();
    if (typeof body.detail === "string") {
      return new Problem({
        ...body,
        status: response.status,
        errors: body.errors ?? [],
        retryAfter,
      });
    }
  } catch {
    // Not ours: something between us and the server answered.
  }
  return new Problem({
    status: response.status,
    code: "foreign",
    retryAfter,
    detail: `The server answered ${response.status} without a reason. Try again in a moment.`,
  });
}

function headersOf({ body, match, method }) {
  const headers = { Accept: "application/json, application/problem+json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (match != null) headers["If-Match"] = `"r${match}"`;
  return headers;
}

async function exchange(method, address, options) {
  const { query, body, match, signal, timeoutMs = TIMEOUT_MS, base = BASE } = options;
  const limits = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
  try {
    const response = await fetch(base + address + queryText(query), {
      method,
      headers: headersOf({ body, match, method }),
      credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.any(limits),
      redirect: "error",
      cache: "no-store",
    });
    learnTime(response.headers.get("Date"));
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({
      detail:
        error.name === "TimeoutError"
          ? "The server did not answer in time. It may have done it: look before you try again."
          : "The server cannot be reached. Check the connection, then try again.",
    });
  }
}

// method, address below /api/v1 and { query, body, match (a revision), signal, as: "json"|"text" }.
async function call(method, address, options = {}) {
  const response = await exchange(method, address, options);
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && address !== "/session") {
      signedOut();
      problem.message = ENDED; // the server's own sentence is for programs
    }
    throw problem;
  }
  if (response.status === 204) return null;
  return options.as === "text" ? response.text() : response.json();
}

// What is wrong with the server's parts ({ store, key, worker }, each "ok" or words); {} if a proxy
// keeps that to itself.
export async function loadHealth(options) {
  const response = await exchange("GET", "/healthz/ready", { ...options, base: "" });
  try {
    return (await response.json()).checks ?? {};
  } catch {
    return {};
  }
}

export const api = {
  get: (address, query, options) => call("GET", address, { query, ...options }),
  text: (address, query, options) => call("GET", address, { query, as: "text", ...options }),
  post: (address, body, options) => call("POST", address, { body: body ?? {}, ...options }),
  patch: (address, body, options) => call("PATCH", address, { body, ...options }),
  remove: (address, options) => call("DELETE", address, options),
};
