-- Keeps the contacts of a HubSpot account: each event of a member becomes an upsert of its contact,
-- by e-mail address or by a property with unique values. HubSpot's batch endpoint is the only one
-- that creates or updates in one step, so a single event is a batch of one; where several wait, up
-- to 100 go together. An upsert repeated is the same upsert, so whatever ended unknown is tried
-- again. docs/guide/handler-hubspot.md has the set-up, mapping.lua says how fields are chosen.

local answers = require("loyalhook.handlers.answers")
local contact = require("loyalhook.handlers.crm.contact")
local json = require("loyalhook.json")
local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local secret = require("loyalhook.handlers.secret")
local urls = require("loyalhook.handlers.urls")

local hubspot = {}

local WHERE = "crm.hubspot"
local BATCH_MAX = 100 -- inputs that the endpoint takes
local CONCURRENCY = 200 -- tasks, not requests: two full batches at once
local REQUESTS_MAX = 40 -- in search of the bad contacts of one batch
local STATUSES = { CONFLICT = 409, RATE_LIMITS = 429 } -- of errors in a 207
local MIGRATING = 477 -- HubSpot moves the account to another data centre
local KINDS = { token = "string", token_file = "string", url = "string", api_version = "string",
  id_property = "string", batch_max = "number" }
local KNOWN = policy.known(contact.KINDS, KINDS)

-- The loyalty_… ones have to be created first; the page says how.
local DEFAULTS = { id_from = "member_info.email_address", mapping = {
  email = "member_info.email_address",
  firstname = "member_info.first_name",
  lastname = "member_info.last_name",
  phone = "member_info.phone_number",
  address = "member_info.address.line1",
  city = "member_info.address.city",
  state = "member_info.address.state",
  zip = "member_info.address.postal_code",
  country = "member_info.address.country",
  loyalty_member_id = "member_info.member_id",
  loyalty_points = { from = "member_info.available_points", as = "number" },
  loyalty_points_earned = { from = "member_info.lifetime_points_earned", as = "number" },
  loyalty_points_redeemed = { from = "member_info.lifetime_points_redeemed", as = "number" },
  loyalty_tier = "member_info.tier_info.loyalty_tier_name",
  loyalty_status = "member_info.member_status",
} }

