-- A mail about an event as bytes: who it is from and to, how to unsubscribe, and a Message-ID that
-- is the same whenever it is made again, by which mail programs drop a second copy.

local core = require("loyalhook.core")
local mime = require("loyalhook.notices.mime")
local urls = require("loyalhook.handlers.urls")

local letter = {}

local KEY_BYTES_MAX = 160 -- longer ones are hashed, so that the header stays short
local URL_BYTES_MAX = 900 -- it cannot be folded, and a line ends at 998

-- A key of [A-Za-z0-9_.%-] as the left side of a message id (RFC 5322 dot-atom): no dot at an end
-- or beside another. "%2E" is in no key, so different keys stay different.
local function dot_atom(key)
  if #key > KEY_BYTES_MAX then
    return core.hmac("sha256", "message-id", key)
  end
  return (key:gsub("^%.", "%%2E"):gsub("%.$", "%%2E"):gsub("%.%.+", function(dots)
    return ("%2E"):rep(#dots)
  end))
end

--- The Message-ID, without its brackets.
function letter.message_id(key, host)
  return dot_atom(key) .. "@" .. host
end

--- The URL of a parsed template, filled: where a member unsubscribes. nil, message if it cannot
-- stand in a header.
function letter.unsubscribe_url(parsed, values)
  local url, message = urls.fill(parsed, values)
  if not url then
    return nil, message
  elseif #url > URL_BYTES_MAX then
    return nil, ("unsubscribe.url: not a URL of at most %d bytes once it is filled")
      :format(URL_BYTES_MAX)
  end
  return url
end

--- The bytes. mail: subject, text, html; envelope: from = { address, name }, to, reply_to,
-- message_id, date_ms, unsubscribe_url, unsubscribe_mailto.
function letter.write(mail, envelope)
  local unsubscribe = {}
  unsubscribe[1] = envelope.unsubscribe_url
  if envelope.unsubscribe_mailto then
    unsubscribe[#unsubscribe + 1] = ("mailto:%s?subject=unsubscribe")
      :format(envelope.unsubscribe_mailto)
  end
  return mime.message({ from = envelope.from, to = { envelope.to }, reply_to = envelope.reply_to,
    subject = mail.subject, text = mail.text, html = mail.html, date_ms = envelope.date_ms,
    message_id = envelope.message_id, boundary = core.id(), unsubscribe = unsubscribe,
    one_click = envelope.unsubscribe_url ~= nil })
end

return letter
