-- The receiver's methods that tell what became of received events, and those that
-- retry and forget (receiver.lua adds them to its class).

local actor = require("loyalhook.actor")
local core = require("loyalhook.core")
local fields = require("loyalhook.fields")
local nearest = require("loyalhook.nearest")
local options = require("loyalhook.options")
local time = require("loyalhook.time")
local views = require("loyalhook.receiver.views")

local records = {}

local EVENTS = { state = "string", source = "string", event_type = "string", handler = "string",
  since = "string or number", limit = "number", after = "string" }
local RETRY = { id = "string", source = "string", handler = "string" }
local FAILED = { handler = "string", source = "string", since = "string or number",
  dry_run = "boolean", on_step = "function", by = "table" }
local BY = { by = "table" }
local RETRY_MAX = core.limits.retry_many_max

-- Raises at the line that called the method.
local function check_state(state)
  for _, known in ipairs(fields.received_states) do
    if state == nil or state == known then
      return true
    end
  end
  return nil, ("state: unknown state %s%s"):format(state:sub(1, 40):gsub("[%c\128-\255]", "?"),
    nearest.hint(state, fields.received_states)), "invalid"
end

-- Milliseconds for what people write, nil for nothing; or false, message, code.
local function since_ms(since)
  if since == nil then
    return nil
  end
  local ms, message, code = time.since(since, core.now_ms())
  return ms or false, message, code
end

--- The inbox, newest first. filter: state ("pending", "failed", "done"), source, event_type,
-- handler (events that have a task of it), since (RFC 3339, or "2h", "30m", "7d"), limit (1 to
-- 1000, default 50), after (cursor). Returns an array and the cursor of the next page (nil at the
-- end; a page may hold fewer than asked for and still have one), or nil, message, code.
function records:events(filter)
  filter = options.check(filter, EVENTS, "events")
  local ok, message, code = check_state(filter.state)
  if not ok then
    return nil, message, code
  end
  local since
  since, message, code = since_ms(filter.since)
  if since == false then
    return nil, message, code
  end
  local page
  page, message, code = self._store:inbox_list({ state = filter.state, source = filter.source,
    event_type = filter.event_type, handler = filter.handler, since_ms = since,
    after = filter.after, limit = filter.limit or core.limits.list_limit_default })
  if not page then
    return nil, message, code
  end
  return views.list(page.events, views.event), page.next
end

--- Every event with this id (one from each source that sent it, or only that of `source`), with
-- data and data_json; or nil, message, code.
function records:event(id, source)
  options.text(id, "event", "an id")
  if source ~= nil then
    options.text(source, "event", "a source")
  end
  local rows, message, code = self._store:inbox_get(id, source)
  if not rows then
    return nil, message, code
  end
  return views.list(rows, views.event)
end

-- A list of { id, source, handler } made of ids and such tables.
local function wishes_of(list)
  if type(list) ~= "table" then
    error("retry: expected a list of event ids, got " .. type(list), 3)
  end
  local wishes = {}
  for index = 1, #list do
    local wish = list[index]
    if type(wish) == "string" then
      wish = { id = wish }
    else
      options.check(wish, RETRY, "retry")
      options.text(wish.id, "retry", "an id")
    end
    wishes[index] = { id = wish.id, source = wish.source, handler = wish.handler }
  end
  return wishes
end

--- Retries failed tasks now, each with a fresh budget of tries. `list`: ids of events, or
-- { id =, source =, handler = } for one source's event or one handler's task. given: by = who is
-- noted in the audit log (actor.lua). Returns a list of { id, source, handler, outcome }:
-- "retried"; "not_failed" (nothing to do); "unknown". Or nil, message, code, and the outcomes of
-- the transactions before.
function records:retry(list, given)
  given = options.check(given, BY, "retry")
  local wishes, outcomes = wishes_of(list), {}
  for first = 1, #wishes, RETRY_MAX do
    local part = {}
    for index = first, math.min(first + RETRY_MAX - 1, #wishes) do
      part[#part + 1] = wishes[index]
    end
    local done, message, code = self._store:inbox_retry(part, actor.of(given.by))
    if not done then
      return nil, message, code, outcomes
    end
    for _, outcome in ipairs(done) do
      outcomes[#outcomes + 1] = outcome
    end
  end
  return outcomes
end

-- All steps of a retry of many. Returns how many, or nil, message, code.
local function step_through(store, wanted, on_step)
  local count = 0
  repeat
    local step, message, code = store:inbox_retry_failed(wanted)
    if not step then
      return nil, message, code
    end
    count = count + step.count
    wanted.after = step.next
    if on_step then
      on_step(count)
    end
  until not step.next
  return count
end

--- Retries all failed tasks, or those of a handler, of a source, received since a time (as for
-- events), that failed before now. on_step = function(count so far); by: as of retry. Returns
-- { retried = n }, or with dry_run { dry_run = true, total = n }; or nil, message, code.
function records:retry_failed(given)
  given = options.check(given, FAILED, "retry_failed")
  local since, message, code = since_ms(given.since)
  if since == false then
    return nil, message, code
  end
  local count
  count, message, code = step_through(self._store, { handler = given.handler,
    source = given.source, since_ms = since, failed_before_ms = core.now_ms(),
    dry_run = given.dry_run, by = actor.of(given.by) }, given.on_step)
  if not count then
    return nil, message, code
  elseif given.dry_run then
    return { dry_run = true, total = count }
  end
  return { retried = count }
end

--- The handlers that the store knows, by name: how far each has come, and its tasks. Or nil,
-- message, code.
function records:handlers()
  local rows, message, code = self._store:handlers()
  if not rows then
    return nil, message, code
  end
  return views.list(rows, views.handler)
end

--- Forgets a handler that is no longer used: its unfinished tasks fail, and it is gone. given: by
-- as of retry. Returns how many failed, or nil, message, code ("refused": a worker has it loaded).
function records:forget_handler(name, given)
  options.text(name, "forget_handler", "a name")
  given = options.check(given, BY, "forget_handler")
  return self._store:handler_forget(name, actor.of(given.by))
end

return records
