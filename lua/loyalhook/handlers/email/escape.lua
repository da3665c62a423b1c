-- Values as they stand in a mail: in the subject, in the text, in HTML, in a URL. What comes from a
-- member must not begin a header, a tag or a line, turn text around, or become a link: members
-- choose their names, and a programme's mails are trusted.

local places = require("loyalhook.handlers.email.places")
local plain = require("loyalhook.plain")
local template = require("loyalhook.handlers.template")

local escape = {}

local VALUE_BYTES_MAX = 1000 -- of one value; longer ones are cut
local URL_BYTES_MAX = 2000

-- Entries of a list that are texts or numbers, joined; nothing for an object.
local function joined(list)
  local parts = {}
  for index, entry in ipairs(list) do
    parts[index] = template.text(entry) or ""
  end
  return table.concat(parts, ", ")
end

-- Values of the merchant himself, and fields that are URLs by their name.
local function may_be_link(name, text)
  if name:find("^program%.") or name == "unsubscribe_url" then
    return true
  end
  local last = name:match("[^.]*$"):lower()
  return (last:find("url", 1, true) or last:find("link", 1, true))
    and text:find("^[Hh][Tt][Tt][Pp][Ss]?://%S+$") ~= nil
end

-- One line of at most VALUE_BYTES_MAX.
local function line(text, value)
  text = plain.line(text or joined(value))
  if #text > VALUE_BYTES_MAX then
    text = text:sub(1, plain.whole(text, VALUE_BYTES_MAX)) .. "…"
  end
  return text
end

local function unlinked(text, name)
  return may_be_link(name, text) and text or (text:gsub("://", ": //"))
end

--- For the text part.
function escape.text(text, _, value, name)
  return unlinked(line(text, value), name)
end

--- For a subject: the same, since a value is always one line.
escape.subject = escape.text

--- A URL as a mail may link to it: http, https or mailto, with nothing in it that ends it; or nil.
function escape.url(text)
  if not text or #text > URL_BYTES_MAX then
    return nil
  end
  local url = plain.line(text):match("^%s*(.-)%s*$")
  local scheme = url:match("^(%a+):")
  scheme = scheme and scheme:lower()
  if scheme ~= "mailto" and not ((scheme == "https" or scheme == "http")
    and url:find("^%a+://[^/?#]")) then
    return nil
  elseif url:find("[%s\"'<>\\^`{|}]") then
    return nil
  end
  return (url:gsub("[\128-\255]", plain.percent))
end

local forms = {}

function forms.text(text, value, name)
  return plain.html(unlinked(line(text, value), name))
end

forms.attribute = forms.text

function forms.url(text)
  return plain.html(escape.url(text) or "")
end

function forms.url_part(text, value)
  return plain.percent(line(text, value))
end

--- For the HTML part, at a place of it.
function escape.html(text, place, value, name)
  return forms[places.form(place)](text, value, name)
end

return escape
