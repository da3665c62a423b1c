-- The sender's methods about notices (what an administrator must hear of) and about accounts, whose
-- addresses get the mails that tell of them. Mails are sent by workers.

local actor = require("loyalhook.actor")
local core = require("loyalhook.core")
local json = require("loyalhook.json")
local options = require("loyalhook.options")
local resolve = require("loyalhook.sender.filter").resolve
local views = require("loyalhook.sender.views")

local methods = {}

local NOTICES = { account = "string", webhook = "string", since = "string or number",
  limit = "number", after = "string" }
local ACCOUNTS = { limit = "number", after = "string" }
local SET = { notify = "table or boolean", by = "table" }

-- Raises at the line that called the method.
local function check_name(value, method)
  if type(value) ~= "string" then
    error(("%s: expected an account's name, got %s"):format(method, type(value)), 3)
  end
end

--- Notices, newest first: each failed request and each pause. filter: account, webhook (id or
-- name), since (RFC 3339, or "2h", "30m", "7d"), limit (1 to 1000, default 50), after (cursor).
-- Returns an array and the cursor of the next page (nil at the end), or nil, message, code.
function methods:notices(filter)
  filter = options.check(filter, NOTICES, "notices")
  local wanted, message, code = resolve(self._store, filter, { account = filter.account,
    limit = filter.limit or core.limits.list_limit_default, after = filter.after })
  if not wanted then
    return nil, message, code
  end
  local list, following, failure = self._store:notices(wanted)
  if not list then
    return nil, following, failure
  end
  return views.list(list, views.notice), following
end

--- Accounts by name. page: limit (1 to 1000, default 50), after (the last name of the page before).
-- Returns an array and the name to go on after (nil at the end), or nil, message, code.
function methods:accounts(page)
  page = options.check(page, ACCOUNTS, "accounts")
  local list, more, code = self._store:accounts({ after = page.after,
    limit = page.limit or core.limits.list_limit_default })
  if not list then
    return nil, more, code
  end
  return views.list(list, views.account), more and list[#list].name or nil
end

--- One account, or nil, message, code.
function methods:account(name)
  check_name(name, "account")
  local list, message, code = self._store:accounts({ name = name, limit = 1 })
  if list and not list[1] then
    return nil, ("no account has the name '%s'"):format(name), "not_found"
  elseif not list then
    return nil, message, code
  end
  return views.account(list[1])
end

--- Says who gets an account's mails: notify = { address, … }, or false for those that the
-- configuration names. by: for the audit log (actor.lua). Makes the account if it is not there.
-- Returns it, or nil, message, code.
function methods:set_account(name, given)
  check_name(name, "set_account")
  given = options.check(given, SET, "set_account")
  if given.notify == nil or given.notify == true then
    error("set_account: expected notify = { address, … } or false", 2)
  end
  local notify = given.notify or nil
  for _, address in ipairs(notify or {}) do
    if type(address) ~= "string" then
      error("set_account: notify: expected mail addresses, got " .. type(address), 2)
    end
  end
  if notify and #notify == 0 then
    return nil, "notify: no address; false means those of the configuration", "invalid"
  end
  local ok, message, code = self._store:account_set(name, notify, actor.of(given.by,
    { notify = notify or json.null }))
  if not ok then
    return nil, message, code
  end
  return self:account(name)
end

return methods
