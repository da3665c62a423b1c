-- Who gets a mail about an event, or why nobody does. A member without an address, or one who
-- unsubscribed, is nothing that went wrong; an address that no mail can be sent to is.

local core = require("loyalhook.core")
local plain = require("loyalhook.plain")

local recipient = {}

local DAY_MS = 86400000
local ADDRESS_BYTES_MAX = 1000

-- A field's text without what stands around it. Trimming looks at white space again and again, so
-- only what could be an address is trimmed.
local function text_of(value)
  if type(value) ~= "string" or not value:find("%S") then
    return ""
  end
  return #value <= ADDRESS_BYTES_MAX and value:match("^%s*(.-)%s*$") or value
end

-- Non-ASCII is told apart: such addresses exist, but need servers that take SMTPUTF8 all the way.
local function unusable(address)
  if address:find("[\128-\255]") then
    return "the member's mail address has letters outside ASCII, which mail servers need not take"
  end
  return "the member's mail address is none: " .. plain.line(address):sub(1, 80)
end

--- The address of the member, or nil and a reason; the third result is true if that is a failure.
-- always: mail also those who want none.
function recipient.of(data, always)
  local member = type(data.member_info) == "table" and data.member_info or {}
  if not always and text_of(member.email_subscription_status):lower() == "unsubscribed" then
    return nil, "unsubscribed"
  elseif not always and text_of(member.member_status):lower() == "opted_out" then
    return nil, "opted out"
  end
  local address = text_of(member.email_address)
  if address == "" then
    return nil, "no address"
  elseif not core.mailbox_check(address) then
    return nil, unusable(address), true
  end
  return address
end

-- Our ids begin with the second in which the event came to be; another sender's may be anything.
local function made_ms(event)
  local seconds = event.id:find("^%x+$") and #event.id == 24 and tonumber(event.id:sub(1, 8), 16)
  local ms = seconds and seconds * 1000 or event.received_ms
  local plausible = ms <= event.received_ms and ms > event.received_ms - DAY_MS
  return plausible and ms or event.received_ms
end

--- How old an event is in seconds: since it came to be, as far as its id tells, else since it came.
function recipient.age_s(event, now_ms)
  return (now_ms - made_ms(event)) / 1000
end

return recipient
