-- The methods of an access about the audit log. What changes something notes it itself, in the
-- same transaction; what is done elsewhere (a test mail) is noted here.

local core = require("loyalhook.core")
local options = require("loyalhook.options")
local resolve = require("loyalhook.sender.filter").resolve
local views = require("loyalhook.sender.views")

local methods = {}

local NOTE = { who = "string", what = "string", object = "string", account = "string",
  detail = "string" }
local AUDIT = { who = "string", what = "string", object = "string", account = "string",
  since = "string or number", limit = "number", after = "string" }

--- Adds an entry. given: who ("user:NAME", "token:ID", "command line"), what ("webhook.edit"),
-- object (an id or a name), account, detail (JSON text of an object, never with a secret).
-- Returns true, or nil, message, code.
function methods:note(given)
  return self._store:audit_add(options.check(given, NOTE, "note"), self._now_ms())
end

--- Entries, newest first. filter: who, what (also "webhook." for all that begin so),
-- object, account, since (RFC 3339, or "2h", "30m", "7d"), limit (1 to 1000, default 50),
-- after (cursor). Returns an array of { id, at, who, what, object, account, detail } and the
-- cursor of the next page (nil at the end), or nil, message, code.
function methods:audit(filter)
  filter = options.check(filter, AUDIT, "audit")
  local wanted, message, code = resolve(self._store, { since = filter.since }, {
    who = filter.who, what = filter.what, object = filter.object, account = filter.account,
    limit = filter.limit or core.limits.list_limit_default, after = filter.after })
  if not wanted then
    return nil, message, code
  end
  local list, following, failure = self._store:audit(wanted)
  if not list then
    return nil, following, failure
  end
  return views.list(list, views.audit), following
end

return methods
