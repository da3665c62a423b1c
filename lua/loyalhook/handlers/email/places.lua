-- Where in a page of HTML a tag of a template stands, so that its value can be escaped for that
-- place, or refused where no escaping would help (scripts, styles, names). Follows the markup as a
-- browser does, as far as whole pages of mails need it. A place is a text that shows itself:
--
--   text   <a   <a href=   <a href="   <a href="…   <a title="…   <!--   <style>
--
-- The last two are comments and elements whose content is no text. Behind href=" a whole URL is
-- expected, behind href="… a part of one.

local places = {}

places.begin = "text"

local URLS = { href = true, src = true, action = true, formaction = true, background = true,
  cite = true, poster = true, longdesc = true, ["xlink:href"] = true }
local CODE = { style = true, srcset = true, srcdoc = true } -- and all that begin with on
local RAW = { style = true, script = true, xmp = true, iframe = true, noembed = true,
  noframes = true, plaintext = true }

local FOREIGN = { svg = true, math = true } -- with rules of their own; mail programs drop them

local NOT_HTML = "cannot be read as HTML: expected name=\"value\" in <%s"
local NO_MARKUP = "cannot be read as HTML: <%s begins no tag; a < of the text is written &lt;"

-- One step each: from a place, and where the literal is read on, to the next of both (or nil and
-- what is wrong). `open` is what is kept of a place: its tag and attribute.
local steps = {}

function steps.text(literal, at)
  local from = literal:find("<", at, true)
  if not from then
    return "text", #literal + 1
  elseif literal:find("^!%-%-", from + 1) then
    return "<!--", from + 4
  end
  local rest = literal:sub(from + 1)
  if rest == "" or rest == "/" or rest == "!" or rest == "!-" then
    return "<", #literal + 1 -- what follows would be a name
  end
  local name = rest:match("^/?%a[^%s/>]*") or rest:match("^![Dd][Oo][Cc][Tt][Yy][Pp][Ee]")
  if name and FOREIGN[name:lower()] then
    return nil, ("<%s> cannot stand in a mail"):format(name)
  elseif name then
    return "<" .. name, from + 1 + #name
  elseif rest:find("^[!/?]") then
    return nil, NO_MARKUP:format(rest:sub(1, 1)) -- browsers make comments of these
  end
  return "text", from + 1 -- a < that begins nothing
end

function steps.comment(literal, at)
  local _, last = literal:find("%-%-!?>", at)
  if literal:find("^%-?>", at) then
    return nil, "cannot be read as HTML: a comment begins <!-- and ends -->"
  elseif not last then
    return "<!--", #literal + 1
  end
  return "text", last + 1
end

function steps.raw(literal, at, open)
  local from = literal:lower():find("</" .. open.tag, at, true)
  if not from then
    return "<" .. open.tag .. ">", #literal + 1
  end
  return "</" .. open.tag, from + 2 + #open.tag
end

local function begin_value(literal, at, open, name)
  local quote = literal:match("^[\"']", at)
  local place = ("<%s %s="):format(open.tag, name:lower())
  if quote then
    return place .. quote .. (URLS[name:lower()] and "" or "…"), at + 1
  end
  return place, at
end

function steps.tag(literal, at, open)
  local from = literal:find("[^%s/]", at)
  if not from then
    return "<" .. open.tag, #literal + 1
  elseif literal:find("^>", from) then
    local name = open.tag:lower()
    return RAW[name] and "<" .. name .. ">" or "text", from + 1
  end
  local name, behind = literal:match("^([^%s\"'>/=]+)()", from)
  if open.tag:sub(1, 1) == "!" then
    return "<" .. open.tag, (behind or from + 1)
  elseif not name then
    return nil, NOT_HTML:format(open.tag)
  end
  local value_at = literal:match("^%s*=%s*()", behind)
  if not value_at then
    return "<" .. open.tag, behind
  end
  return begin_value(literal, value_at, open, name)
end

function steps.unquoted(literal, at, open)
  local behind = literal:match("^[^%s>]*()", at)
  if behind > #literal then
    return open.place, behind
  end
  return "<" .. open.tag, behind
end

function steps.value(literal, at, open)
  local last = literal:find(open.quote, at, true)
  if last then
    return "<" .. open.tag, last + 1
  elseif literal:find("%S", at) then
    return open.place:gsub("…$", "") .. "…", #literal + 1
  end
  return open.place, #literal + 1
end

-- The kind of a place, and what it shows of itself.
local function read(place)
  if place == "text" then
    return "text", {}
  elseif place == "<!--" then
    return "comment", {}
  end
  local raw = place:match("^<(%w+)>$")
  if raw then
    return "raw", { tag = raw }
  end
  local tag, name, quote, more = place:match("^<(%S*) (%S-)=([\"']?)(.*)$")
  if not tag then
    return "tag", { tag = place:sub(2), place = place }
  end
  return quote == "" and "unquoted" or "value",
    { tag = tag, name = name, quote = quote, rest = more ~= "", place = place }
end

--- Where a tag behind this literal stands. Returns the place, or nil and what is wrong.
function places.behind_text(place, literal)
  local at = 1
  if literal:find("[%z\1-\8\11\14-\31]") then
    return nil, "has a control character"
  end
  while at <= #literal do
    local kind, open = read(place)
    place, at = steps[kind](literal, at, open)
    if not place then
      return nil, at
    end
  end
  return place
end

--- Where what follows a value stands.
function places.behind_value(place)
  local kind, open = read(place)
  return kind == "value" and not open.rest and place .. "…" or place
end

--- Why no value may stand at a place, or nil.
function places.refuse(place)
  local kind, open = read(place)
  if kind == "comment" then
    return "no value can stand in a comment"
  elseif kind == "raw" then
    return ("no value can stand in <%s>: it would be code"):format(open.tag)
  elseif kind == "unquoted" then
    return ("put quotes around the value of %s"):format(open.name)
  elseif kind == "tag" then
    return ("a value can stand in text or in a quoted attribute, not inside %s"):format(place)
  elseif kind == "value" and (CODE[open.name] or open.name:find("^on")) then
    return ("no value can stand in %s: it would be code"):format(open.name)
  end
end

--- What a value must look like there: "text", "attribute", "url" (a whole one) or "url_part".
function places.form(place)
  local kind, open = read(place)
  if kind ~= "value" then
    return "text"
  elseif not URLS[open.name] then
    return "attribute"
  end
  return open.rest and "url_part" or "url"
end

return places
