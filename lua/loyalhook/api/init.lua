-- The HTTP API as a function: a request goes in, a response comes out. What there is
-- stands in docs/openapi.yaml; who answers what in routes.lua. Nothing here knows a web
-- server: openresty/api.lua is one way to serve it.
--
-- request: method, path, query (text), headers (lower-case name → text, or a list if it
-- came more than once), body (text), remote (address), secure (it came over TLS).
-- response: status, headers (name → text or number), body (text), code (of a problem).

local Call = require("loyalhook.api.call")
local answers = require("loyalhook.api.answers")
local authenticate = require("loyalhook.api.authenticate")
local browser = require("loyalhook.api.browser")
local core = require("loyalhook.core")
local log = require("loyalhook.log")
local options = require("loyalhook.options")
local parse = require("loyalhook.api.parse")
local problem = require("loyalhook.api.problem")
local routes = require("loyalhook.api.routes")

local api = {}

local Api = { __name = "loyalhook.api" }
Api.__index = Api

local BODY_BYTES_MAX = 65536

local NEW = { sender = "table", receiver = "table", access = "table", hosts = "table",
  secure = "boolean", metrics_public = "boolean", settings = "table", test_mail = "function",
  log = "function" }

--- An API. given: sender, access; receiver (for the inbox; without it nothing was received), hosts
-- = { names beside the loopback's that are answered }, secure = true if all requests come over TLS
-- (to a server in front), metrics_public, settings (checked, of config.load; shown in part),
-- test_mail = function(to) → { verdict, … } | nil, message, code; log = function(level, message,
-- fields).
function api.new(given)
  given = options.check(given, NEW, "api.new")
  return setmetatable({ sender = given.sender, receiver = given.receiver, access = given.access,
    settings = given.settings or {}, test_mail = given.test_mail, secure = given.secure or false,
    metrics_public = given.metrics_public or false, _hosts = browser.hosts(given.hosts),
    _log = given.log or log.writer(), _paths = routes.load() }, Api)
end

local MEDIA = { ["application/json"] = true, ["application/merge-patch+json"] = true }

-- The headers that are looked at, each as one text; or nil, problem.
local WANTED = { "accept", "authorization", "content-encoding", "content-type", "cookie", "host",
  "if-match", "if-none-match", "idempotency-key", "origin", "sec-fetch-site", "x-csrf-token" }

local function single_headers(given)
  local headers = {}
  for _, name in ipairs(WANTED) do
    local value = given[name]
    if type(value) == "table" then
      if name == "cookie" or name == "accept" then
        value = table.concat(value, name == "cookie" and "; " or ", ")
      elseif #value > 1 then
        return problem.new("invalid", name .. ": this header is given more than once")
      else
        value = value[1]
      end
    end
    headers[name] = value
  end
  return headers
end

-- Whether an Accept header takes what a route answers.
local function accepts(accept, route)
  if not accept then
    return true
  end
  local wanted = route.media or "application/json"
  local family = wanted:match("^[^/]+")
  for part in accept:gmatch("[^,]+") do
    local range, rest = part:match("^%s*([^;%s]+)(.*)$")
    local refused = rest and rest:find(";%s*[qQ]%s*=%s*0%.?0*%s*$")
    range = range and range:lower()
    if not refused and (range == "*/*" or range == family .. "/*" or range == wanted
        or range == "application/problem+json") then
      return true
    end
  end
  return false
end

-- true, or nil, problem: may this body be read at all?
local function check_body(route, method, headers, body)
  local limit = route.body_bytes_max or BODY_BYTES_MAX
  local encoding, kind = headers["content-encoding"], headers["content-type"]
  if #body > limit then
    return problem.new("too_large", ("the body is larger than %d bytes"):format(limit))
  elseif encoding and encoding ~= "" and encoding:lower() ~= "identity" then
    return problem.new("media_type", "Content-Encoding: only identity is taken")
  elseif body == "" then
    return true
  elseif not route.body or method == "GET" then
    return problem.new("invalid", "this takes no body")
  end
  kind = kind and kind:lower()
  local media = kind and kind:match("^%s*([^;%s]+)")
  local charset = kind and kind:match("charset%s*=%s*\"?([%w-]+)")
  if not MEDIA[media or ""] or charset and charset ~= "utf-8" then
    return problem.new("media_type", "Content-Type: expected application/json")
  end
  return true
end

-- The checked parts of a request, or nil, problem.
local function read(self, route, request, who)
  local call = Call.new(self, request, who)
  local failure
  call.query, failure = parse.query(request.query, route.query or {})
  if not call.query then
    return nil, failure
  end
  local ok
  ok, failure = check_body(route, request.method, request.headers, request.body)
  if not ok then
    return nil, failure
  end
  if type(route.body) == "table" then
    call.body, failure = parse.body(request.body, route.body)
    if not call.body then
      return nil, failure
    end
  end
  return call
end

-- Who asks, as far as the route wants to know: false, or nil, problem.
local function who_asks(self, route, request)
  if route.anonymous or not self.access then
    return false
  end
  local who, failure = authenticate.who(self.access, request.headers, request.remote)
  if who == nil and route.need == "none" and not request.headers.authorization
      and failure.code == "unauthenticated" then
    return false
  end
  return who, failure
end

local function run(self, route, request)
  local who, failure = who_asks(self, route, request)
  if who == nil then
    return nil, failure
  end
  local open = route.is_open and route.is_open(self)
  local ok = true
  if not open then
    ok, failure = authenticate.allow(who, route, request.method, request.headers)
  end
  if not ok then
    return nil, failure
  end
  local call
  call, failure = read(self, route, request, who)
  if not call then
    return nil, failure
  end
  return route.run(call)
end

-- The reply of a request: { status, value or text, headers }, or nil, problem.
local function reply_to(self, request)
  local headers, failure = single_headers(request.headers)
  if not headers then
    return nil, failure
  end
  request = setmetatable({ headers = headers, body = request.body or "",
    remote = browser.neighbourhood(request.remote or "") }, { __index = request })
  local entry, captured = routes.find(self._paths, request.path)
  request.captured = captured
  local route = entry and entry.methods[request.method == "HEAD" and "GET" or request.method]
  local is_health = entry and entry.path:find("^/healthz")
  -- A token is proof enough, but only where it is looked at.
  local has_token = headers.authorization and not (route and route.anonymous)
  if not is_health and not has_token and not browser.knows(self._hosts, headers.host) then
    return problem.new("host", "the server does not answer under this name (Host): name it in the "
      .. "setting public_url")
  elseif not entry then
    return problem.new("not_found", "there is no such path; docs/openapi.yaml has them all")
  elseif request.method == "OPTIONS" then
    return { status = 204, headers = { Allow = routes.allow(entry) } }
  end
  if not route then
    return problem.new("method", "this path has other methods, see Allow",
      { headers = { Allow = routes.allow(entry) } })
  elseif not accepts(headers.accept, route) then
    return problem.new("not_acceptable", ("Accept: this is answered as %s"):format(
      route.media or "application/json"))
  end
  return run(self, route, request)
end

-- What is known of a failure of the program, for the log only.
local function traced(message)
  return debug.traceback(tostring(message), 2)
end

local function answer(self, request)
  local reply, failure = reply_to(self, request)
  return answers.response(reply or answers.problem(failure), request.method)
end

--- Answers a request; see the head of this file. Never raises.
function Api:handle(request)
  local ok, response = xpcall(function()
    return answer(self, request)
  end, traced)
  if ok then
    return response
  end
  local number = core.id()
  self._log("error", "a request could not be handled: this is a bug", { problem = response,
    number = number })
  local _, failure = problem.new("internal", "a bug in loyalhook; its log has it as " .. number)
  return answers.response(answers.problem(failure), request.method)
end

return api
