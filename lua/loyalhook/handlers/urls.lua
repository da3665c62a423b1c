-- URLs and forms that have values of strangers in them (RFC 3986): every value is one part and
-- stays one part. A value never chooses the server.

local plain = require("loyalhook.plain")
local template = require("loyalhook.handlers.template")

local urls = {}

--- A value as one segment of a path; nil and why not for what would be no segment, or another.
function urls.segment(text)
  if text == "" then
    return nil, "empty, but it stands in a path"
  elseif text == "." or text == ".." then
    return nil, "\".\" and \"..\" would lead to another path"
  end
  return plain.percent(text)
end

--- A form's body of { { name, value }, … }, in this order.
function urls.form(fields)
  local parts = {}
  for index, field in ipairs(fields) do
    parts[index] = plain.percent(field[1]) .. "=" .. plain.percent(field[2])
  end
  return table.concat(parts, "&")
end

--- The URL of a server without anything behind host and port: https://host[:port]. Returns it
-- without a final slash, or nil.
function urls.origin(text)
  return text:match("^(https?://[%w.-]+:?%d*)/?$") or text:match("^(https?://%[[%x:.]+%]:?%d*)/?$")
end

local function place(context, literal)
  if literal:find("#", 1, true) then
    return nil, "a URL with # has a part that is never sent; leave it out"
  elseif context == "server" then
    local rest = literal:match("^https?://[%w.%-%[%]:]+([/?].*)$")
    if not rest then
      return "server"
    end
    literal = rest
  end
  return (context == "query" or literal:find("?", 1, true)) and "query" or "path"
end

local function refuse_tag(context)
  return context == "server" and "a value may not choose the server" or nil
end

--- Reads the template of a URL; `name` for messages. Returns it, or nil, message, "config".
function urls.template(text, name)
  local parsed, message, code = template.parse(text, name, { missing = "refuse",
    context = "server", contexts = place, refuse_tag = refuse_tag })
  if not parsed then
    return nil, message, code
  end
  local outline = parsed:outline(function() return "x" end)
  if not outline:find("^https?://[%w.%-%[%]:]+[/?]") and not urls.origin(outline) then
    return nil, name .. ": expected https://host/…", "config"
  elseif outline:find("[%s%c\128-\255<>\"\\^`{|}]") then
    return nil, name .. ": has characters that must be written as %XX", "config"
  end
  return parsed
end

--- Fills such a template. Returns the URL, or nil, message, "invalid".
function urls.fill(parsed, data)
  return parsed:render(data, function(text, context)
    if not text then
      return nil, "not a text or a number"
    end
    if context == "path" then
      return urls.segment(text)
    end
    return plain.percent(text)
  end)
end

return urls
