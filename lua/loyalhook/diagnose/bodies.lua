-- What may have happened to a body between the signer and the verifier: each
-- variant is a body that the signer may have signed, if this is what the
-- verifier was given, with the sentence that says so. Pure; used by init.lua.

local core = require("loyalhook.core")
local json = require("loyalhook.json")

local bodies = {}

local RAW_HINT = "verify the raw bytes of the request before any parsing: request.get_data() in "
  .. "Flask, express.raw() in Express, php://input, ngx.req.get_body_data()"
local BOM = "\239\187\191"
local COMBINED_BYTES_MAX = 256 * 1024 -- larger bodies: one kind of change at a time

-- Splits checked JSON into strings and what is between them; calls one function
-- for each and joins what they return.
local function rewrite(text, on_string, on_other)
  local out, at = {}, 1
  while true do
    local quote = text:find('"', at, true)
    out[#out + 1] = on_other(text:sub(at, (quote or 0) - 1))
    if not quote then
      return table.concat(out)
    end
    local stop = quote
    repeat
      stop = text:find('["\\]', stop + 1)
      local escaped = text:sub(stop, stop) == "\\"
      stop = escaped and stop + 1 or stop
    until not escaped
    out[#out + 1] = on_string(text:sub(quote, stop))
    at = stop + 1
  end
end

local function same(text)
  return text
end

local function squeeze(text)
  return (text:gsub("%s+", ""))
end

local function spread(text)
  return (text:gsub("%s+", ""):gsub("[,:]", "%0 "))
end

local function unescape_slash(text)
  return (text:gsub("\\(.)", function(char)
    return char == "/" and "/" or nil
  end))
end

local function escape_slash(text)
  return (unescape_slash(text):gsub("/", "\\/"))
end

-- "é" written as it is instead of as an escape; other escapes stay.
local function unescape_unicode(text)
  local pair = "\\u[dD][89abAB]%x%x\\u[dD][c-fC-F]%x%x"
  local function decode(escape)
    return escape:find("^\\u00[01]%x$") and escape or json.decode('["' .. escape .. '"]')[1]
  end
  text = text:gsub("\\\\", "\\\0"):gsub(pair, decode):gsub("\\u%x%x%x%x", function(escape)
    local plain = escape:lower()
    return plain ~= "\\u0022" and plain ~= "\\u005c" and decode(escape) or nil
  end)
  return (text:gsub("%z", "\\"))
end

local function code_point(char)
  local first = char:byte()
  local value = first >= 240 and first - 240 or first >= 224 and first - 224 or first - 192
  for index = 2, #char do
    value = value * 64 + char:byte(index) - 128
  end
  return value
end

local function escape_unicode(text)
  return (text:gsub("[\194-\244][\128-\191]+", function(char)
    local value = code_point(char)
    if value < 65536 then
      return ("\\u%04x"):format(value)
    end
    value = value - 65536
    return ("\\u%04x\\u%04x"):format(55296 + math.floor(value / 1024), 56320 + value % 1024)
  end))
end

local SPACING = {
  { same }, { squeeze, "white space was added" }, { spread, "white space was removed" },
}
local SLASHES = {
  { same }, { unescape_slash, "slashes were escaped" }, { escape_slash, "slashes were unescaped" },
}
local LETTERS = {
  { same }, { unescape_unicode, "non-ASCII characters were escaped" },
  { escape_unicode, "escaped characters were written out" },
}

local function add(list, body, sentence, hint)
  if not list.seen[body] then
    list.seen[body] = true
    list[#list + 1] = { body = body, sentence = sentence, hint = hint }
  end
end

local function add_reserialised(list, body)
  for _, slashes in ipairs(SLASHES) do
    for _, letters in ipairs(LETTERS) do
      for _, spacing in ipairs(SPACING) do
        local what = {}
        for _, change in ipairs({ spacing, slashes, letters }) do
          what[#what + 1] = change[2]
        end
        if #what == 1 or #what > 1 and #body <= COMBINED_BYTES_MAX then
          local text = rewrite(body, function(part)
            return letters[1](slashes[1](part))
          end, spacing[1])
          add(list, text, "the body was parsed and written again before verifying: "
            .. table.concat(what, ", "), RAW_HINT)
        end
      end
    end
  end
end

-- UTF-8 that was read as Latin-1 and written as UTF-8 once more, undone; or nil.
local function undo_latin1(body)
  if not body:find("[\194\195][\128-\191]") or body:find("[\196-\255]") then
    return nil
  end
  return (body:gsub("([\194\195])([\128-\191])", function(first, second)
    return string.char(second:byte() + (first == "\195" and 64 or 0))
  end))
end

local function add_ends(list, body)
  local KEEP = "a tool added or removed a line end; files from editors and echo end with one "
    .. "(printf '%s' and curl --data-binary do not)"
  add(list, (body:gsub("\r?\n$", "")),
    "the body has a newline at its end that was not signed", KEEP)
  add(list, (body:gsub("%s+$", "")), "the body has white space at its end that was not signed",
    KEEP)
  add(list, body .. "\n", "the body that was signed had a newline at its end, this one has not",
    KEEP)
  add(list, body .. "\r\n",
    "the body that was signed had a line end (CR LF) at its end, this one has not", KEEP)
  add(list, (body:gsub("\r\n", "\n")), "line ends were changed from LF to CR LF",
    "read and write the body in binary mode")
  add(list, (body:gsub("\r?\n", "\r\n")), "line ends were changed from CR LF to LF",
    "read and write the body in binary mode")
end

--- Bodies that may have been signed if `body` arrived, most likely ones first:
-- an array of { body, sentence, hint } without `body` itself.
function bodies.variants(body)
  local list = { seen = { [body] = true } }
  add_ends(list, body)
  if body:sub(1, 3) == BOM then
    add(list, body:sub(4), "the body starts with a byte-order mark that was not signed",
      "write the body as UTF-8 without a byte-order mark")
  else
    add(list, BOM .. body, "a byte-order mark at the start of the body was removed", RAW_HINT)
  end
  local undone = undo_latin1(body)
  if undone then
    add(list, undone, "the body's UTF-8 was read as Latin-1 and encoded again", RAW_HINT)
  end
  local kind = core.json.check(body)
  if kind == "string" then
    add(list, json.decode("[" .. body .. "]")[1],
      "the body was put into a JSON string (encoded twice)", RAW_HINT)
  elseif kind then
    add_reserialised(list, body)
  end
  list.seen = nil
  return list
end

local REWRITTEN = "it was parsed and written again before verifying"
local ENVELOPE = '^{"request_id":"[^"]*","total_count":"[^"]*","created_date":"[^"]*",'
  .. '"events":%[{"id":"[^"]*","event_type":"[^"]*","data":'
local ORDER = { "request_id", "total_count", "created_date", "events" }

-- What surrounds the events' data is always sent in one form, whatever white space is in the data.
local function envelope_remark(body)
  for _, name in ipairs(ORDER) do
    if not body:find('"' .. name .. '"%s*:') then
      return nil
    end
  end
  if body:find(ENVELOPE) then
    return nil
  elseif rewrite(body, same, squeeze):find(ENVELOPE) then
    return "the body has white space around its keys, where none is sent: " .. REWRITTEN, RAW_HINT
  end
  return 'the body does not begin as it is sent ({"request_id":"…","total_count":"…",'
    .. '"created_date":"…","events":[{"id":"…","event_type":"…","data":): ' .. REWRITTEN, RAW_HINT
end

--- What can be said of a body that no variant explains: a sentence and a hint,
-- or nil.
function bodies.remark(body, content_length)
  if body == "" then
    return "the body is empty", "something has read the request's body before; " .. RAW_HINT
  elseif tonumber(content_length) and tonumber(content_length) ~= #body then
    return ("the body has %d bytes, but its Content-Length says %s"):format(#body,
      content_length), "the body is incomplete or was changed on its way"
  end
  local kind, message = core.json.check(body)
  if not kind then
    return "the body is not JSON (" .. message .. ")", "it is incomplete or was changed"
  end
  local last = 0
  for _, name in ipairs(ORDER) do
    local at = body:find('"' .. name .. '"%s*:')
    if at and at < last then
      return "the body's keys are not in the order in which they are sent (request_id, "
        .. "total_count, created_date, events): " .. REWRITTEN, RAW_HINT
    end
    last = at or last
  end
  return envelope_remark(body)
end

return bodies
