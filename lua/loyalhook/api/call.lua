-- What a handler of a route is given: the request with its query and body already
-- checked, who asks, and what most handlers do with them. Handlers return { status,
-- value (becomes JSON) or text, headers }, or nil and a problem.

local core = require("loyalhook.core")
local problem = require("loyalhook.api.problem")

local Call = {}
Call.__index = Call

--- A call: sender, receiver, access (of the API), api, request, who, by (the same for the audit
-- log), path (what its braces stand for), query, body, headers.
function Call.new(api, request, who)
  return setmetatable({ api = api, sender = api.sender, receiver = api.receiver,
    access = api.access, request = request, who = who, by = who and { who = who.by },
    path = request.captured, headers = request.headers }, Call)
end

--- 200 with a value.
function Call.ok(_, value, headers)
  return { status = 200, value = value, headers = headers }
end

--- nil and the problem of what the library answered.
function Call:failed(message, code)
  return problem.failed(message, code, self.body ~= nil)
end

--- The account that a list is of: the token's, or the one that was named, or nil for all. Or false,
-- problem: a token of one account named another.
function Call:account(named)
  local own = self.who.account
  if own and named and named ~= own then
    local _, failure = problem.new("forbidden", ("the token is of account %s only"):format(own))
    return false, failure
  end
  return own or named
end

--- The same for what is made: never nil.
function Call:account_or_default(named)
  local account, failure = self:account(named)
  if account == false then
    return nil, failure
  end
  return account or self.sender._account
end

--- The webhook of an id, as far as the caller may know of it; or nil, problem.
function Call:webhook(id)
  local row, message, code = self.sender:webhook(id, self.who.account)
  if not row then
    return problem.failed(message, code)
  end
  return row
end

--- An instant as milliseconds.
function Call.now_ms()
  return core.now_ms()
end

return Call
