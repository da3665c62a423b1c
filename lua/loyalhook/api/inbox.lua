-- /inbox and /handlers: the receiving side. Received events are of no account.

local core = require("loyalhook.core")
local fields = require("loyalhook.fields")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")
local time = require("loyalhook.time")

local STEPS_MAX = 10 -- of a retry of many in one call
local EVENT_ID = kinds.words(128)

local function received(row)
  local shown = render.pick(row, fields.received)
  shown.tasks = render.list(row.tasks, function(task)
    return render.pick(task, fields.task)
  end)
  return shown
end

local function received_shown(row)
  local shown = received(row)
  shown.member_id = render.maybe(row.member_id)
  shown.data = assert(json.raw(row.data_json))
  return shown
end

local function list(call)
  local rows, following, code = call.receiver:events(call.query)
  if not rows then
    return call:failed(following, code)
  end
  return call:ok(render.page("events", render.list(rows, received), following))
end

local function get(call)
  local rows, message, code = call.receiver:event(call.path.received_id, call.query.source)
  if not rows then
    return call:failed(message, code)
  end
  return call:ok({ events = render.list(rows, received_shown) })
end

local function retry(call)
  local outcomes, message, code = call.receiver:retry(call.body.tasks, { by = call.by })
  if not outcomes then
    return call:failed(message, code)
  end
  return call:ok({ tasks = render.list(outcomes, function(outcome)
    return render.pick(outcome, { "id", "source", "handler", "outcome" })
  end) })
end

-- A bounded part: how many, and where to go on; or nil, problem.
local function some_steps(call, wanted)
  local count = 0
  for _ = 1, STEPS_MAX do
    local step, message, code = call.receiver._store:inbox_retry_failed(wanted)
    if not step then
      return call:failed(message, code)
    end
    count, wanted.after = count + step.count, step.next
    if not step.next then
      break
    end
  end
  return count, wanted.after
end

local function retry_failed(call)
  local given = call.body
  local before_ms = given.failed_before or core.now_ms()
  local count, following = some_steps(call, { handler = given.handler, source = given.source,
    since_ms = given.since, failed_before_ms = before_ms, dry_run = given.dry_run,
    after = given.after, by = call.by })
  if not count then
    return nil, following
  end
  return call:ok({ count = count, next = render.maybe(following),
    failed_before = time.format(before_ms) })
end

local function handler(row)
  local shown = render.pick(row, fields.handler)
  shown.tasks = render.pick(row.tasks, fields.task_states)
  return shown
end

local function handlers(call)
  local rows, message, code = call.receiver:handlers()
  if not rows then
    return call:failed(message, code)
  end
  return call:ok({ handlers = render.list(rows, handler) })
end

local function forget(call)
  local failed, message, code = call.receiver:forget_handler(call.path.handler,
    { by = call.by })
  if not failed then
    return call:failed(message, code)
  end
  return call:ok({ handler = call.path.handler, failed = failed })
end

-- Without a receiver there is nothing to look at.
local function with_receiver(run)
  return function(call)
    if not call.receiver then
      return problem.new("unconfigured", "this deployment has no inbox")
    end
    return run(call)
  end
end

local TASK = kinds.object({ id = EVENT_ID, source = kinds.source, handler = kinds.handler },
  { "id" })

local list_of = {
  { "GET", "/inbox", need = "read", run = list, query = {
    state = kinds.choice(fields.received_states), source = kinds.source,
    event_type = kinds.words(128), handler = kinds.handler, since = kinds.since,
    limit = kinds.limit, after = kinds.cursor } },
  { "GET", "/inbox/{received_id}", need = "read", run = get, query = { source = kinds.source } },
  { "POST", "/inbox/retry", need = "write", run = retry, body = kinds.object({
    tasks = kinds.list(TASK, 1, core.limits.retry_many_max) }, { "tasks" }) },
  { "POST", "/inbox/retry-failed", need = "write", run = retry_failed, body = kinds.object({
    handler = kinds.handler, source = kinds.source, since = kinds.since, dry_run = kinds.flag,
    failed_before = kinds.time, after = kinds.cursor }) },
  { "GET", "/handlers", need = "read", run = handlers },
  { "DELETE", "/handlers/{handler}", need = "write", run = forget },
}
for _, route in ipairs(list_of) do
  route.all_accounts, route.run = true, with_receiver(route.run)
end

return list_of
