-- A mail as the bytes that go over the wire (RFC 5322, 2045-2047): headers,
-- then a text, or a text and an HTML part. Everything that comes out is ASCII in lines of 76
-- characters at most (but for longer addresses), each ended by CRLF; nothing that
-- goes in can begin a header or a part, because every value is encoded or made one
-- line first. Pure.

local base64 = require("loyalhook.base64")
local core = require("loyalhook.core")
local plain = require("loyalhook.plain")
local time = require("loyalhook.time")

local mime = {}

local LINE_MAX = 76
local URL_BYTES_MAX = 900 -- it cannot be folded, and a line ends at 998
local WORD_BYTES_MAX = 39 -- of text in one encoded-word; 64 with what is around it

local function is_plain_ascii(text)
  return not text:find("[^\32-\126]") and not text:find("=?", 1, true)
end

local function encoded_words(text)
  local words = {}
  while text ~= "" do
    local len = plain.whole(text, WORD_BYTES_MAX)
    words[#words + 1] = "=?UTF-8?B?" .. base64.encode(text:sub(1, len)) .. "?="
    text = text:sub(len + 1)
  end
  return words
end

local function ascii_words(text)
  local words = {}
  for word in text:gmatch("%S+") do
    if #word > LINE_MAX - 2 then
      return nil -- cannot be folded as it is
    end
    words[#words + 1] = word
  end
  return words
end

-- Words of a header's value, folded: no line is longer than LINE_MAX.
local function folded(name, words)
  local lines, line = {}, name .. ":"
  for _, word in ipairs(words) do
    if #line + 1 + #word > LINE_MAX and line ~= "" then
      lines[#lines + 1] = line
      line = ""
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\r\n")
end

--- A header whose value is any text: folded, encoded where it is not plain ASCII.
function mime.header(name, text)
  text = plain.line(text)
  local words = is_plain_ascii(text) and ascii_words(text) or encoded_words(text)
  return folded(name, words)
end

-- A display name: quoted, or encoded.
local function phrase_words(name)
  if is_plain_ascii(name) and not name:find('[^%w !#$%%&\'*+/=?^_`{|}~-]') and #name < 60 then
    return { name }
  end
  return encoded_words(name)
end

-- Addresses are checked by the core; anything else here is a mistake of the program.
local function checked(address)
  local ok, message = core.mailbox_check(address)
  if not ok then
    error("mime: " .. message, 0)
  end
  return address
end

local function from_header(from)
  local words = from.name and phrase_words(plain.line(from.name)) or {}
  words[#words + 1] = "<" .. checked(from.address) .. ">"
  return folded("From", words)
end

local function to_header(addresses)
  local words = {}
  for index, address in ipairs(addresses) do
    words[index] = checked(address) .. (index < #addresses and "," or "")
  end
  return folded("To", words)
end

local DAYS = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" } -- the epoch was a Thursday
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
  "Dec" }

--- An instant as RFC 5322 writes it: "Fri, 02 Jan 2026 10:00:05 +0000".
function mime.date(ms)
  local year, month, day, clock = time.format(ms):match("^(%d+)-(%d+)-(%d+)T([%d:]+)")
  local days = math.floor(ms / 86400000)
  return ("%s, %s %s %s %s +0000"):format(DAYS[days % 7 + 1], day, MONTHS[tonumber(month)], year,
    clock)
end

local function quoted_byte(character)
  return ("=%02X"):format(character:byte())
end

-- One line of a text, quoted-printable, in lines of at most LINE_MAX.
local function quoted_line(line)
  local text = line:gsub("[^\32-\60\62-\126]", quoted_byte):gsub(" $", "=20")
  text = text:gsub("^%.", "=2E"):gsub("^From ", "=46rom ")
  local lines, at = {}, 1
  while #text - at >= LINE_MAX do
    local cut = at + LINE_MAX - 2
    local broken = text:sub(cut - 1, cut):find("=", 1, true) -- not inside =XX
    cut = broken and cut - 3 + broken or cut
    lines[#lines + 1] = text:sub(at, cut) .. "="
    at = cut + 1
  end
  lines[#lines + 1] = text:sub(at)
  return table.concat(lines, "\r\n")
end

--- Text (lines ended by "\n") as quoted-printable; invalid UTF-8 is replaced.
function mime.quoted_printable(text)
  text = plain.valid_utf8(text):gsub("\r\n?", "\n")
  local lines = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = quoted_line(line)
  end
  return table.concat(lines, "\r\n")
end

local function part(kind, text)
  return table.concat({
    "Content-Type: " .. kind .. "; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    mime.quoted_printable(text),
  }, "\r\n")
end

-- How to get no more of them: RFC 2369, and RFC 8058 where one POST does it.
local function put_unsubscribe(headers, urls, one_click)
  local words = {}
  for index, url in ipairs(urls) do
    if #url > URL_BYTES_MAX or url:find("[^\33-\126]") or url:find("[<>,]") then
      error("mime: not a URL for a header", 0)
    end
    words[index] = "<" .. url .. ">" .. (index < #urls and "," or "")
  end
  headers[#headers + 1] = folded("List-Unsubscribe", words)
  if one_click then
    headers[#headers + 1] = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
  end
end

local function headers_of(mail)
  local headers = {
    "Date: " .. mime.date(mail.date_ms),
    from_header(mail.from),
    to_header(mail.to),
    mime.header("Subject", mail.subject),
    folded("Message-ID", { "<" .. plain.line(mail.message_id):gsub("[%s<>]", "") .. ">" }),
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
  }
  if mail.reply_to then
    headers[#headers + 1] = folded("Reply-To", { checked(mail.reply_to) })
  end
  if mail.unsubscribe and mail.unsubscribe[1] then
    put_unsubscribe(headers, mail.unsubscribe, mail.one_click)
  end
  return headers
end

--- A whole mail. mail: from = { address, name }, to = { address, … }, subject,
-- date_ms, message_id (without brackets), boundary (some unique word), text, html (nil: text
-- alone), reply_to (an address), unsubscribe = { URLs }, one_click = whether a POST to the first of
-- them is enough. Returns the message's bytes. Raises for what is not an address.
function mime.message(mail)
  local headers = table.concat(headers_of(mail), "\r\n")
  if not mail.html then
    return headers .. "\r\n" .. part("text/plain", mail.text) .. "\r\n"
  end
  local boundary = "=_" .. mail.boundary -- quoted-printable never has these two in a row
  return table.concat({
    headers,
    folded("Content-Type", { "multipart/alternative;", ('boundary="%s"'):format(boundary) }),
    "",
    "--" .. boundary,
    part("text/plain", mail.text),
    "--" .. boundary,
    part("text/html", mail.html),
    "--" .. boundary .. "--",
    "",
  }, "\r\n")
end

return mime
