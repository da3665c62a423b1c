-- Store credit at Stripe: an event becomes one transaction on a customer's balance, which its next
-- invoice uses up. Money, so each step must survive a crash after it:
--
--  * every request carries the same Idempotency-Key; Stripe keeps keys for at least 24 h and
--    answers a repeated one with what it answered first;
--  * the key stands in the transaction's metadata too, so before any try later than 20 h after the
--    first attempt the balance is searched for it, and what is found is done;
--  * Stripe keeps a 5xx with its key as well. If such a kept answer comes back, the balance is
--    searched: nothing found means nothing happened, and a second key is used.
--
-- The table of all crash and timeout points is in docs/guide/handler-stripe.md.

local answers = require("loyalhook.handlers.answers")
local core = require("loyalhook.core")
local credits = require("loyalhook.handlers.wallet.credits")
local options = require("loyalhook.options")
local plain = require("loyalhook.plain")
local policy = require("loyalhook.handlers.policy")
local secret = require("loyalhook.handlers.secret")
local template = require("loyalhook.handlers.template")
local urls = require("loyalhook.handlers.urls")

local stripe = {}

local WHERE = "wallet.stripe"
local API_VERSION = "2025-09-30.clover"
local KEY_MS = 20 * 3600 * 1000 -- Stripe says 24 h; four for clocks and slow requests
local CLOCKS_S = 86400 -- how far this machine's clock may have been ahead of Stripe's
local KEY_MAX = 200 -- of 255, so that a second key fits
local PAGE, PAGES_MAX = 100, 100

local KNOWN = policy.known({ secret_key = "string", secret_key_file = "string", url = "string",
  currency = "string", customer = "string", credits = "table", description = "string",
  api_version = "string" })

-- The key of this credit: the task's, or its hash if that is too long.
local function key_of(context)
  local key = context.idempotency_key
  return #key <= KEY_MAX and key or core.hmac("sha256", WHERE, key)
end

local function call(self, context, request)
  local key, problem = secret.read(self.secret_key)
  if not key then
    return nil, problem
  end
  request.headers = request.headers or {}
  request.headers.Authorization = "Bearer " .. key
  request.headers["Stripe-Version"] = self.api_version
  return answers.ask(context, request, { key })
end

-- What Stripe's error says: its code, and a sentence.
local function error_of(answer)
  local report = (answers.json(answer) or {}).error
  if type(report) ~= "table" then
    return nil, nil
  end
  local word = report.code or report.type
  local text = type(report.message) == "string" and report.message or ""
  return report.type, (type(word) == "string" and word .. ": " or "") .. text
end

local function refusal(answer)
  local kind = answers.kind(answer.status)
  local class, detail = error_of(answer)
  if class == "idempotency_error" and answer.status == 400 then
    detail = "the same event was credited with other parameters before; compare, then decide"
  end
  return nil, answers.sentence("Stripe", answer, detail), kind
end

-- One page of a customer's transactions since the first attempt, newest first.
local function page_of(self, context, job, after)
  local query = { { "limit", tostring(PAGE) }, { "created[gte]", job.since } }
  if after then
    query[3] = { "starting_after", after }
  end
  local answer, message, code = call(self, context, { method = "GET",
    url = job.url .. "?" .. urls.form(query), answer_bytes_max = 1048576 })
  if not answer then
    return answers.none("Stripe", message, code)
  elseif answer.status ~= 200 then
    return refusal(answer)
  end
  local report = answers.json(answer)
  if not report or type(report.data) ~= "table" then
    return nil, "Stripe's list of transactions could not be read", "retry"
  end
  return report
end

local function has_key(page, key)
  for _, transaction in ipairs(page.data) do
    local metadata = type(transaction) == "table" and transaction.metadata
    if type(metadata) == "table" and metadata.loyalhook_key == key then
      return true
    end
  end
  return false
end

