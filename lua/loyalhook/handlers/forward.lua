-- Posts each event on to another URL, signed like a webhook of ours: an envelope with one event,
-- its data the bytes that came. request_id is made of the event and this handler, so it stays over
-- retries and a receiver can tell a repetition. As with webhooks everything but a success is tried
-- again.

local answers = require("loyalhook.handlers.answers")
local core = require("loyalhook.core")
local json = require("loyalhook.json")
local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local secret = require("loyalhook.handlers.secret")
local signature = require("loyalhook.signature")
local time = require("loyalhook.time")

local forward = {}

local WHERE = "forward"
local KNOWN = policy.known({ url = "string", secret = "string", secret_file = "string",
  scheme = "string", success = "string", headers = "table", timeout_ms = "number" })
local TIMEOUT_MS_MIN, TIMEOUT_MS_MAX = 100, 300000

-- As the core writes one; ids that are not ours may have any form, so it is written here.
local function envelope(event, request_id)
  return ('{"request_id":"%s","total_count":"1","created_date":"%s","events":[{"id":%s,'
    .. '"event_type":%s,"data":%s}]}'):format(request_id, time.wire(event.received_ms),
    json.encode(event.id), json.encode(event.event_type), event.data_json)
end

local function signed(self, body, request_id)
  local key, message = secret.read(self.secret)
  if not key then
    return nil, message
  end
  local headers, problem = signature.headers({ secret = key, body = body, scheme = self.scheme,
    id = self.scheme == "standard" and request_id or nil })
  if not headers then
    return nil, WHERE .. ".secret: " .. problem
  end
  for name, value in pairs(self.headers) do
    headers[name] = value
  end
  return headers
end

local function handle(self, event, context)
  local request_id = core.hmac("sha256", WHERE, context.idempotency_key):sub(1, 24)
  local body = envelope(event, request_id)
  local headers, problem = signed(self, body, request_id)
  if not headers then
    return nil, problem, "retry"
  end
  local answer, message, code = answers.ask(context, { method = "POST", url = self.url,
    headers = headers, body = body, timeout_ms = self.timeout_ms, answer_bytes_max = 65536 },
    self.secrets)
  if not answer then
    return answers.none(WHERE, message, code)
  elseif answer.status == 200 or self.success == "2xx" and answer.status >= 200
    and answer.status < 300 then
    return true
  end
  return nil, answers.sentence("the receiver", answer), "retry"
end

local function check_headers(given)
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" or not name:find("^[%w-]+$") or type(value) ~= "string"
      or value:find("%c") then
      return nil, WHERE .. '.headers: expected a table name = "text on one line"', "config"
    end
  end
  return given or {}
end

-- What lets us in stands in a header's value, maybe behind a word such as Bearer.
local function secrets_in(headers)
  local list = {}
  for _, value in pairs(headers) do
    list[#list + 1] = value
    list[#list + 1] = value:match("^%a+ +(.+)$")
  end
  return list
end

local function settings_of(given)
  local timeout_ms = given.timeout_ms or 30000
  if not (given.url or ""):find("^https?://[^%s%c]+$") then
    return nil, WHERE .. ".url: expected https://…", "config"
  elseif given.url:find("^%w+://[^/?#]*@") then
    return nil, WHERE .. ".url: a user name or password in it is not sent; use headers", "config"
  elseif given.scheme and given.scheme ~= "zinrelo" and given.scheme ~= "standard" then
    return nil, WHERE .. ".scheme: expected zinrelo or standard", "config"
  elseif given.success and given.success ~= "200" and given.success ~= "2xx" then
    return nil, WHERE .. ".success: expected 200 or 2xx", "config"
  elseif timeout_ms < TIMEOUT_MS_MIN or timeout_ms > TIMEOUT_MS_MAX then
    return nil, ("%s.timeout_ms: expected %d to %d"):format(WHERE, TIMEOUT_MS_MIN, TIMEOUT_MS_MAX),
      "config"
  end
  local trial = given.secret and { signature.sign({ secret = given.secret, body = "",
    scheme = given.scheme, id = given.scheme == "standard" and "trial" or nil }) }
  if trial and not trial[1] then
    return nil, WHERE .. ".secret: " .. trial[2], "config"
  end
  local self = { url = given.url, scheme = given.scheme or "zinrelo", success = given.success,
    timeout_ms = timeout_ms }
  local message, code
  self.secret, message, code = secret.check(given, "secret", WHERE)
  if self.secret then
    self.headers, message, code = check_headers(given.headers)
  end
  if not self.headers then
    return nil, message, code
  end
  self.secrets = secrets_in(self.headers)
  return self
end

--- A handler. given: url; secret or secret_file; scheme ("zinrelo" or "standard"); success ("200"
-- or "2xx"); headers (name → text); timeout_ms (30000); and the options of every handler
-- (event_types is { "*" }). Returns it, or nil, message, "config".
function forward.new(given)
  given = options.check(given, KNOWN, "forward.new")
  local self, message, code = settings_of(given)
  if not self then
    return nil, message, code
  end
  return policy.apply({ name = WHERE, event_types = { "*" }, when_unknown = "retry",
    handle = function(event, context)
      return handle(self, event, context)
    end }, given)
end

return forward
