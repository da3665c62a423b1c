-- Logic-less templates, as handlers fill them with event data: mails, URLs, bodies. Read once when
-- a handler is made, where every mistake is named with its line; filled in one pass, so that what
-- stands in the data is never read as a template. What a value must look like where it lands (HTML,
-- a URL, a JSON string) is the caller's: its `escape` sees every value. No code, no files, no loops
-- but the lists of the data.
--
--   {{a.b}}              a value; {{a.b|else}} with a text for when it is absent
--   {{#a.b}} … {{/a.b}}  once if there is something; for a list once an entry, {{.}} being it
--   {{^a.b}} … {{/a.b}}  if there is nothing: absent, null, false, "" or an empty list
--   {{! remark}}         nothing

local json = require("loyalhook.json")
local options = require("loyalhook.options")

local template = {}

local BYTES_MAX = 1048576 -- of what comes out
local DEPTH_MAX = 16 -- sections in sections
local SHOWN_MAX = 40

local Template = {}
Template.__index = Template

-- Raised inside parse and render, caught there.
local Problem = {}

local function refuse(name, line, text, ...)
  error(setmetatable({ message = ("%s:%d: %s"):format(name, line, text:format(...)) }, Problem), 0)
end

-- Runs a function that may refuse: its results, or nil, message, code.
local function guarded(code, run, ...)
  local ok, result = pcall(run, ...)
  if ok then
    return result
  elseif getmetatable(result) == Problem then
    return nil, result.message, code
  end
  error(result, 0)
end

local function shown(text)
  return text:sub(1, SHOWN_MAX):gsub("[%c\127-\255]", "?")
end

-- "a.b" → { "a", "b" }; "." → {}; nil if it is no path.
local function path_of(text)
  if text == "." then
    return {}
  end
  local path = {}
  for key in (text .. "."):gmatch("([^.]*)%.") do
    if not key:find("^[%w_-]+$") then
      return nil
    end
    path[#path + 1] = key
  end
  return path
end

-- Whether a tag has its line to itself; if so also where the next line begins.
local function alone_until(text, from, to)
  local line_at = text:sub(1, from - 1):match(".*\n()") or 1
  if text:sub(line_at, from - 1):find("[^ \t]") then
    return nil
  end
  local _, last = text:find("^[ \t]*\r?\n", to + 1)
  return last or text:find("^[ \t]*$", to + 1) and #text or nil
end

-- The text up to a tag; reading goes on behind the tag. A section's tag that has its line to
-- itself takes that line with it.
local function literal_before(state, from, to, is_value)
  local literal = state.text:sub(state.at, from - 1)
  local last = not is_value and alone_until(state.text, from, to)
  if last then
    literal = literal:gsub("[ \t]*$", "")
  end
  state.line = state.line + select(2, state.text:sub(state.at, from - 1):gsub("\n", ""))
  state.at = (last or to) + 1
  state.next_line = state.line + select(2, state.text:sub(from, state.at - 1):gsub("\n", ""))
  return literal
end

local function add_literal(state, literal)
  if literal == "" then
    return
  end
  local nodes = state.open[#state.open].nodes
  nodes[#nodes + 1] = { text = literal }
  if state.contexts then
    local problem
    state.context, problem = state.contexts(state.context, literal)
    if problem then
      refuse(state.name, state.line, "%s", problem)
    end
  end
end

local function checked_path(state, text)
  local path = path_of(text)
  if not path then
    refuse(state.name, state.line, "{{%s}}: expected a name like member_info.first_name",
      shown(text))
  end
  return path
end

local function open_section(state, mark, text)
  if #state.open > DEPTH_MAX then
    refuse(state.name, state.line, "more than %d sections inside each other", DEPTH_MAX)
  end
  local section = { nodes = {}, path = checked_path(state, text), shown = text,
    inverted = mark == "^", line = state.line, context = state.context }
  local nodes = state.open[#state.open].nodes
  nodes[#nodes + 1] = section
  state.open[#state.open + 1] = section
end

local function close_section(state, text)
  local section = state.open[#state.open]
  if #state.open == 1 then
    refuse(state.name, state.line, "{{/%s}}: nothing is open here", shown(text))
  elseif section.shown ~= text then
    refuse(state.name, state.line, "{{/%s}}: {{#%s}} of line %d is still open", shown(text),
      section.shown, section.line)
  elseif section.context ~= state.context then
    refuse(state.name, state.line, "{{#%s}} of line %d: must end where it began (%s), not in %s",
      text, section.line, tostring(section.context), tostring(state.context))
  end
  state.open[#state.open] = nil
end

local function add_value(state, inside)
  local text, default = inside:match("^([^|]*)|(.*)$")
  text = (text or inside):match("^%s*(.-)%s*$")
  local nodes = state.open[#state.open].nodes
  if state.refuse_tag then
    local problem = state.refuse_tag(state.context)
    if problem then
      refuse(state.name, state.line, "{{%s}}: %s", shown(text), problem)
    end
  end
  nodes[#nodes + 1] = { path = checked_path(state, text), shown = text, default = default,
    line = state.line, context = state.context }
  if state.behind then
    state.context = state.behind(state.context)
  end
end

local function read_tag(state, from)
  local to = state.text:find("}}", from + 2, true)
  local inside = state.text:sub(from + 2, (to or 0) - 1)
  local line = state.line + select(2, state.text:sub(state.at, from - 1):gsub("\n", ""))
  if not to or inside:find("[\r\n]") then
    refuse(state.name, line, "{{%s: no }} on this line", shown(inside:match("^[^\r\n]*")))
  elseif inside:find("[{]") then
    refuse(state.name, line, "{{%s}}: one { too many; values are always escaped", shown(inside))
  end
  local mark, text = inside:match("^%s*([#^/!])%s*(.-)%s*$")
  add_literal(state, literal_before(state, from, to + 1, mark == nil))
  if mark == "/" then
    close_section(state, text)
  elseif mark == "#" or mark == "^" then
    open_section(state, mark, text)
  elseif not mark then
    add_value(state, inside)
  end
  state.line = state.next_line
end

local function parse(state)
  local from = state.text:find("{{", state.at, true)
  while from do
    read_tag(state, from)
    from = state.text:find("{{", state.at, true)
  end
  add_literal(state, state.text:sub(state.at))
  local section = state.open[#state.open]
  if #state.open > 1 then
    refuse(state.name, section.line, "{{#%s}}: never closed", section.shown)
  end
  return setmetatable({ name = state.name, nodes = section.nodes, missing = state.missing },
    Template)
end

local PARSE = { missing = "string", contexts = "function", context = "string",
  behind = "function", refuse_tag = "function" }

--- Reads a template. `name` stands in front of messages ("wallet.http.url:1: …"). given, all
-- optional: missing = "empty" (the default) or "refuse": what becomes of an absent value without
-- a default; context = where a tag at the very beginning would stand, and contexts =
-- function(context, literal): where one behind this text stands (or nil, problem): escape gets it
-- with every value; behind = function(context): where what follows a value stands; refuse_tag =
-- function(context): why no value may stand there, or nil.
-- Returns the template, or nil, message, "config".
function template.parse(text, name, given)
  given = options.check(given, PARSE, "template.parse")
  if type(text) ~= "string" then
    error("template.parse: expected a string, got " .. type(text), 2)
  end
  return guarded("config", parse, { text = text, name = name, at = 1, line = 1,
    open = { { nodes = {} } }, missing = given.missing or "empty", contexts = given.contexts,
    context = given.context, behind = given.behind, refuse_tag = given.refuse_tag })
end

-- The value at a path, or nil: absent, null, or on the way through something that has no parts.
local function value_at(value, path, first)
  for index = first, #path do
    if type(value) ~= "table" then
      return nil
    end
    local key = path[index]
    local found = rawget(value, key)
    if found == nil and key:find("^%d+$") then
      found = rawget(value, tonumber(key))
    end
    value = found
  end
  if type(value) ~= "userdata" then -- userdata is null
    return value
  end
end

-- The innermost scope that has the first name; without one the outermost, which has not.
local function look_up(scopes, path)
  if #path == 0 then
    return value_at(scopes[#scopes], path, 1)
  end
  for index = #scopes, 1, -1 do
    local value = value_at(scopes[index], { path[1] }, 1)
    if value ~= nil then
      return value_at(value, path, 2)
    end
  end
end

--- The value at "a.b.c" in decoded data (entries of lists from 1: "a.1"), or nil if it is absent or
-- null. Also nil for what is no path.
function template.value(data, text)
  local path = path_of(text)
  return path and value_at(data, path, 1)
end

--- A string, number or boolean as text, the same on both VMs; nil for anything else.
function template.text(value)
  local kind = type(value)
  if kind == "string" then
    return value
  elseif kind == "number" or kind == "boolean" then
    return (json.encode(value))
  end
end

local function put(state, text)
  state.bytes = state.bytes + #text
  if state.bytes > BYTES_MAX then
    refuse(state.name, state.at_line, "more than %d bytes", BYTES_MAX)
  end
  state.out[#state.out + 1] = text
end

local function put_value(state, node)
  local value = look_up(state.scopes, node.path)
  if (value == nil or value == "") and node.default then
    value = node.default
  elseif value == nil and state.missing == "refuse" then
    refuse(state.name, node.line, "%s: absent in this event", node.shown)
  elseif value == nil then
    value = ""
  end
  local text = template.text(value)
  if not text and (type(value) ~= "table" or not node.context) then
    refuse(state.name, node.line, "%s: not a text or a number", node.shown)
  end
  local escaped, problem = text, nil
  if state.escape then
    escaped, problem = state.escape(text, node.context, value, node.shown)
  end
  if not escaped then
    refuse(state.name, node.line, "%s: %s", node.shown, problem)
  end
  put(state, escaped)
end

local put_nodes -- below

local function is_nothing(value)
  return value == nil or value == false or value == ""
    or type(value) == "table" and next(value) == nil
end

local function put_section(state, node)
  local value = look_up(state.scopes, node.path)
  local scopes = state.scopes
  if node.inverted or is_nothing(value) then
    if node.inverted and is_nothing(value) then
      put_nodes(state, node.nodes)
    end
    return
  end
  local entries = type(value) == "table" and value[1] ~= nil and value or { value }
  for _, entry in ipairs(entries) do
    scopes[#scopes + 1] = entry
    put_nodes(state, node.nodes)
    scopes[#scopes] = nil
  end
end

put_nodes = function(state, nodes)
  for _, node in ipairs(nodes) do
    state.at_line = node.line or state.at_line
    if node.text then
      put(state, node.text)
    elseif node.nodes then
      put_section(state, node)
    else
      put_value(state, node)
    end
  end
end

--- The text, filled with `data`. escape(text, context, value, name) returns what is put for a
-- value, or nil and why not; text is nil for a list or an object, which are only passed where there
-- is a context. Returns text, or nil, message, "invalid".
function Template:render(data, escape)
  local state = { name = self.name, missing = self.missing, escape = escape, scopes = { data },
    out = {}, bytes = 0, at_line = 1 }
  return guarded("invalid", function()
    put_nodes(state, self.nodes)
    return table.concat(state.out)
  end)
end

local function outline(nodes, fill, out)
  for _, node in ipairs(nodes) do
    if node.nodes then
      outline(node.nodes, fill, out)
    else
      out[#out + 1] = node.text or fill(node.context, node.shown)
    end
  end
  return out
end

--- The text with fill(context, name) for each value and each section taken once: what a caller can
-- check when the template is read.
function Template:outline(fill)
  return table.concat(outline(self.nodes, fill, {}))
end

local function each_name(nodes, sections, look)
  for _, node in ipairs(nodes) do
    if node.path then
      look(node.shown, node.line, node.nodes ~= nil, sections)
    end
    if node.nodes then
      sections[#sections + 1] = node.shown
      each_name(node.nodes, sections, look)
      sections[#sections] = nil
    end
  end
end

--- Calls look(name, line, is_section, sections) for each value and section; sections: the names of
-- those that it stands in, from outside in.
function Template:each_name(look)
  each_name(self.nodes, {}, look)
end

return template
