-- The names that scripts rely on: which fields a webhook, request, attempt and
-- event have, the same in Lua, on the command line and in the API. In Lua an
-- absent value is nil; with_nulls fills in json.null for those who print JSON.

local json = require("loyalhook.json")

local fields = {}

fields.webhook = {
  "id", "account", "name", "url", "status", "status_reason", "status_since", "event_types",
  "batch_size", "batch_bytes_max", "batch_wait_ms", "retries_max", "retry_interval_s",
  "retry_schedule", "pause_after", "failed_in_a_row", "timeout_ms", "max_in_flight", "ordered",
  "success", "scheme", "headers", "created_at", "updated_at", "revision",
}

--- What create_webhook takes, and of which kind.
fields.webhook_settings = {
  account = "text", name = "text", url = "text", secret = "text", scheme = "text",
  success = "text", event_types = "texts", headers = "map", retry_schedule = "integers",
  ordered = "flag", batch_size = "integer", batch_bytes_max = "integer",
  batch_wait_ms = "integer", retries_max = "integer", retry_interval_s = "integer",
  pause_after = "integer", timeout_ms = "integer", max_in_flight = "integer",
}

fields.request = {
  "request_id", "webhook_id", "state", "reason", "total_count", "event_ids", "attempts_made",
  "next_attempt_at", "created_at", "finished_at",
}

fields.attempt = {
  "number", "started_at", "duration_ms", "status", "error", "url", "nonce", "sent", "headers",
  "response",
}

fields.event = { "id", "event_type", "account", "created_at", "data" }

fields.job = {
  "id", "account", "webhook_id", "since", "until", "reason", "created_at", "total", "retried",
  "left_over", "finished_at",
}

fields.notice = {
  "id", "kind", "account", "webhook_id", "webhook_name", "request_id", "reason", "created_at",
  "mailed",
}

fields.account = { "name", "notify", "webhooks" }

--- Of those who may use the API and the console: a program's token, a user, an entry of the audit
--- log.
fields.token = { "id", "name", "account", "scope", "created_at", "last_used_at", "revoked_at" }
fields.user = { "user", "role", "disabled", "created_at", "last_seen_at" }
fields.audit = { "id", "at", "who", "what", "object", "account", "detail" }

fields.states = { "pending", "sending", "retrying", "delivered", "failed" }

--- Of the receiving side: an event of the inbox, a handler's task for it, and what the store knows
-- of a handler.
fields.received = { "id", "source", "event_type", "received_at", "state", "tasks" }
fields.task = {
  "handler", "state", "reason", "attempts_made", "next_attempt_at", "waits", "error",
}
fields.handler = { "name", "event_types", "behind", "tasks", "loaded_at", "created_at" }

fields.received_states = { "pending", "failed", "done" }
fields.task_states = { "pending", "running", "retrying", "done", "failed" }

--- A copy of `row` with json.null for each absent field of `names` (one of the
-- lists above); attempts of a request are completed too.
function fields.with_nulls(names, row)
  local copy = {}
  for key, value in pairs(row) do
    copy[key] = value
  end
  for _, name in ipairs(names) do
    if copy[name] == nil then
      copy[name] = json.null
    end
  end
  if row.attempts then
    copy.attempts = json.array()
    for index, attempt in ipairs(row.attempts) do
      copy.attempts[index] = fields.with_nulls(fields.attempt, attempt)
    end
  end
  return copy
end

return fields
