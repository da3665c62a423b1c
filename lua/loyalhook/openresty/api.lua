-- The HTTP API inside nginx: a request is read here and answered in a thread of
-- nginx's pool, where the store may block (thread.lua). Requests share nothing, so each
-- is a task of its own. What takes long, because an endpoint or a mail server is asked,
-- and what hashes passwords have queues and pools of their own and hold up nobody else.

local answers = require("loyalhook.api.answers")
local note = require("loyalhook.openresty.note")
local problem = require("loyalhook.api.problem")
local queue = require("loyalhook.openresty.queue")
local request = require("loyalhook.openresty.request")

local api = {}

local Api = { __name = "loyalhook.openresty.api" }
Api.__index = Api

local BODY_BYTES_MAX = 16 * 1024 * 1024 + 1024 -- as nginx's: the API says what is too large for it
local QUICK = { threads = "loyalhook_api", flights_max = 4, waiting_max = 200, wait_s = 25 }
-- A test waits for an endpoint as long as its timeout_ms says: 5 min at most.
local SLOW = { threads = "loyalhook_slow", flights_max = 4, waiting_max = 50, wait_s = 310 }
local PASSWORDS = { threads = "loyalhook_passwords", flights_max = 2, waiting_max = 50,
  wait_s = 25 }
-- Whose requests that change something go another way than the quick one.
local LANES = { ["^/api/v1/webhooks/[^/]+/test$"] = "_slow", ["^/api/v1/notices/"] = "_slow",
  ["^/api/v1/session"] = "_passwords", ["^/api/v1/users"] = "_passwords" }
local UNKNOWN = "; nobody knows whether it was done: look, or send it again (events with the same"
  .. " idempotency key)"
-- Headers that the API looks at.
local WANTED = { "accept", "authorization", "content-encoding", "content-type", "cookie", "host",
  "if-match", "if-none-match", "idempotency-key", "origin", "sec-fetch-site", "x-csrf-token" }

local made = 0

local function queue_of(settings, form, write)
  return queue.new({ method = "api", settings = settings, log = note.braked(write), items_max = 1,
    threads = form.threads, flights_max = form.flights_max, waiting_max = form.waiting_max,
    wait_s = form.wait_s })
end

--- An API, made in init_by_lua. given, all plain data: sender (options of sender.open), hosts,
-- secure, metrics_public, shown (settings: account, webhooks_max, notices, …). nginx needs the
-- thread pools loyalhook_api, loyalhook_slow and loyalhook_passwords. No store is opened here.
function api.new(given)
  made = made + 1
  local settings = { number = made, sender = given.sender, hosts = given.hosts,
    secure = given.secure, metrics_public = given.metrics_public, shown = given.shown or {},
    body_bytes_max = BODY_BYTES_MAX }
  local write = given.log or note.write
  return setmetatable({ _log = write, _quick = queue_of(settings, QUICK, write),
    _slow = queue_of(settings, SLOW, write),
    _passwords = queue_of(settings, PASSWORDS, write) }, Api)
end

-- The headers that are looked at, by their names in lower case; or nil, problem. Names are compared
-- as they came: x_csrf_token is another header.
local function headers_of()
  local given, outcome = request.headers()
  if not given then
    return problem.new("invalid", outcome.message)
  end
  local headers, wanted = {}, {}
  for _, name in ipairs(WANTED) do
    wanted[name] = true
  end
  for name, value in pairs(given) do
    local lower = name:lower()
    if wanted[lower] then
      local list = headers[lower] or {}
      for _, text in ipairs(type(value) == "table" and value or { value }) do
        list[#list + 1] = type(text) == "string" and text or ""
      end
      headers[lower] = list
    end
  end
  for name, list in pairs(headers) do
    headers[name] = #list == 1 and list[1] or list
  end
  return headers
end

-- Path and query exactly as they came: what nginx makes of a path is not what we match.
local function target()
  local uri = ngx.var.request_uri:gsub("^%a[%w+.-]*://[^/?]*", "")
  local path, query = uri:match("^([^?]*)%??(.*)$")
  return path, query
end

-- The request as api:handle takes it, and about how large it is; or nil, problem.
local function read()
  local headers, failure = headers_of()
  if not headers then
    return nil, failure
  end
  local path, query = target()
  local body, file, outcome = request.body()
  if outcome then
    return problem.new("invalid", outcome.message)
  end
  return { method = ngx.req.get_method(), path = path, query = query, headers = headers,
    body = body, file = file, remote = ngx.var.remote_addr, secure = ngx.var.scheme == "https" },
    (body and #body or request.received()) + 1000
end

local function lane_of(self, item)
  for pattern, lane in pairs(item.method ~= "GET" and LANES or {}) do
    if item.path:find(pattern) then
      return self[lane]
    end
  end
  return self._quick
end

-- The response to the request at hand.
local function response_of(self)
  local item, bytes_or_problem = read()
  if not item then
    return answers.response(answers.problem(bytes_or_problem))
  end
  local result, message, code = lane_of(self, item):submit(item, bytes_or_problem)
  if result and result.status then
    return result
  elseif result then
    message, code = result.message, result.code
    self._log("error", "the store of the API cannot be opened", { code = code, error = message })
    message = "the store cannot be used now; the log says why"
  elseif code == "timeout" then
    message = message .. UNKNOWN
  end
  local _, failure = problem.new(code, message, { status = 503 })
  return answers.response(answers.problem(failure), item.method)
end

-- nginx would judge these itself by the ETag of our answer, after the change was made.
local CONDITIONS = { "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since" }

local function say(response)
  for _, name in ipairs(CONDITIONS) do
    ngx.req.clear_header(name)
  end
  ngx.status = response.status
  for name, value in pairs(response.headers) do
    ngx.header[name] = value
  end
  ngx.print(response.body)
end

--- A content handler: answers the request at hand.
function Api:answer()
  local response = response_of(self)
  for _, said in ipairs(response.notes or {}) do
    self._log(said.level, said.message, said.fields)
  end
  say(response)
end

--- A content handler that says that nginx lives, and asks nobody.
function api.alive()
  local method = ngx.req.get_method()
  local allow = { Allow = "GET, HEAD, OPTIONS" }
  local reply = { status = 200, value = { status = "ok" } }
  if method == "OPTIONS" then
    reply = { status = 204, headers = allow }
  elseif method ~= "GET" and method ~= "HEAD" then
    reply = answers.problem(select(2, problem.new("method", "this path has other methods",
      { headers = allow })))
  end
  say(answers.response(reply, method))
end

return api