-- Whether the credit stands in the balance: true or false; or nil, message, kind: not known.
local function is_credited(self, context, job)
  local after
  for _ = 1, PAGES_MAX do
    local page, message, kind = page_of(self, context, job, after)
    if not page then
      return nil, message, kind
    elseif has_key(page, job.key) then
      return true
    end
    local last = page.data[#page.data]
    after = type(last) == "table" and type(last.id) == "string" and last.id or nil
    if not page.has_more then
      return false
    elseif not after then
      return nil, "Stripe's list of transactions could not be read", "retry"
    end
  end
  return nil, ("not found in the customer's last %d transactions, and there are more")
    :format(PAGE * PAGES_MAX), "fail"
end

local function post(self, context, job, key)
  return call(self, context, { method = "POST", url = job.url, body = job.body,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded",
      ["Idempotency-Key"] = key } })
end

local function is_kept_failure(answer)
  return answer.status >= 500 and answer.headers["idempotent-replayed"] == "true"
end

local function credit(self, context, job)
  local answer, message, code = post(self, context, job, job.key)
  if answer and is_kept_failure(answer) then
    local found, problem, kind = is_credited(self, context, job)
    if found or found == nil then
      return found, problem, kind
    end
    answer, message, code = post(self, context, job, job.key .. ".2")
  end
  if not answer then
    return answers.none("Stripe", message, code)
  elseif answer.status == 200 or answer.status == 201 then
    return true
  end
  return refusal(answer)
end

-- What is to be asked of Stripe; the same for each attempt of a task. Or nil, message.
local function job_of(self, event, context, data, amount)
  local customer = template.text(template.value(data, self.customer))
  local segment = customer and customer:find("^cus_%w+$") and urls.segment(customer)
  if not segment then
    return nil, self.customer .. ": absent, or no id of a Stripe customer (cus_…)"
  end
  local key = key_of(context)
  return { key = key,
    url = ("%s/v1/customers/%s/balance_transactions"):format(self.origin, segment),
    since = ("%d"):format(math.max(0, math.floor(context.first_attempt_ms / 1000) - CLOCKS_S)),
    body = urls.form({ { "amount", ("-%d"):format(amount) }, { "currency", self.currency },
      { "description", self.description }, { "metadata[loyalhook_key]", key },
      { "metadata[event_id]", event.id:sub(1, plain.whole(event.id, 500)) } }) }
end

local function handle(self, event, context, data, amount)
  local job, problem = job_of(self, event, context, data, amount)
  if not job then
    return nil, problem, "fail"
  end
  if context.attempt > 1 and context.now_ms() - context.first_attempt_ms > KEY_MS then
    local found, message, kind = is_credited(self, context, job)
    if found or found == nil then
      return found, message, kind
    end
  end
  return credit(self, context, job)
end

local function settings_of(given)
  local self = { origin = urls.origin(given.url or "https://api.stripe.com"),
    currency = given.currency, api_version = given.api_version or API_VERSION,
    customer = given.customer or "member_info.custom_attributes.stripe_customer_id",
    description = given.description or "Loyalty credit" }
  local types, message, code
  if not self.origin then
    return nil, WHERE .. ".url: expected https://host, without a path", "config"
  elseif not (self.currency or ""):find("^%l%l%l$") then
    return nil, WHERE .. ".currency: expected three lower-case letters, like eur", "config"
  elseif #self.description > 350 or not self.api_version:find("^[%w.-]+$") then
    return nil, WHERE .. ": description: at most 350 bytes; api_version: like 2025-09-30.clover",
      "config"
  end
  self.credits, types, code = credits.check(given.credits, WHERE .. ".credits")
  if not self.credits then
    return nil, types, code
  end
  self.secret_key, message, code = secret.check(given, "secret_key", WHERE)
  if not self.secret_key then
    return nil, message, code
  end
  return self, types
end

--- A handler. given: secret_key or secret_key_file; currency ("eur"); credits (event type → rule,
-- see credits.lua); customer (path of the customer's id), description; url, api_version; and the
-- options of every handler. Returns it, or nil, message, "config".
function stripe.new(given)
  given = options.check(given, KNOWN, "wallet.stripe.new")
  local self, types, code = settings_of(given)
  if not self then
    return nil, types, code
  end
  self.when_unknown = "retry"
  return credits.handler(WHERE, self, types, handle, given)
end

return stripe
