-- Reads the type stubs in types/loyalhook: LuaCATS comments and the declarations below them. For
-- the reference that LDoc builds (translate.lua) and for the spec that compares them with the code.
-- What it does not know is an error, so that nothing is lost on the way.

local stubs = {}

local CLOSING = { ["("] = ")", ["<"] = ">", ["{"] = "}", ["["] = "]", ['"'] = '"' }

-- The type at the beginning of a text, and what follows it: blanks inside brackets belong to it,
-- and so does what stands behind a colon (the result of a function) or beside a bar.
local function take_type(text)
  local waiting, at = {}, 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == waiting[#waiting] then
      waiting[#waiting] = nil
    elseif CLOSING[char] and waiting[#waiting] ~= '"' then
      waiting[#waiting + 1] = CLOSING[char]
    elseif char == " " and #waiting == 0 and not text:sub(1, at - 1):find("[:,]$") then
      break
    end
    at = at + 1
  end
  return text:sub(1, at - 1), text:sub(at + 1)
end

local tags = {}

function tags.meta(file, _, rest)
  file.module = rest ~= "_" and rest or nil
end

function tags.class(file, block, rest)
  local name, parent = rest:match("^([%w_.]+)%s*:?%s*([%w_.]*)$")
  assert(name, "class: " .. rest)
  block.kind, block.name, block.parent = "class", name, parent ~= "" and parent or nil
  block.fields = {}
  file.items[#file.items + 1] = block
end

function tags.field(_, block, rest)
  local name, optional, after = rest:match("^([%w_]+)(%??) (.+)$")
  assert(name and block.fields, "field: " .. rest)
  local kind, text = take_type(after)
  block.fields[#block.fields + 1] = { name = name, optional = optional == "?", type = kind,
    text = text }
end

function tags.alias(file, block, rest)
  block.kind, block.name, block.values = "alias", rest, {}
  file.items[#file.items + 1] = block
end

function tags.param(_, block, rest)
  local name, optional, after = rest:match("^([%w_]+)(%??) (.+)$")
  assert(name, "param: " .. rest)
  local kind, text = take_type(after)
  block.params[#block.params + 1] = { name = name, optional = optional == "?", type = kind,
    text = text }
end

tags["return"] = function(_, block, rest)
  local kind, text = take_type(rest)
  block.returns[#block.returns + 1] = { type = kind, text = text }
end

local function new_block()
  return { text = {}, params = {}, returns = {} }
end

-- A comment line of a block.
local function read_comment(file, block, line)
  local tag, rest = line:match("^@(%a+)%s*(.*)$")
  local value = line:match("^|%s*(.+)$")
  if tag then
    assert(tags[tag], "unknown tag @" .. tag)(file, block, rest)
  elseif value then
    block.values[#block.values + 1] = value:match('^"(.*)"$') or value
  else
    block.text[#block.text + 1] = line:gsub("^ ", "")
  end
end

-- A line of code ends a block; a function is what the block was about.
local function read_code(file, block, line)
  local name, arguments = line:match("^function ([%w_.:]+)%((.-)%) end$")
  if name then
    block.kind, block.name, block.arguments = "function", name, {}
    for argument in arguments:gmatch("[%w_]+") do
      block.arguments[#block.arguments + 1] = argument
    end
    file.items[#file.items + 1] = block
  elseif block.kind == "class" then
    block.variable = line:match("^local ([%w_]+) = {}$")
  elseif line ~= "" then
    assert(line:find("^return ") or line:find("^[%w_.]+ = {}$"), "unknown line " .. line)
  end
end

--- A stub file: { path, module = its name or nil, items }. An item has kind ("class", "function" or
--- "alias"), name, text (lines), and of its kind: fields, variable (the local that its methods are
--- declared on), parent; params { name, optional, type, text }, returns { type, text }, arguments;
--- values.
function stubs.read(path)
  local file, block = { path = path, items = {} }, new_block()
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local done, problem = pcall(function()
      local comment = line:match("^%-%-%-(.*)$")
      if comment then
        read_comment(file, block, comment)
      elseif not line:find("^%-%-") then
        read_code(file, block, line)
        block = new_block()
      end
    end)
    assert(done, ("%s:%d: %s"):format(path, number, tostring(problem):gsub("^.-:%d+: ", "")))
  end
  return file
end

return stubs
