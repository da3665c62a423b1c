-- Keeps the contacts (or another object) of a Salesforce org: each event of a member becomes an
-- upsert by a field that is an external id, in one PATCH. Signed in by OAuth client credentials;
-- one access token is used by all that runs in this worker and renewed when it is refused. An
-- upsert repeated is the same upsert, so whatever ended unknown is tried again.
-- docs/guide/handler-salesforce.md has the set-up, mapping.lua says how fields are chosen.

local answers = require("loyalhook.handlers.answers")
local contact = require("loyalhook.handlers.crm.contact")
local core = require("loyalhook.core")
local json = require("loyalhook.json")
local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local secret = require("loyalhook.handlers.secret")
local urls = require("loyalhook.handlers.urls")

local salesforce = {}

local WHERE = "crm.salesforce"
local TOKEN_WAIT_MS = 30000
local KINDS = { url = "string", client_id = "string", client_secret = "string",
  client_secret_file = "string", object = "string", id_field = "string", api_version = "string" }
local KNOWN = policy.known(contact.KINDS, KINDS)

local DEFAULTS = { id_from = "member_info.member_id", mapping = {
  FirstName = "member_info.first_name",
  LastName = "member_info.last_name",
  Email = "member_info.email_address",
  Phone = "member_info.phone_number",
  Birthdate = { from = "member_info.birthdate", as = "date" },
  MailingStreet = "member_info.address.line1",
  MailingCity = "member_info.address.city",
  MailingState = "member_info.address.state",
  MailingPostalCode = "member_info.address.postal_code",
  MailingCountry = "member_info.address.country",
  Loyalty_Points__c = { from = "member_info.available_points", as = "number" },
  Loyalty_Tier__c = "member_info.tier_info.loyalty_tier_name",
  Loyalty_Status__c = "member_info.member_status",
} }

-- Salesforce's error, if that is what the answer is: a list of { errorCode, message }, or for
-- tokens { error, error_description }. Returns the code and a sentence.
local function error_of(answer)
  local report = answers.json(answer) or {}
  local first = type(report[1]) == "table" and report[1] or report
  local code, text = first.errorCode or first.error, first.message or first.error_description
  if type(code) ~= "string" then
    return nil, nil
  end
  return code, code .. (type(text) == "string" and ": " .. text or "")
end

local function fetch_token(self, context)
  local client_secret, problem = secret.read(self.client_secret)
  if not client_secret then
    return nil, problem
  end
  local answer, message, code = answers.ask(context, { method = "POST",
    url = self.origin .. "/services/oauth2/token",
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    body = urls.form({ { "grant_type", "client_credentials" }, { "client_id", self.client_id },
      { "client_secret", client_secret } }) }, { client_secret })
  if not answer then
    return nil, message, code
  end
  local report = answers.json(answer) or {}
  if answer.status ~= 200 or type(report.access_token) ~= "string" then
    local _, detail = error_of(answer)
    return nil, answers.sentence("the token endpoint", answer, detail or "no access token")
  end
  return report.access_token
end

-- The token that is not `stale`. While one coroutine fetches it the others wait. A fetch that its
-- coroutine did not live to end is forgotten after a while.
local function token_of(self, context, stale)
  local function is_free()
    return not self.busy_until_ms or core.monotonic_ms() > self.busy_until_ms
  end
  if self.token == stale and not is_free() then
    context.wait(is_free, TOKEN_WAIT_MS)
  end
  if self.token ~= stale then
    return self.token
  elseif not is_free() then
    return nil, "waited too long for an access token"
  end
  self.busy_until_ms = core.monotonic_ms() + TOKEN_WAIT_MS
  local token, message, code = fetch_token(self, context)
  self.busy_until_ms = nil
  if not token then
    return nil, message, code
  end
  self.token = token
  return token
end

local function patch(self, context, url, body)
  local stale, answer, message, code
  for _ = 1, 2 do
    local token
    token, message, code = token_of(self, context, stale)
    if not token then
      return nil, message, code
    end
    answer, message, code = answers.ask(context, { method = "PATCH", url = url, body = body,
      headers = { ["Content-Type"] = "application/json", Authorization = "Bearer " .. token } },
      { token })
    if not answer or answer.status ~= 401 then
      break
    end
    stale = token
  end
  return answer, message, code
