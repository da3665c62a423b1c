-- Who may use the API and the console: tokens of programs, users with their logins,
-- the token that makes the first user, and the audit log of what they changed. Of
-- tokens and logins the store has hashes only: a text is shown where it is made, never
-- again. Its methods about users are in access/users.lua, the log's in access/audit.lua.

local actor = require("loyalhook.actor")
local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local options = require("loyalhook.options")
local views = require("loyalhook.sender.views")

local access = {}

local Access = {}
Access.__index = Access
Access.__name = "loyalhook.access"

local NEW = { store = "userdata", now_ms = "function" }
local OPEN = { store = "string", key_file = "string", create = "boolean", as_is = "boolean",
  now_ms = "function" }
local TOKEN = { name = "string", account = "string", scope = "string" }

for _, part in ipairs{ "users", "audit" } do
  for name, method in pairs(require("loyalhook.access." .. part)) do
    Access[name] = method
  end
end

function Access:__tostring()
  return "loyalhook.access (" .. tostring(self._store) .. ")"
end

function Access:__close()
  self:close()
end

--- An access over a store that is open already: store = sender._store or
-- receiver._store, now_ms = a clock. Closing it leaves the store open.
function access.new(given)
  given = options.check(given, NEW, "access.new")
  if not given.store then
    error("access.new: expected store = an open store", 2)
  end
  return setmetatable({ _store = given.store, _now_ms = given.now_ms or core.now_ms }, Access)
end

--- Opens a store for this alone. options: store = "sqlite:PATH" (default
-- sqlite:loyalhook.db), create = true makes a missing store, as_is refuses one of an
-- older version, key_file, now_ms = a clock. Returns an access, or nil, message, code.
function access.open(given)
  given = options.check(given, OPEN, "access.open")
  local store, message, code = engine.store_open({
    location = given.store or "sqlite:loyalhook.db", key_file = given.key_file,
    create = given.create, as_is = given.as_is })
  if not store then
    return nil, message, code
  end
  local made = access.new({ store = store, now_ms = given.now_ms })
  made._owned = true
  return made
end

local function view_of(row, message, code)
  if not row then
    return nil, message, code
  end
  return views.token(row)
end

--- Makes a token for a program. given: name, account (nil: all accounts), scope =
-- "read" or "write". by: { who =, detail = JSON text } for the audit log (actor.lua); without
-- detail what is set is noted. Returns the token with its text as `token`, which is shown only
-- here, or nil, message, code ("invalid", "conflict" if another token has the name, "limit").
function Access:create_token(given, by)
  given = options.check(given, TOKEN, "create_token")
  local noted = actor.of(by, { name = given.name, scope = given.scope })
  return view_of(self._store:token_create(given, noted, self._now_ms()))
end

--- All tokens, revoked ones too, oldest first; or nil, message, code.
function Access:tokens()
  local list, message, code = self._store:tokens()
  if not list then
    return nil, message, code
  end
  return views.list(list, views.token)
end

--- Revokes a token by id or name; it is refused from now on. Returns it, or nil,
-- message, code ("not_found").
function Access:revoke_token(id_or_name, by)
  options.text(id_or_name, "revoke_token", "an id or a name")
  return view_of(self._store:token_revoke(id_or_name, actor.of(by), self._now_ms()))
end

--- Whose token this text is: { id, name, account (nil: all), scope }; or nil, message,
-- "denied" if it is none or was revoked.
function Access:check_token(text)
  options.text(text, "check_token", "a token")
  local row, message, code = self._store:token_check(text, self._now_ms())
  if not row then
    return nil, message, code
  end
  return { id = row.id, name = row.name, account = row.account, scope = row.scope }
end

-- Counts a try. True, or nil, message, "too_many", milliseconds to wait.
function Access:_knock(from)
  local wait_ms, message, code = self._store:knock(from, self._now_ms())
  if not wait_ms then
    return nil, message, code
  elseif wait_ms > 0 then
    return nil, ("too many wrong tries: the next one in %d s"):format(math.ceil(wait_ms / 1000)),
      "too_many", wait_ms
  end
  return true
end

--- Counts a wrong try (an unknown token) of an address. Returns true, or nil, message,
-- "too_many" and how many milliseconds it has to wait; it is not counted then.
function Access:knock(address)
  options.text(address, "knock", "an address")
  return self:_knock({ address = address })
end

--- Takes back what was counted of an address: it was right after all.
function Access:welcome(address)
  options.text(address, "welcome", "an address")
  return self._store:welcome({ address = address }, self._now_ms())
end

--- Closes the store if access.open opened it. Closing again does nothing.
function Access:close()
  if self._owned then
    self._store:close()
  end
end

return access
