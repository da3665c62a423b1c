-- The methods of an access about people: users of the console, their logins, and the
-- token that makes the first user. What hashes a password (sign_in, first_run, add_user,
-- set_user with one, change_password) takes a quarter of a second of the processor.

local actor = require("loyalhook.actor")
local options = require("loyalhook.options")
local views = require("loyalhook.sender.views")

local methods = {}

local SIGN_IN = { user = "string", password = "string", address = "string" }
local FIRST_RUN = { token = "string", user = "string", password = "string", address = "string" }
local CHANGE = { user = "string", password = "string", new_password = "string",
  address = "string" }
local ADD = { user = "string", password = "string", role = "string" }
local SET = { role = "string", disabled = "boolean", password = "string" }
local RESET = { remove_users = "boolean" }

-- Raises at the line that called the method if one of these is missing.
local function check_all(given, known, method, ...)
  given = options.check(given, known, method)
  for index = 1, select("#", ...) do
    local name = (select(index, ...))
    if given[name] == nil then
      error(("%s: expected %s"):format(method, name), 3)
    end
  end
  return given
end

local function view_of(row, message, code)
  if not row then
    return nil, message, code
  end
  return views.user(row)
end

-- ---- users

--- Adds a user. given: user (its name), password (12 bytes at least), role = "viewer" or
-- "admin"; the first one must be an admin. by as for create_token. Returns the user, or nil,
-- message, code ("invalid", "conflict", "refused", "limit").
function methods:add_user(given, by)
  given = check_all(given, ADD, "add_user", "user", "password", "role")
  return view_of(self._store:user_add(given, actor.of(by, { role = given.role }),
    self._now_ms()))
end

--- All users by name; or nil, message, code.
function methods:users()
  local list, message, code = self._store:users()
  if not list then
    return nil, message, code
  end
  return views.list(list, views.user)
end

--- Changes a user's role, password, or whether it is disabled; that ends its logins.
-- Returns the user, or nil, message, code ("not_found", "invalid", "refused" if no enabled
-- admin would be left).
function methods:set_user(name, given, by)
  options.text(name, "set_user", "a user's name")
  given = options.check(given, SET, "set_user")
  local noted = actor.of(by, { role = given.role, disabled = given.disabled,
    password = given.password and "changed" or nil })
  return view_of(self._store:user_set(name, given, noted, self._now_ms()))
end

--- Removes a user with its logins. Returns the user, or nil, message, code ("not_found",
-- "refused" if no enabled admin would be left).
function methods:remove_user(name, by)
  options.text(name, "remove_user", "a user's name")
  return view_of(self._store:user_set(name, { removed = true }, actor.of(by), self._now_ms()))
end

-- ---- signing in and out

--- Signs a user in. given: user, password, address (of the browser; wrong tries are
-- counted for it and for the user). Returns { login = the text for its cookie, csrf, user,
-- role }, or nil, message, code: "denied", or "too_many" and the milliseconds to wait.
function methods:sign_in(given)
  given = check_all(given, SIGN_IN, "sign_in", "user", "password")
  local from = { address = given.address, user = given.user }
  local ok, message, code, wait_ms = self:_knock(from)
  if not ok then
    return nil, message, code, wait_ms
  end
  local login
  login, message, code = self._store:login_open({ user = given.user, password = given.password },
    self._now_ms())
  if not login then
    return nil, message, code
  end
  self._store:welcome(from, self._now_ms())
  return login
end

--- Whose login a cookie's text is: { user, role, csrf, created_at, expires_at }; or nil,
-- message, "denied" if it is none, or over.
function methods:check_login(text)
  options.text(text, "check_login", "a login")
  local row, message, code = self._store:login_check(text, self._now_ms())
  if not row then
    return nil, message, code
  end
  return views.login(row)
end

--- Ends a login. Returns true, also if it was none; or nil, message, code.
function methods:sign_out(text, by)
  options.text(text, "sign_out", "a login")
  return self._store:login_end(text, actor.of(by), self._now_ms())
end

--- Gives the user who knows the present password another one; all its logins end. given:
-- user, password, new_password, address. Returns true, or as sign_in; "invalid" if the new
-- one breaks the rule.
function methods:change_password(given)
  given = check_all(given, CHANGE, "change_password", "user", "password", "new_password")
  local from = { address = given.address, user = given.user }
  local ok, message, code, wait_ms = self:_knock(from)
  if not ok then
    return nil, message, code, wait_ms
  end
  ok, message, code = self._store:password_check({ user = given.user, password = given.password })
  if not ok then
    return nil, message, code
  end
  self._store:welcome(from, self._now_ms())
  ok, message, code = self._store:user_set(given.user, { password = given.new_password },
    { who = "user:" .. given.user }, self._now_ms())
  if not ok then
    return nil, message, code
  end
  return true
end

-- ---- the first user

--- Whether there is no user yet: then a first-run token makes the first one. Or nil,
-- message, code.
function methods:needs_first_run()
  local list, message, code = self._store:users()
  if not list then
    return nil, message, code
  end
  return #list == 0
end

--- Makes a first-run token, good for a day. given: remove_users = true removes all users
-- first. Returns its text, or nil, message, code ("refused" if there are users).
function methods:make_first_run(given, by)
  given = options.check(given, RESET, "make_first_run")
  return self._store:first_run(given, actor.of(by), self._now_ms())
end

--- Makes the first user, an admin, and signs it in. given: token (that make_first_run
-- made), user, password, address. Returns as sign_in; also "refused" if there is a user
-- already, "invalid" if name or password break their rules.
function methods:first_run(given)
  given = check_all(given, FIRST_RUN, "first_run", "token", "user", "password")
  local from = { address = given.address }
  local ok, message, code, wait_ms = self:_knock(from)
  if not ok then
    return nil, message, code, wait_ms
  end
  ok, message, code = self._store:user_add({ user = given.user, password = given.password,
    role = "admin", first_run = given.token }, { who = "user:" .. given.user }, self._now_ms())
  if ok or code == "invalid" then
    self._store:welcome(from, self._now_ms())
  end
  if not ok then
    return nil, message, code
  end
  return self._store:login_open({ user = given.user, password = given.password }, self._now_ms())
end

return methods