end

local PASSING = { REQUEST_LIMIT_EXCEEDED = true, UNABLE_TO_LOCK_ROW = true,
  SERVER_UNAVAILABLE = true, CONCURRENT_PER_ORG_LONG_TXN = true,
  CONCURRENT_REQUESTS_LIMIT_EXCEEDED = true, QUERY_TIMEOUT = true, UNKNOWN_EXCEPTION = true }

local function verdict(answer)
  local status = answer.status
  if status == 200 or status == 201 or status == 204 then
    return true
  elseif status == 300 then
    return nil, "Salesforce has several records with this external id", "fail"
  end
  local code, detail = error_of(answer)
  local kind = PASSING[code] and "retry" or answers.kind(status)
  if status == 403 and code and not PASSING[code] and code:find("^INSUFFICIENT_ACCESS") then
    kind = "fail" -- of this record, not of us
  end
  return nil, answers.sentence("Salesforce", answer, detail), kind
end

local function handle(self, event, context)
  local id, fields = contact.of(self.contact, event, context)
  if not id then
    if fields == true then
      return true
    end
    return nil, fields.message, fields.kind
  end
  local segment, problem = urls.segment(id)
  if not segment then
    return nil, self.contact.id_from .. ": " .. problem, "fail"
  end
  local body
  body, problem = json.encode(fields)
  if not body then
    return nil, problem, "fail"
  end
  local answer, message, code = patch(self, context, self.path .. segment, body)
  if not answer then
    return answers.none("Salesforce", message, code)
  end
  return verdict(answer)
end

local function check_words(given)
  local version = given.api_version or "v66.0"
  if not urls.origin(given.url or "") then
    return nil, WHERE .. ".url: expected the My Domain, https://NAME.my.salesforce.com", "config"
  elseif not given.client_id or not given.client_id:find("^[%w._-]+$") then
    return nil, WHERE .. ".client_id: expected the consumer key of the app", "config"
  elseif not version:find("^v%d+%.%d$") then
    return nil, WHERE .. '.api_version: expected a version like "v66.0"', "config"
  end
  for _, name in ipairs({ "object", "id_field" }) do
    if given[name] and not given[name]:find("^[%w_]+$") then
      return nil, ("%s.%s: expected an API name"):format(WHERE, name), "config"
    end
  end
  return version
end

local function settings_of(given)
  local version, message, code = check_words(given)
  if not version then
    return nil, message, code
  end
  local self = { origin = urls.origin(given.url), client_id = given.client_id }
  local id_field = given.id_field or "Loyalty_Member_Id__c"
  self.path = ("%s/services/data/%s/sobjects/%s/%s/"):format(self.origin, version,
    given.object or "Contact", id_field)
  self.client_secret, message, code = secret.check(given, "client_secret", WHERE)
  if self.client_secret then
    self.contact, message, code = contact.check(given, DEFAULTS, true, WHERE)
  end
  if not self.contact then
    return nil, message, code
  end
  for _, entry in ipairs(self.contact.mapping) do
    if entry.target == id_field or entry.target == "Id" then
      return nil, ("%s.mapping.%s: the id stands in the URL; Salesforce refuses it in the fields")
        :format(WHERE, entry.target), "config"
    end
  end
  return self
end

--- A handler. given: url (the My Domain), client_id, client_secret or client_secret_file; object
-- ("Contact"), id_field ("Loyalty_Member_Id__c") and id_from (path of its value); mapping (over the
-- defaults); on_delete ("ignore", or fields to set); without_id ("fail" or "skip"); api_version
-- ("v66.0"); and the options of every handler. Returns it, or nil, message, "config".
function salesforce.new(given)
  given = options.check(given, KNOWN, "crm.salesforce.new")
  local self, message, code = settings_of(given)
  if not self then
    return nil, message, code
  end
  return policy.apply({ name = WHERE, event_types = { "category:member", "category:transaction" },
    serial = "member", concurrency = 8,
    handle = function(event, context)
      return handle(self, event, context)
    end }, given)
end

return salesforce
