-- /accounts: which there are, and who gets their mails.

local fields = require("loyalhook.fields")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local ADDRESSES = kinds.list(kinds.words(254), 1, 20)

local function shown(row)
  return render.pick(row, fields.account)
end

local function list(call)
  local own = call.who.account
  if own then
    local row, message, code = call.sender:account(own)
    if not row and code ~= "not_found" then
      return call:failed(message, code)
    end
    return call:ok(render.page("accounts", render.list({ row }, shown)))
  end
  local rows, following, code = call.sender:accounts({ limit = call.query.limit,
    after = call.query.after })
  if not rows then
    return call:failed(following, code)
  end
  return call:ok(render.page("accounts", render.list(rows, shown), following))
end

-- true if the account of the path is the caller's to see, or nil, problem.
local function may_see(call)
  if call.who.account and call.path.account ~= call.who.account then
    return problem.new("not_found", ("no account has the name '%s'"):format(call.path.account))
  end
  return true
end

local function get(call)
  local ok, failure = may_see(call)
  if not ok then
    return nil, failure
  end
  local row, message, code = call.sender:account(call.path.account)
  if not row then
    return call:failed(message, code)
  end
  return call:ok(shown(row))
end

local function edit(call)
  local ok, failure = may_see(call)
  if not ok then
    return nil, failure
  end
  local notify = call.body.notify ~= json.null and call.body.notify or false
  local row, message, code = call.sender:set_account(call.path.account, { notify = notify,
    by = call.by })
  if not row then
    return call:failed(message, code)
  end
  return call:ok(shown(row))
end

return {
  { "GET", "/accounts", need = "read", run = list, query = { limit = kinds.limit,
    after = kinds.account } },
  { "GET", "/accounts/{account}", need = "read", run = get },
  { "PATCH", "/accounts/{account}", need = "write", run = edit,
    body = kinds.object({ notify = kinds.or_null(ADDRESSES) }, { "notify" }) },
}
