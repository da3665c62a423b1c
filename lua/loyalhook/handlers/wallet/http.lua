-- Store credit at any HTTP API: method, URL, headers and body are templates over the event. Whether
-- a request that ended unknown may be made again is the API's nature, so the settings say it:
--
--  * idempotency_header: the API knows a repeated key; whatever ended unknown is tried again;
--  * lookup: the API can be asked whether a credit with this key exists; it is asked before every
--    try but the first;
--  * neither: a request that may have arrived is not made again; its task fails for a person to
--    decide (when_unknown = "fail").
--
-- docs/guide/handler-wallet-http.md has the table of crash and timeout points.

local answers = require("loyalhook.handlers.answers")
local bodies = require("loyalhook.handlers.wallet.bodies")
local credits = require("loyalhook.handlers.wallet.credits")
local lookups = require("loyalhook.handlers.wallet.lookups")
local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local secret_file = require("loyalhook.secret_file")
local urls = require("loyalhook.handlers.urls")

local http = {}

local WHERE = "wallet.http"
local METHODS = { POST = true, PUT = true, PATCH = true }
local KNOWN = policy.known({ method = "string", url = "string", headers = "table",
  secret_headers = "table", body = "string", content_type = "string", credits = "table",
  success = "table", retry_statuses = "table", idempotency_header = "string", lookup = "table",
  decimals = "number", api_name = "string" })