-- Inputs for HubSpot, one a contact: events of the same contact become one input, later ones
-- winning. HubSpot refuses a batch that names a contact twice.
local function inputs_of(self, events, context, results)
  local inputs, by_id = {}, {}
  for index, event in ipairs(events) do
    local id, properties = contact.of(self.contact, event, context)
    if not id then
      results[index] = properties
    else
      local key = self.id_property == "email" and id:lower() or id
      local input = by_id[key]
      if not input then
        input = { id = id, properties = {}, events = {}, trace = ("%d.%s"):format(index, event.id) }
        by_id[key], inputs[#inputs + 1] = input, input
      end
      for name, value in pairs(properties) do
        input.properties[name] = value
      end
      input.events[#input.events + 1] = index
    end
  end
  return inputs
end

-- A result is true, or { message, kind }.
local function settle(results, inputs, result)
  for _, input in ipairs(inputs) do
    for _, index in ipairs(input.events) do
      results[index] = result
    end
  end
end

local function body_of(self, inputs)
  local list = {}
  for index, input in ipairs(inputs) do
    list[index] = { id = input.id, idProperty = self.id_property, properties = input.properties,
      objectWriteTraceId = input.trace }
  end
  return json.encode({ inputs = list })
end

local function post(self, inputs, context)
  local token, problem = secret.read(self.token)
  local body, wrong = body_of(self, inputs)
  if not token or not body then
    return nil, problem or wrong, not body and "invalid" or nil
  end
  return answers.ask(context, { method = "POST", url = self.url, body = body,
    headers = { ["Content-Type"] = "application/json", Authorization = "Bearer " .. token } },
    { token })
end

-- HubSpot's own words for an error; its policy too when a rate limit was hit.
local function detail_of(report)
  local detail = type(report) == "table" and report.message
  if type(detail) ~= "string" then
    return nil
  end
  local word = report.policyName or report.category
  return (type(word) == "string" and word .. ": " or "") .. detail
end

-- The trace ids that an error of a 207 names.
local function traces_of(report)
  local about = report.context
  local traces = type(about) == "table" and about.objectWriteTraceId
  return type(traces) == "table" and traces or { traces or nil }
end

local function tables_in(list)
  local tables = {}
  for _, entry in ipairs(type(list) == "table" and list or {}) do
    tables[#tables + 1] = type(entry) == "table" and entry or nil
  end
  return tables
end

-- The inputs that the errors of a 207 name, each settled. Returns them as a set: several errors may
-- be about one.
local function settle_errors(results, errors, by_trace, secrets)
  local named = {}
  for _, one in ipairs(errors) do
    local status = STATUSES[one.category] or tonumber(one.status) or 400
    local result = { kind = answers.kind(status),
      message = answers.sentence("HubSpot", { status = status, secrets = secrets },
        detail_of(one)) }
    for _, trace in ipairs(traces_of(one)) do
      settle(results, { by_trace[trace] }, result)
      named[by_trace[trace] or false] = true
    end
  end
  named[false] = nil
  return named
end

-- The inputs that a result names, each settled. Adds them to those that are named, and returns how
-- many inputs the answer speaks of in all; a result that names none is one more.
local function settle_good(results, good, by_trace, named)
  local count = 0
  for _, one in ipairs(good) do
    local input = by_trace[one.objectWriteTraceId or false]
    settle(results, { input }, true)
    named[input or false] = true
    count = count + (input and 0 or 1)
  end
  named[false] = nil
  for _ in pairs(named) do
    count = count + 1
  end
  return count
end

-- A 207: what became of each input. Successes need not repeat the trace id: where the numbers add
-- up, what no error names is done. Anything else that is not spoken of is sent again, harmlessly.
local function settle_each(results, inputs, answer)
  local report, by_trace = answers.json(answer) or {}, {}
  for _, input in ipairs(inputs) do
    by_trace[input.trace] = input
  end
  local good, bad = tables_in(report.results), tables_in(report.errors)
  local count = settle_good({}, good, by_trace, settle_errors({}, bad, by_trace))
  settle(results, inputs, #good > 0 and count == #inputs or
    { message = "HubSpot did not say what became of the contact", kind = "retry" })
  settle_good(results, good, by_trace, {})
  settle_errors(results, bad, by_trace, answer.secrets)
end

local upsert -- below

-- One bad contact must not fail the others: a refused batch is tried again in halves, until a few
-- dozen requests have been made of it; what is left then is tried again later.
local function halve(self, inputs, context, results)
  local middle = math.floor(#inputs / 2)
  local halves = { {}, {} }
  for index, input in ipairs(inputs) do
    local half = halves[index <= middle and 1 or 2]
    half[#half + 1] = input
  end
  upsert(self, halves[1], context, results)
  upsert(self, halves[2], context, results)
end

upsert = function(self, inputs, context, results)
  results.requests = (results.requests or 0) + 1
  local answer, message, code = post(self, inputs, context)
  if not answer then
    local _, sentence, kind = answers.none("HubSpot", message, code)
    settle(results, inputs, { message = sentence, kind = kind or "retry" })
  elseif answer.status == 200 or answer.status == 201 then
    settle(results, inputs, true)
  elseif answer.status == 207 then
    settle_each(results, inputs, answer)
  elseif answer.status == 400 and #inputs > 1 and results.requests >= REQUESTS_MAX then
    settle(results, inputs, { message = "HubSpot refused the batch", kind = "retry" })
  elseif answer.status == 400 and #inputs > 1 then
    halve(self, inputs, context, results)
  else
    local kind = answer.status == MIGRATING and "retry" or answers.kind(answer.status)
    settle(results, inputs, { kind = kind,
      message = answers.sentence("HubSpot", answer, detail_of(answers.json(answer))) })
  end
end

local function handle_batch(self, events, context)
  local results = {}
  local inputs = inputs_of(self, events, context, results)
  if #inputs > 0 then
    upsert(self, inputs, context, results)
  end
  results.requests = nil
  return results
end

local function check_words(given)
  local most = given.batch_max
  if given.id_property and not given.id_property:find("^[%w_]+$") then
    return nil, WHERE .. ".id_property: expected the internal name of a property", "config"
  elseif given.id_property and given.id_property ~= "email" and not given.id_from then
    return nil, WHERE .. ".id_from: missing, the path of what stands in id_property", "config"
  elseif given.api_version and not given.api_version:find("^[%w-]+$") then
    return nil, WHERE .. '.api_version: expected a version like "2026-09" or "v3"', "config"
  elseif most and (most < 1 or most > BATCH_MAX or most ~= math.floor(most)) then
    return nil, ("%s.batch_max: expected 1 to %d"):format(WHERE, BATCH_MAX), "config"
  end
  return true
end

local function url_of(given)
  local origin = urls.origin(given.url or "https://api.hubapi.com")
  local version = given.api_version or "2026-09"
  local path = version:find("^v") and "/crm/%s/objects/contacts" or "/crm/objects/%s/contacts"
  return origin and origin .. path:format(version) .. "/batch/upsert"
end

local function settings_of(given)
  local ok, message, code = check_words(given)
  local self = { id_property = given.id_property or "email", url = url_of(given) }
  if ok and not self.url then
    ok, message, code = nil, WHERE .. ".url: expected https://host, without a path", "config"
  end
  if ok then
    self.token, message, code = secret.check(given, "token", WHERE)
  end
  if self.token then
    self.contact, message, code = contact.check(given, DEFAULTS, false, WHERE)
  end
  if not self.contact then
    return nil, message, code
  end
  return self
end

--- A handler. given: token or token_file (of a private app); id_property ("email") and id_from
-- (path of its value); mapping (over the defaults); on_delete ("ignore", or properties to set);
-- without_id ("fail" or "skip"); url, api_version ("2026-09"); batch_max (100); and the options of
-- every handler. Returns it, or nil, message, "config".
function hubspot.new(given)
  given = options.check(given, KNOWN, "crm.hubspot.new")
  local self, message, code = settings_of(given)
  if not self then
    return nil, message, code
  end
  local is_batching = given.batch_max ~= 1
  return policy.apply({ name = WHERE, event_types = { "category:member", "category:transaction" },
    serial = "member", concurrency = CONCURRENCY,
    batch_max = is_batching and (given.batch_max or BATCH_MAX) or nil,
    handle = function(event, context)
      local result = handle_batch(self, { event }, context)[1]
      if result == true then
        return true
      end
      return nil, result.message, result.kind
    end,
    handle_batch = is_batching and function(events, context)
      return handle_batch(self, events, context)
    end or nil }, given)
end

return hubspot
