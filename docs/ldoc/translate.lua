-- Writes the type stubs of types/loyalhook once more, as LDoc reads them: a module with its
-- functions, the tables that they take and return, and the objects with their methods.
--
--     lua5.4 docs/ldoc/translate.lua FOLDER STUB…

package.path = "docs/ldoc/?.lua;" .. package.path
local stubs = require("stubs")

-- LDoc's type is one word; "?" in front means that it may be nil.
local function type_of(text)
  text = text:gsub("%s+", ""):gsub("loyalhook%.", "")
  local bare = text:match("^(.*)%?$") or text:match("^(.*)|nil$")
  return bare and "?" .. bare or text
end

local function comment(out, lines)
  for index, line in ipairs(lines) do
    out[#out + 1] = (index == 1 and "--- " or "-- ") .. line
  end
end

local function text_of(item)
  return table.move(item.text, 1, #item.text, 1, {})
end

local function short(name)
  return (name:gsub("^loyalhook%.", ""))
end

local function add_table(out, item)
  local lines = text_of(item)
  lines[#lines + 1] = "@table " .. short(item.name)
  for _, field in ipairs(item.fields) do
    lines[#lines + 1] = ("@tfield%s %s %s %s"):format(field.optional and "[opt]" or "",
      type_of(field.type), field.name, field.text)
  end
  comment(out, lines)
  out[#out + 1] = ""
end

local function add_function(out, item)
  local lines = text_of(item)
  for _, param in ipairs(item.params) do
    lines[#lines + 1] = ("@tparam%s %s %s %s"):format(param.optional and "[opt]" or "",
      type_of(param.type), param.name, param.text)
  end
  for _, result in ipairs(item.returns) do
    lines[#lines + 1] = ("@treturn %s %s"):format(type_of(result.type), result.text)
  end
  lines[#lines + 1] = "@function " .. item.name:gsub("^.*[.:]", item.name:find(":") and "" or "%0")
  comment(out, lines)
  out[#out + 1] = ""
end

local function add_alias(out, item)
  local lines = text_of(item)
  lines[#lines + 1] = "@table " .. short(item.name)
  for index, value in ipairs(item.values) do
    lines[#lines + 1] = ("@tfield string %d %s"):format(index, value)
  end
  comment(out, lines)
  out[#out + 1] = ""
end

-- The functions of a variable, in order.
local function functions_of(file, variable)
  local list = {}
  for _, item in ipairs(file.items) do
    if item.kind == "function" and item.name:match("^[%w_]+") == variable then
      list[#list + 1] = item
    end
  end
  return list
end

local function add_object(out, item, methods)
  local lines = text_of(item)
  lines[#lines + 1] = "@type " .. short(item.name)
  comment(out, lines)
  out[#out + 1] = ""
  for _, method in ipairs(methods) do
    add_function(out, method)
  end
end

local function translate(file)
  local head = file.items[1]
  local out, lines = {}, text_of(head)
  lines[#lines + 1] = "@module " .. head.name
  comment(out, lines)
  out[#out + 1] = ""
  for _, item in ipairs(functions_of(file, head.variable)) do
    add_function(out, item)
  end
  if #head.fields > 0 then
    add_table(out, { name = "fields", text = { "What it has beside functions." },
      fields = head.fields })
  end
  for index, item in ipairs(file.items) do
    local methods = item.kind == "class" and item.variable and functions_of(file, item.variable)
    if item.kind == "alias" then
      add_alias(out, item)
    elseif item.kind == "class" and index > 1 and not methods then
      add_table(out, item)
    end
  end
  for index, item in ipairs(file.items) do
    if item.kind == "class" and index > 1 and item.variable then
      add_object(out, item, functions_of(file, item.variable))
    end
  end
  return table.concat(out, "\n")
end

local folder = arg[1]
for index = 2, #arg do
  local file = stubs.read(arg[index])
  local target = assert(io.open(folder .. "/" .. arg[index]:match("[^/]+$"), "w"))
  target:write(translate(file))
  target:close()
end
