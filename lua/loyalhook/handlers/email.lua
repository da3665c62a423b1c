-- Mails to a programme's members about what happened to them: "You earned 120 points". Which
-- events are mailed, through which server and in whose words is the merchant's to say
-- (email/settings.lua); what is said if he says nothing stands in email/defaults.lua. Here is what
-- becomes of one event.

local letter = require("loyalhook.handlers.email.letter")
local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local recipient = require("loyalhook.handlers.email.recipient")
local samples = require("loyalhook.samples")
local settings = require("loyalhook.handlers.email.settings")
local templates = require("loyalhook.handlers.email.templates")

local email = {}

local NAME, CONCURRENCY = "email", 8 -- a worker has a dozen mails under way at most

-- Where a member unsubscribes from this type of mail; nil if he cannot. Or nil, message.
local function unsubscribe_url(setting, event, values)
  if setting.transactional[event.event_type] or not setting.unsubscribe.url then
    return nil
  end
  return letter.unsubscribe_url(setting.unsubscribe.url, values)
end

-- Whose matter a refusal is. A mailbox that is not there, and a mail that is not taken as it is,
-- stay so; everything else is mended by time or by a person: the server's state, passwords,
-- whether it relays for us, and what receivers think of the sender (5.7: RFC 3463).
local function kind_of(ended)
  local permanent = ended.status and ended.status >= 500
  local ours = ended.stage ~= "recipient" and ended.stage ~= "message"
    or (ended.error or ""):find("5%d%d[ -]5%.7%.") ~= nil
  return permanent and not ours and "fail" or "retry"
end

-- What the server said, without the member's address: the event names the member.
local function words_of(ended, address)
  local text = ended.error or "no answer"
  if text:sub(1, #address) == address then
    text = text:sub(#address + 1):gsub("^: ", "")
  end
  return text
end

local function skip(context, event, reason)
  context.log("info", "not mailed", { reason = reason, event_type = event.event_type,
    member = event.member_id })
  return true
end

-- The mail's bytes, or nil, message.
local function write(setting, event, address, context)
  local values = templates.values(event, setting.program)
  local url, message = unsubscribe_url(setting, event, values)
  if message then
    return nil, message
  end
  values.unsubscribe_url = url
  local mail
  mail, message = templates.fill(setting.read[event.event_type], values)
  if not mail then
    return nil, message
  end
  local server = setting.server
  local may_unsubscribe = not setting.transactional[event.event_type]
  return letter.write(mail, { from = { address = server.from, name = setting.from_name },
    to = address, reply_to = setting.reply_to, date_ms = context.now_ms(),
    message_id = letter.message_id(context.idempotency_key, server.host), unsubscribe_url = url,
    unsubscribe_mailto = may_unsubscribe and setting.unsubscribe.mailto or nil })
end

local LASTING = { invalid = true, limit = true, too_large = true } -- a retry would say it again

local function send(setting, event, address, context)
  local message, problem = write(setting, event, address, context)
  if not message then
    return nil, problem, "fail"
  end
  local ended, code
  ended, problem, code = context.mail({ server = setting.server, to = { address },
    message = message })
  if not ended then
    return nil, problem, LASTING[code] and "fail" or "retry"
  elseif ended.verdict == "accepted" then
    context.log("debug", "mailed", { status = ended.status })
    return true
  elseif ended.verdict == "unknown" then
    return nil, "the mail may have arrived: " .. words_of(ended, address)
  end
  return nil, "the mail server refuses it: " .. words_of(ended, address), kind_of(ended)
end

local function handle(setting, event, context)
  local age_s = setting.ages_s[event.event_type]
  if age_s and recipient.age_s(event, context.now_ms()) > age_s then
    return nil, ("expired: not mailed later than %d s after the event"):format(age_s), "fail"
  end
  local address, reason, is_failure = recipient.of(event.data,
    setting.transactional[event.event_type])
  if is_failure then
    return nil, reason, "fail"
  elseif not address then
    return skip(context, event, reason)
  end
  return send(setting, event, address, context)
end

--- A handler that mails members. given: event_types and smtp, which are needed, from_name,
-- reply_to, program, templates, template_folder, fields, unsubscribe, max_age_s, transactional,
-- name, and what every handler has (concurrency, rate, tries …). Returns the handler, or nil,
-- message, "config".
function email.new(given)
  given = options.check(given, settings.known, "email.new")
  local setting, message, code = settings.check(given)
  if not setting then
    return nil, (given.name or NAME) .. ": " .. message, code
  end
  return policy.apply({ name = NAME, concurrency = CONCURRENCY,
    when_unknown = "retry", -- a second copy has the same Message-ID
    handle = function(event, context)
      return handle(setting, event, context)
    end }, given)
end

--- The sources of a type's default templates: { subject =, text =, html = }, or nil if it has none.
function email.template(event_type)
  return templates.default(event_type)
end

local function sample_event(event_type, data)
  return { id = ("0"):rep(24), source = "sample", event_type = event_type, received_ms = 0,
    received_at = "1970-01-01T00:00:00.000Z", data = data }
end

--- What a mail of a type would say, with options as `new` takes them (without smtp too). data: of
-- an event; default: a sample. Returns { subject =, text =, html = }, or nil, message, code.
function email.preview(given, event_type, data)
  local setting = { program = given.program or {}, fields = given.fields or {},
    templates = given.templates or {}, template_folder = given.template_folder }
  local read, message, code = templates.read(event_type, setting)
  if read and not data then
    data, message, code = samples.event(event_type)
  end
  if not read or not data then
    return nil, message, code
  end
  local values = templates.values(sample_event(event_type, data), setting.program)
  local may_unsubscribe = not settings.transactional(given.transactional)[event_type]
  values.unsubscribe_url = may_unsubscribe and given.unsubscribe and given.unsubscribe.url
    and "https://example.com/unsubscribe" or nil
  return templates.fill(read, values)
end

return email
