-- Bodies and headers of requests as templates over an event. A body is JSON, a form or plain text,
-- as its Content-Type says; in JSON a tag between quotes becomes part of that string, anywhere else
-- a whole JSON value (a number keeps its digits, a text gets its quotes). What a template cannot
-- become is said when it is read.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local plain = require("loyalhook.plain")
local template = require("loyalhook.handlers.template")

local bodies = {}

-- Where a tag behind this text stands in JSON: "value" or "string".
local function json_place(context, literal)
  local inside = context == "string"
  local at = 1
  while at <= #literal do
    local byte = literal:sub(at, at)
    if byte == '"' then
      inside = not inside
    elseif byte == "\\" and inside then
      at = at + 1
      if at > #literal then
        return nil, "a \\ right before a tag"
      end
    end
    at = at + 1
  end
  return inside and "string" or "value"
end

-- The handler's own {{amount_decimal}}, a number: 18.00. In a section an event's part of that name
-- comes first, and that may be any text.
local function is_decimal(text, name)
  return name == "amount_decimal" and text and #text < 20 and text:find("^%d+%.?%d*$")
end

local function json_escape(text, context, value, name)
  if context == "value" then
    return is_decimal(text, name) and text or json.encode(value)
  elseif not text then
    return nil, "a list or an object does not fit between quotes"
  end
  local quoted, problem = json.encode(text)
  return quoted and quoted:sub(2, -2), problem
end

local function form_escape(text)
  return plain.percent(text)
end

--- What may stand in a header: nil and why not for what would end it.
local function line_escape(text)
  if text:find("[%z\1-\31\127]") then
    return nil, "a control character"
  end
  return text
end

local function text_escape(text)
  return text
end

local function sample(context)
  return context == "value" and "0" or "x"
end

local function json_template(text, name)
  local parsed, message, code = template.parse(text, name, { missing = "refuse",
    context = "value", contexts = json_place })
  if not parsed then
    return nil, message, code
  end
  local kind, problem = core.json.check(parsed:outline(sample))
  if not kind then
    return nil, ("%s: not JSON with every tag filled: %s"):format(name, problem), "config"
  end
  return parsed, json_escape
end

--- Reads the template of a body of this Content-Type. Returns it and its escape function, or nil,
-- message, "config".
function bodies.template(text, content_type, name)
  local media = content_type:lower():match("^%s*([^;%s]*)")
  if media == "application/json" or media:find("%+json$") then
    return json_template(text, name)
  end
  local parsed, message, code = template.parse(text, name, { missing = "refuse" })
  if not parsed then
    return nil, message, code
  end
  return parsed, media == "application/x-www-form-urlencoded" and form_escape or text_escape
end

-- Set by other options, or by the transport.
local OURS = { ["content-type"] = true, ["content-length"] = true, host = true,
  ["transfer-encoding"] = true }

--- Reads headers, a table name → template. Returns a list of { name, template }, sorted, or nil,
-- message, "config".
function bodies.headers(given, where)
  local list = {}
  for name, text in pairs(given or {}) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then
      return nil, ("%s: %s is no name of a header"):format(where, tostring(name)), "config"
    elseif OURS[name:lower()] then
      return nil, ("%s.%s: not settable here"):format(where, name), "config"
    elseif type(text) ~= "string" or text:find("[%z\1-\31\127]") then
      return nil, ("%s.%s: expected a text on one line"):format(where, name), "config"
    end
    local parsed, message, code = template.parse(text, where .. "." .. name, { missing = "refuse" })
    if not parsed then
      return nil, message, code
    end
    list[#list + 1] = { name = name, template = parsed }
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- Fills headers. Returns a table name → value, or nil, message, "invalid".
function bodies.fill_headers(list, data)
  local filled = {}
  for _, entry in ipairs(list) do
    local text, message, code = entry.template:render(data, line_escape)
    if not text then
      return nil, message, code
    end
    filled[entry.name] = text
  end
  return filled
end

return bodies
