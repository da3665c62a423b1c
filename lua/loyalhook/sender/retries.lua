-- Manual retry: methods of a sender (sender.lua adds them to its class). A retry of chosen requests
-- is done when it returns; a retry of many is a stored job that any worker works off, and so can
-- whoever steps it.

local actor = require("loyalhook.actor")
local core = require("loyalhook.core")
local filter = require("loyalhook.sender.filter")
local options = require("loyalhook.options")
local views = require("loyalhook.sender.views")

local retries = {}

local MANY_MAX = core.limits.retry_many_max
local FAILED = { webhook = "string", account = "string", since = "string or number",
  ["until"] = "string or number", reason = "string", dry_run = "boolean", by = "table" }
local RETRY = { account = "string", by = "table" }
local JOBS = { limit = "number" }

-- Each id once, in order; or nil, message, code.
local function distinct(ids)
  local list, seen = {}, {}
  for index = 1, #ids do
    local id = ids[index]
    if type(id) ~= "string" or #id ~= 24 or id:find("[^0-9a-f]") then
      return nil, ("request_id: '%s' is not 24 lower-case hex digits"):format(
        tostring(id):sub(1, 40):gsub("[%c\128-\255]", "?")), "invalid"
    elseif not seen[id] then
      seen[id] = true
      list[#list + 1] = id
    end
  end
  return list
end

--- Retries failed requests now: each is due at once, with a fresh budget of attempts whose numbers
-- go on. `ids` is a list of request ids; up to 1000 are one transaction. given: account = whose
-- they must be; others are "unknown"; by = who is noted in the audit log (actor.lua). Returns a
-- list of { request_id, outcome [, message] } with each id once, in order: outcome "retried";
-- "not_failed" (nothing to do); "refused" (its webhook is not enabled; message says what to do);
-- "unknown". Or nil, message, code, and the outcomes of the transactions before.
function retries:retry(ids, given)
  given = options.check(given, RETRY, "retry")
  if type(ids) ~= "table" then
    error("retry: expected a list of request ids, got " .. type(ids), 2)
  end
  local list, message, code = distinct(ids)
  if not list then
    return nil, message, code
  end
  local outcomes = {}
  for first = 1, #list, MANY_MAX do
    local part = {}
    for index = first, math.min(first + MANY_MAX - 1, #list) do
      part[#part + 1] = list[index]
    end
    local done
    done, message, code = self._store:retry(part, { account = given.account,
      by = actor.of(given.by) })
    if not done then
      return nil, message, code, outcomes
    end
    for _, outcome in ipairs(done) do
      outcomes[#outcomes + 1] = outcome
    end
  end
  return outcomes
end

local function job_view(row, message, code)
  if not row then
    return nil, message, code
  end
  return views.job(row)
end

--- Retries all failed requests, or those of a webhook (id or name), of an account, created since
-- and until a time (as for requests), failed for a reason. by: as of retry. Returns the job, which
-- workers work off: { id, total (once it is known), retried, left_over, … }; see job and job_step.
-- With dry_run nothing is done: { dry_run = true, total = } says how many are failed now. Or nil,
-- message, code ("refused": the named webhook is not enabled).
function retries:retry_failed(given)
  given = options.check(given, FAILED, "retry_failed")
  local wanted, message, code = filter.resolve(self._store, given, { account = given.account,
    reason = given.reason })
  if not wanted then
    return nil, message, code
  end
  if not given.dry_run then
    wanted.by = actor.of(given.by, { webhook = given.webhook, reason = given.reason })
    return job_view(self._store:job_create(wanted))
  end
  local total
  total, message, code = self._store:retry_count(wanted)
  if not total then
    return nil, message, code
  end
  return { dry_run = true, total = total }
end

--- How far a job is, or nil, message, code. It is over when it has `finished_at`.
function retries:job(id)
  options.text(id, "job", "an id")
  return job_view(self._store:job(id))
end

--- Makes one bounded step of a job and returns it after that, and whether the step was made (false
-- while a worker is at it, or when it is over); or nil, message, code. Workers do this by
-- themselves; whoever wants to wait for the end steps until there is `finished_at`.
function retries:job_step(id)
  options.text(id, "job_step", "an id")
  local row, made, code = self._store:job_step(id)
  if not row then
    return nil, made, code
  end
  return views.job(row), made
end

--- The jobs, newest first; given: limit (1 to 1000, default 50). Or nil, message, code.
function retries:jobs(given)
  given = options.check(given, JOBS, "jobs")
  local list, message, code = self._store:jobs(given.limit or core.limits.list_limit_default)
  if not list then
    return nil, message, code
  end
  return views.list(list, views.job)
end

return retries
