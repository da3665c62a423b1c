// The words of states, reasons and outcomes. Pure.

import { count, number } from "./format.js";

export const STATUS = {
  enabled: { label: "Enabled", tone: "good" },
  paused: { label: "Paused", tone: "warn" },
  disabled: { label: "Disabled", tone: "quiet" },
  deleted: { label: "Deleted", tone: "quiet" },
};

export const STATE = {
  pending: { label: "Pending", tone: "quiet" },
  sending: { label: "Sending", tone: "info" },
  running: { label: "Running", tone: "info" },
  retrying: { label: "Retrying", tone: "warn" },
  delivered: { label: "Delivered", tone: "good" },
  done: { label: "Done", tone: "good" },
  failed: { label: "Failed", tone: "bad" },
};

export const VERDICT = {
  ...STATE,
  waiting: { label: "Waiting", tone: "quiet" },
  not_subscribed: { label: "Not subscribed", tone: "quiet" },
  disabled: { label: "Disabled", tone: "quiet" },
  created_later: { label: "Created later", tone: "quiet" },
  expired: { label: "Expired", tone: "quiet" },
};

export const PAUSED_BECAUSE = {
  failures: "too many requests failed in a row",
  secret_unreadable: "its secret cannot be decrypted with the present key file",
};

export const REASON = {
  retries_exhausted: "all attempts failed",
  worker_lost: "its worker was lost in the last attempt",
  paused: "its webhook was paused",
  disabled: "its webhook was disabled",
  deleted: "its webhook was deleted",
  refused: "the handler refused it",
  unknown: "it is not known whether it arrived",
  poison: "it broke the handler again and again",
  forgotten: "its handler was forgotten",
};

export const OUTCOME = {
  retried: { label: "Retried: due now", tone: "good" },
  not_failed: { label: "Not failed any more", tone: "quiet" },
  refused: { label: "Refused", tone: "bad" },
  unknown: { label: "Not there any more", tone: "warn" },
};

export const NOTICE = {
  failed: { label: "Request failed", tone: "bad" },
  paused: { label: "Webhook paused", tone: "warn" },
};

// Strangers' text may be part of one: marks that turn the direction of what follows are shown.
// How far a retry of many is, and what comes of it.
export function jobWords({ retried, left_over, total, finished_at }) {
  if (!finished_at) {
    const of = total === null ? "" : ` of ${number(total)}`;
    return [
      `${number(retried + left_over)}${of} so far …`,
      "It goes on in the background; you may close this.",
    ];
  }
  const sent = retried ? "What was retried is sent anew." : "Nothing is sent anew.";
  if (!left_over) return [`${count(retried, "request")} retried.`, sent];
  return [
    `${count(retried, "request")} retried, ${number(left_over)} left over because their webhook ` +
      "is not enabled.",
    `${sent} Enable the webhook, then retry the rest.`,
  ];
}

export function sentence(text) {
  if (!text) return "";
  const plain = text.replace(
    /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return plain[0].toUpperCase() + plain.slice(1);
}
