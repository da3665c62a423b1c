-- Who asks, and whether they may: a program by its token, a person by the console's
-- cookie. What is known of tokens, users and wrong tries is access's business.

local browser = require("loyalhook.api.browser")
local problem = require("loyalhook.api.problem")

local authenticate = {}

local COOKIE = "loyalhook_session"
local UNSAFE = { POST = true, PATCH = true, DELETE = true, PUT = true }

authenticate.cookie = COOKIE

--- The problem of too many wrong tries.
function authenticate.too_many(message, wait_ms)
  return problem.new("too_many", message,
    { headers = { ["Retry-After"] = math.max(1, math.ceil((wait_ms or 1000) / 1000)) } })
end

local function wrong_token(access, address)
  local ok, message, code, wait_ms = access:knock(address)
  if not ok and code == "too_many" then
    return authenticate.too_many(message, wait_ms)
  end
  return problem.new("unauthenticated", "this token is unknown or was revoked")
end

local function by_token(access, text, address)
  local token, message, code = access:check_token(text)
  if token then
    return { kind = "token", by = "token:" .. token.id, account = token.account,
      can_write = token.scope == "write", token = token }
  elseif code == "denied" then
    return wrong_token(access, address)
  end
  return problem.failed(message, code)
end

local function by_cookie(access, text)
  local login, message, code = access:check_login(text)
  if login then
    return { kind = "user", by = "user:" .. login.user, is_admin = login.role == "admin",
      can_write = login.role == "admin", login = login, login_text = text }
  elseif code == "denied" then
    return problem.new("unauthenticated", "the session is over; sign in again")
  end
  return problem.failed(message, code)
end

--- Who asks: { kind = "token" or "user", by (for the audit log), account (nil: all), can_write,
-- is_admin, token or login, login_text }, or false for nobody; or nil, problem. A token that is
-- sent counts, whatever cookie there is.
function authenticate.who(access, headers, address)
  local authorization = headers.authorization
  if authorization then
    local text = authorization:match("^[Bb][Ee][Aa][Rr][Ee][Rr] +([%w_-]+)$")
    if not text then
      return problem.new("unauthenticated", "Authorization: expected Bearer and an API token")
    end
    return by_token(access, text, address)
  end
  local cookie = browser.cookie(headers.cookie, COOKIE)
  if not cookie or cookie == "" then
    return false
  end
  return by_cookie(access, cookie)
end

-- A person's change must show that a page of ours made it.
local function check_page(who, request_headers)
  local ok, failure = browser.same_origin(request_headers)
  if not ok then
    return nil, failure
  end
  local sent = request_headers["x-csrf-token"]
  if not sent or not browser.equal(sent, who.login.csrf) then
    return problem.new("csrf", "X-CSRF-Token is not that of the session (GET /api/v1/session)")
  end
  return true
end

local NEEDS = {
  read = function(who)
    return who ~= false
  end,
  write = function(who)
    return who.can_write, who.kind == "token" and "this token reads only; it takes one that writes"
      or "a viewer reads only; it takes an admin"
  end,
  admin = function(who)
    return who.is_admin, who.kind == "token" and "no token does this: an admin does, signed in"
      or "a viewer reads only; it takes an admin"
  end,
  session = function(who)
    return who.kind == "user", "only a user who is signed in does this"
  end,
}

--- true if `who` may do what a route needs, or nil, problem. route: need, all_accounts.
function authenticate.allow(who, route, method, request_headers)
  if route.need == "none" and not who then
    if UNSAFE[method] then
      return browser.same_origin(request_headers)
    end
    return true
  elseif not who then
    return problem.new("unauthenticated",
      "send Authorization: Bearer with an API token, or sign in at /api/v1/session")
  end
  if who.kind == "user" and UNSAFE[method] then
    local ok, failure = check_page(who, request_headers)
    if not ok then
      return nil, failure
    end
  end
  local allowed, why = true, nil
  if route.need ~= "none" then
    allowed, why = NEEDS[route.need](who)
  end
  if not allowed then
    return problem.new("forbidden", why)
  elseif route.all_accounts and who.account then
    return problem.new("forbidden",
      ("this is of no account; the token is of account %s only"):format(who.account))
  end
  return true
end

return authenticate
