-- /requests: the log, one request, its exact body, and retrying what failed.

local core = require("loyalhook.core")
local fields = require("loyalhook.fields")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local REASONS = { "retries_exhausted", "worker_lost", "paused", "disabled", "deleted" }

local FILTERS = { account = kinds.account, state = kinds.choice(fields.states),
  webhook = kinds.id, event = kinds.id, event_type = kinds.event_type, member = kinds.words(128),
  since = kinds.since, ["until"] = kinds.since, limit = kinds.limit, after = kinds.cursor }

local function list(call)
  local account, failure = call:account(call.query.account)
  if account == false then
    return nil, failure
  end
  local filter = {}
  for name, value in pairs(call.query) do
    filter[name] = value
  end
  filter.account = account
  local rows, following, code = call.sender:requests(filter)
  if not rows then
    return call:failed(following, code)
  end
  return call:ok(render.page("requests", render.list(rows, render.request), following))
end

-- The request of the path, if its webhook is of the caller's account; or nil, problem.
local function request_of(call)
  local row, message, code = call.sender:request(call.path.request_id)
  if row and call.who.account then
    local webhook
    webhook, message, code = call.sender:webhook(row.webhook_id, call.who.account)
    if not webhook and code == "not_found" then
      return problem.new("not_found", "no request has this id")
    elseif not webhook then
      return call:failed(message, code)
    end
  elseif not row then
    return call:failed(message, code)
  end
  return row
end

local function get(call)
  local row, failure = request_of(call)
  if not row then
    return nil, failure
  end
  return call:ok(render.request_shown(row, call.who))
end

local function get_body(call)
  local row, failure = request_of(call)
  if not row then
    return nil, failure
  end
  local body, message, code = call.sender:request_body(row.request_id)
  if not body then
    return call:failed(message, code)
  end
  return { status = 200, text = body }
end

local function retry(call)
  local outcomes, message, code = call.sender:retry(call.body.request_ids,
    { account = call.who.account, by = call.by })
  if not outcomes then
    return call:failed(message, code)
  end
  return call:ok({ requests = render.list(outcomes, function(outcome)
    return render.pick(outcome, { "request_id", "outcome", "message" })
  end) })
end

local function retry_failed(call)
  local given = call.body
  local account, failure = call:account(given.account)
  if account == false then
    return nil, failure
  end
  local result, message, code = call.sender:retry_failed({ account = account,
    webhook = given.webhook, since = given.since, ["until"] = given["until"],
    reason = given.reason, dry_run = given.dry_run, by = call.by })
  if not result then
    return call:failed(message, code)
  elseif given.dry_run then
    return call:ok({ total = result.total })
  end
  return { status = 202, value = render.job(result),
    headers = { Location = "/api/v1/jobs/" .. result.id } }
end

local ONE = "/requests/{request_id}"

return {
  { "GET", "/requests", need = "read", run = list, query = FILTERS },
  { "GET", ONE, need = "read", run = get },
  { "GET", ONE .. "/body", need = "read", run = get_body },
  { "POST", "/requests/retry", need = "write", run = retry, body = kinds.object({
    request_ids = kinds.list(kinds.id, 1, core.limits.retry_many_max) }, { "request_ids" }) },
  { "POST", "/requests/retry-failed", need = "write", run = retry_failed, body = kinds.object({
    account = kinds.account, webhook = kinds.id, since = kinds.since, ["until"] = kinds.time,
    reason = kinds.choice(REASONS), dry_run = kinds.flag }) },
}
