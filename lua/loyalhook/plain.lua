-- Foreign text made harmless. Names, URLs, answers and event data come from
-- strangers: shown as they are, they could move a terminal's cursor, retitle its
-- window, turn text around, or break a log into lines that nobody wrote.

local plain = {}

local PIECE_BYTES = 256

-- "loyalhook.core" knows what UTF-8 is; without it (the very message may be that
-- it is missing) everything but ASCII goes.
local function core_utf8()
  local loaded, core = pcall(require, "loyalhook.core")
  return loaded and core.utf8_check
end

local REPLACEMENT = "\239\191\189"

-- Adds a piece, mended, to parts.
local function add_mended(parts, piece, check)
  local good, bad_at = check(piece)
  while not good do
    parts[#parts + 1] = piece:sub(1, bad_at - 1)
    parts[#parts + 1] = REPLACEMENT
    piece = piece:sub(bad_at + 1)
    good, bad_at = check(piece)
  end
  parts[#parts + 1] = piece
end

--- Text with every invalid byte replaced by U+FFFD.
function plain.valid_utf8(text)
  if not text:find("[\128-\255]") then
    return text
  end
  local check = core_utf8()
  if not check then
    return (text:gsub("[\128-\255]", "?"))
  elseif check(text) then
    return text
  end
  -- In pieces: what is behind a bad byte is copied, and all of a long text may be bad.
  local parts, at = {}, 1
  while at <= #text do
    local len = plain.whole(text:sub(at, at + PIECE_BYTES), PIECE_BYTES)
    len = len > 0 and len or PIECE_BYTES -- no character is so long
    add_mended(parts, text:sub(at, at + len - 1), check)
    at = at + len
  end
  return table.concat(parts)
end

-- What a terminal obeys beyond ASCII: C1, the marks that reverse the reading
-- direction, and the separators that some programs take for the end of a line.
local OBEYED = { "\194[\128-\159]", "\216\156", "\226\128[\142\143\168-\174]",
  "\226\129[\166-\169]" }

--- Any value as one line: white space becomes a space; control characters and
-- the marks that reverse the reading direction go; nil is a dash.
function plain.line(text)
  if text == nil then
    return "-"
  end
  text = plain.valid_utf8(tostring(text))
  text = text:gsub("[\t\n\v\f\r]+", " "):gsub("[%z\1-\31\127]", "")
  if text:find("[\128-\255]") then
    for _, pattern in ipairs(OBEYED) do
      text = text:gsub(pattern, "")
    end
  end
  return text
end

--- Length of the longest beginning of a text that is whole characters and at most `most` bytes.
function plain.whole(text, most)
  if #text <= most then
    return #text
  end
  local cut = most
  while cut > 0 and text:find("^[\128-\191]", cut + 1) do
    cut = cut - 1
  end
  return cut
end

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- Text as it stands between the tags of HTML, and in its quoted attributes.
function plain.html(text)
  return (tostring(text):gsub("[&<>\"']", HTML))
end

local function percent(character)
  return ("%%%02X"):format(character:byte())
end

--- Text as it stands in a part of a URL (RFC 3986): all but letters, digits, "-", ".", "_" and "~"
-- is percent-encoded.
function plain.percent(text)
  return (tostring(text):gsub("[^%w._~-]", percent))
end

local function bare_url(mark, rest)
  local host, path = rest:match("^([^/?#]*)([^?#]*)")
  return mark .. host:gsub("^.*@", "") .. path
end

--- Text whose URLs have no user, password, query and fragment: those may be
-- tokens.
function plain.without_tokens(text)
  -- Found by what ends the scheme: looking for its beginning would look at each letter again and
  -- again.
  return (text:gsub("([%w+.-]://)([^%s\"'<>]+)", bare_url))
end

local function code_point(character)
  local first, second, third = character:byte(1, 3)
  if third then
    return (first - 224) * 4096 + (second - 128) * 64 + third - 128
  elseif second then
    return (first - 192) * 64 + second - 128
  end
  return first
end

local function escape(character)
  return ("\\u%04x"):format(code_point(character))
end

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

--- Any text as a JSON string. What a terminal would obey is escaped, which
-- harms neither reader; invalid bytes are replaced as by valid_utf8.
function plain.json(text)
  text = plain.valid_utf8(text)
  text = text:gsub('[%z\1-\31"\\\127]', function(character)
    return SHORT[character] or escape(character)
  end)
  if text:find("[\128-\255]") then
    for _, pattern in ipairs(OBEYED) do
      text = text:gsub(pattern, escape)
    end
  end
  return '"' .. text .. '"'
end

--- Strict JSON as it stands, except that what a terminal would obey is escaped:
-- numbers and the order of keys stay as somebody wrote them.
function plain.json_text(json)
  json = json:gsub("[\t\n\r]+", " "):gsub("\127", escape)
  if json:find("[\128-\255]") then
    for _, pattern in ipairs(OBEYED) do
      json = json:gsub(pattern, escape)
    end
  end
  return json
end

return plain