-- Headers whose values stand in files: name → path, or { prefix = "Bearer ", file = path }.
local function check_secrets(given)
  local list = {}
  for name, source in pairs(given or {}) do
    local path = type(source) == "table" and source.file or source
    local prefix = type(source) == "table" and source.prefix or ""
    if type(name) ~= "string" or not name:find("^[%w-]+$") or type(path) ~= "string"
      or type(prefix) ~= "string" or prefix:find("%c") then
      return nil, ('%s.secret_headers: expected name = "file", or name = { prefix = "Bearer ", '
        .. 'file = "…" }'):format(WHERE), "config"
    end
    list[#list + 1] = { name = name, path = path, prefix = prefix }
  end
  return list
end

-- Returns those that were added, or nil, message.
local function add_secrets(list, headers)
  local added = {}
  for _, entry in ipairs(list) do
    local text, problem = secret_file.read(entry.path)
    if text and text:find("%c") then
      text, problem = nil, entry.path .. ": expected one line with the secret"
    end
    if not text then
      return nil, ("%s.secret_headers.%s: %s"):format(WHERE, entry.name, problem)
    end
    headers[entry.name] = entry.prefix .. text
    added[#added + 1] = text
  end
  return added
end

local function status_set(list, name, default)
  local set = {}
  for _, status in ipairs(list or default) do
    if type(status) ~= "number" or status < 200 or status > 599 then
      return nil, ("%s.%s: expected a list of statuses"):format(WHERE, name), "config"
    end
    set[status] = true
  end
  return set
end

-- 360 → "3.60" with two decimals.
local function decimal_text(amount, decimals)
  local digits = ("%d"):format(amount)
  if decimals == 0 then
    return digits
  end
  digits = ("0"):rep(decimals + 1 - #digits) .. digits
  return digits:sub(1, -decimals - 1) .. "." .. digits:sub(-decimals)
end

local function request_of(self, data, context)
  local url, message = urls.fill(self.url, data)
  local headers, body = {}, nil
  if url then
    headers, message = bodies.fill_headers(self.headers, data)
  end
  if url and headers then
    body, message = self.body:render(data, self.escape)
  end
  if not body then
    return nil, message
  end
  headers["Content-Type"] = self.content_type
  if self.idempotency_header then
    headers[self.idempotency_header] = context.idempotency_key
  end
  return { method = self.method, url = url, headers = headers, body = body }
end

local function call(self, context, request)
  local added, problem = add_secrets(self.secrets, request.headers)
  if not added then
    return nil, problem
  end
  return answers.ask(context, request, added)
end

-- An answer that is no success. Without a guard, a 5xx may stand for a credit that was made.
local function refusal(self, answer)
  local kind = "fail"
  if self.retry_statuses[answer.status] or self.is_guarded and answers.passes(answer.status) then
    kind = "retry"
  elseif answer.status == 401 or answer.status == 403 then
    kind = "retry" -- not let in, so nothing happened; a person mends it
  end
  local text = answers.sentence(self.api_name, answer)
  if answer.status >= 500 and kind == "fail" then
    text = text .. " (whether it was credited is unknown)"
  end
  return nil, text, kind
end

local function credit(self, context, request)
  local answer, message, code = call(self, context, request)
  if not answer then
    return answers.none(self.api_name, message, code)
  elseif self.success[answer.status] then
    return true
  end
  return refusal(self, answer)
end

local function handle(self, _, context, data, amount)
  data.key = context.idempotency_key
  data.amount, data.amount_decimal = amount, decimal_text(amount, self.decimals)
  local request, problem = request_of(self, data, context)
  if not request then
    return nil, problem, "fail"
  end
  if self.lookup and context.attempt > 1 then
    local found, message, kind = lookups.ask(self.lookup, data, function(question)
      return call(self, context, question)
    end)
    if found or found == nil then
      return found, message, kind
    end
  end
  return credit(self, context, request)
end

local function check_words(given)
  local decimals = given.decimals or 2
  if given.method and not METHODS[given.method] then
    return nil, WHERE .. ".method: expected POST, PUT or PATCH", "config"
  elseif type(given.url) ~= "string" or type(given.body) ~= "string" then
    return nil, WHERE .. ": url and body: expected templates", "config"
  elseif decimals < 0 or decimals > 4 or decimals ~= math.floor(decimals) then
    return nil, WHERE .. ".decimals: expected 0 to 4", "config"
  elseif given.idempotency_header and not given.idempotency_header:find("^[%w-]+$") then
    return nil, WHERE .. ".idempotency_header: expected the name of a header", "config"
  end
  return true
end

-- Reads the templates into self. Returns true, or nil, message, "config".
local function read_templates(self, given)
  local message, code
  self.url, message, code = urls.template(given.url, WHERE .. ".url")
  if self.url then
    self.headers, message, code = bodies.headers(given.headers, WHERE .. ".headers")
  end
  if self.url and self.headers then
    self.body, message, code = bodies.template(given.body, self.content_type, WHERE .. ".body")
    self.escape = message
  end
  if not self.body then
    return nil, message, code
  end
  if given.lookup then
    self.lookup, message, code = lookups.check(given.lookup, WHERE .. ".lookup")
  end
  return (self.lookup or not given.lookup) or nil, message, code
end

local function read_lists(self, given)
  local ok, types, message, code
  self.credits, types, code = credits.check(given.credits, WHERE .. ".credits")
  if not self.credits then
    return nil, types, code
  end
  self.secrets, message, code = check_secrets(given.secret_headers)
  if self.secrets then
    ok, message = add_secrets(self.secrets, {}) -- a wrong path is told now, not at the first credit
    code = "config"
  end
  if ok then
    self.success, message, code = status_set(given.success, "success", { 200, 201, 204 })
  end
  if self.success then
    self.retry_statuses, message, code = status_set(given.retry_statuses, "retry_statuses", { 429 })
  end
  if not self.retry_statuses then
    return nil, message, code
  end
  return types
end

local function settings_of(given)
  local self = { method = given.method or "POST", decimals = given.decimals or 2,
    content_type = given.content_type or "application/json",
    idempotency_header = given.idempotency_header, api_name = given.api_name or "the wallet" }
  local ok, message, code = check_words(given)
  if ok then
    ok, message, code = read_templates(self, given)
  end
  local types
  if ok then
    types, message, code = read_lists(self, given)
  end
  if not types then
    return nil, message, code
  end
  self.is_guarded = (given.idempotency_header or given.lookup or given.when_unknown == "retry")
    and true or false
  return self, types
end

--- A handler. given: credits (event type → rule, see credits.lua); method ("POST"), url, headers,
-- body (templates over the event, with {{amount}}, {{amount_decimal}}, {{key}}), content_type
-- ("application/json"); secret_headers (name → file); success ({ 200, 201, 204 });
-- idempotency_header; lookup (see lookups.lua); retry_statuses ({ 429 }); decimals (2); api_name
-- (for messages); and the options of every handler. Returns it, or nil, message, "config".
function http.new(given)
  given = options.check(given, KNOWN, "wallet.http.new")
  local self, types, code = settings_of(given)
  if not self then
    return nil, types, code
  end
  self.when_unknown = self.is_guarded and "retry" or "fail"
  return credits.handler(WHERE, self, types, handle, given)
end

return http
