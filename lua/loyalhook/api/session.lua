-- /session: signing in to the console and out again.

local authenticate = require("loyalhook.api.authenticate")
local browser = require("loyalhook.api.browser")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local PASSWORD = kinds.any(1024)
local FIELDS = { "user", "role", "csrf", "expires_at" }
local TOKEN = { "id", "name", "account", "scope" }

local function shown(login, token, first_run)
  local view = render.pick(login or {}, FIELDS)
  view.token = token and render.pick(token, TOKEN) or json.null
  view.first_run = first_run or false
  return view
end

local function get(call)
  local who = call.who or {}
  if call.who then
    return call:ok(shown(who.login, who.token))
  end
  local first_run, message, code = call.access:needs_first_run()
  if first_run == nil then
    return call:failed(message, code)
  end
  return call:ok(shown(nil, nil, first_run))
end

local function cookie(call, value)
  return browser.set_cookie(authenticate.cookie, value, call.api.secure or call.request.secure)
end

-- nil, problem for a name or password that is wrong, or was wrong too often. The log has no name:
-- people type passwords as names.
local function denied(call, message, code, wait_ms)
  if code == "too_many" then
    return authenticate.too_many(message, wait_ms)
  elseif code == "denied" then
    call.api._log("warn", "somebody could not sign in", { address = call.request.remote })
  end
  return call:failed(message, code)
end

local function sign_in(call)
  local given, address = call.body, call.request.remote
  local login, message, code, wait_ms
  if given.first_run_token then
    login, message, code, wait_ms = call.access:first_run({ token = given.first_run_token,
      user = given.user, password = given.password, address = address })
  else
    login, message, code, wait_ms = call.access:sign_in({ user = given.user,
      password = given.password, address = address })
  end
  if not login then
    return denied(call, message, code, wait_ms)
  end
  local expires_at = (call.access:check_login(login.login) or {}).expires_at
  return { status = 201, headers = { ["Set-Cookie"] = cookie(call, login.login) },
    value = shown({ user = login.user, role = login.role, csrf = login.csrf,
      expires_at = expires_at }) }
end

local function sign_out(call)
  if call.who and call.who.kind == "user" then
    local done, message, code = call.access:sign_out(call.who.login_text, call.by)
    if not done then
      return call:failed(message, code)
    end
  end
  return { status = 204, headers = { ["Set-Cookie"] = cookie(call, nil) } }
end

local function change_password(call)
  local done, message, code, wait_ms = call.access:change_password({ user = call.who.login.user,
    password = call.body.password, new_password = call.body.new_password,
    address = call.request.remote })
  if not done and code == "denied" then
    return problem.values({ { field = "password", code = "invalid", detail = "this is not it" } })
  elseif not done then
    return denied(call, message, code, wait_ms)
  end
  return { status = 204, headers = { ["Set-Cookie"] = cookie(call, nil) } }
end

return {
  { "GET", "/session", need = "none", run = get },
  { "POST", "/session", need = "none", anonymous = true, run = sign_in, body = kinds.object({
    user = kinds.user, password = PASSWORD, first_run_token = kinds.any(100) },
    { "user", "password" }) },
  { "DELETE", "/session", need = "none", run = sign_out },
  { "POST", "/session/password", need = "session", run = change_password,
    body = kinds.object({ password = PASSWORD, new_password = PASSWORD },
      { "password", "new_password" }) },
}
