-- Lua tables to JSON text and back. The text is written here, not by
-- lua-cjson, because the bytes that get signed must be the same on Lua 5.4 and
-- LuaJIT, from run to run: sorted keys, exact integers, shortest floats, and an
-- error with a path for everything JSON cannot say. It is read by loyalhook.core
-- for the same reason: strictly, and alike on both VMs.

local json = {}

local DEPTH_MAX = 64 -- as core/limits.h has it for events
local INTEGER_MAX = 2 ^ 53
local PATH_KEY_MAX = 40
local KEYS_MAX = 2000 -- remembered at once

local concat, floor, format, sort = table.concat, math.floor, string.format, table.sort
local find, gsub, next, type = string.find, string.gsub, next, type

local array_mt = { __name = "loyalhook.array" }
local empty_mt = {
  __name = "loyalhook.empty_array",
  __newindex = function()
    error("json.empty_array is shared and stays empty; use json.array{}", 2)
  end,
}
local raw_mt = { __name = "loyalhook.raw" }

local core_module

local function core()
  core_module = core_module or require("loyalhook.core")
  return core_module
end

-- Keys as a path shows them: a.b[2].c; strange keys are quoted and cut.
local function path_text(path, depth, root)
  local parts = {}
  for i = 1, depth do
    local key = path[i]
    if type(key) == "number" then
      parts[i] = format("[%d]", key)
    elseif key:find("^[%w_%-]+$") and #key <= PATH_KEY_MAX then
      parts[i] = (i > 1 and "." or "") .. key
    else
      parts[i] = '["' .. key:sub(1, PATH_KEY_MAX):gsub("[^\32-\126]", "?") .. '"]'
    end
  end
  if depth > 8 then
    parts = { concat(parts, "", 1, 4), " … ", concat(parts, "", depth - 2, depth) }
  end
  local text = concat(parts)
  return text ~= "" and text or root
end

local function refuse(state, depth, problem)
  state.message = path_text(state.path, depth, state.root) .. ": " .. problem
  error(state, 0)
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
for byte = 0, 31 do
  local char = string.char(byte)
  ESCAPES[char] = ESCAPES[char] or format("\\u%04x", byte)
end

-- Finds what may need care: anything but a-z _ … ~, # … A-Z [, space and !. The
-- most frequent ranges come first, which makes the search twice as fast.
local UNPLAIN = "[^^-~#-[ !]"

-- nil and the offset of the first bad byte if the text is not UTF-8.
local function string_text(text)
  if not find(text, UNPLAIN) then
    return '"' .. text .. '"'
  end
  local valid, offset = core().utf8_check(text)
  if not valid then
    return nil, offset
  end
  return '"' .. gsub(text, '[%z\1-\31"\\]', ESCAPES) .. '"'
end

-- Keys come again in every event: their text with the colon is remembered.
local key_texts, key_count = {}, 0

local function key_text(key)
  local known = key_texts[key]
  if known then
    return known
  end
  local text, offset = string_text(key)
  if not text then
    return nil, offset
  end
  text = text .. ":"
  if #key <= PATH_KEY_MAX then
    if key_count >= KEYS_MAX then
      key_texts, key_count = {}, 0
    end
    key_texts[key], key_count = text, key_count + 1
  end
  return text
end

-- LuaJIT rounds a decimal exactly halfway up, C rounds it to even: both texts
-- read back as the same number, but bytes must be equal, so even it is.
local function settle_tie(text, number, digits)
  local mantissa, exponent = text:match("^([^e]+)(.*)$")
  local shown = mantissa:gsub("%D", ""):gsub("^0+", "")
  local exact = format("%.40e", number):match("^[^e]+"):gsub("%D", "")
  local last = tonumber(mantissa:sub(-1))
  if #shown < digits or last % 2 == 0 or not exact:find("^50*$", digits + 1) then
    return text
  end
  mantissa = mantissa:sub(1, -2) .. format("%d", last - 1)
  if mantissa:find(".", 1, true) then
    mantissa = mantissa:gsub("0+$", ""):gsub("%.$", "")
  end
  return mantissa .. exponent
end

local PRECISIONS = { [14] = "%.14g", [15] = "%.15g", [16] = "%.16g", [17] = "%.17g" }

local function float_text(number)
  local text
  for digits = 14, 17 do
    text = gsub(format(PRECISIONS[digits], number), ",", ".") -- a locale's decimal comma
    if tonumber(text) == number then
      return digits > 15 and settle_tie(text, number, digits) or text
    end
  end
  return text
end

-- nil for what is not a number to JSON. A float with an integer's value is
-- written as that integer, because LuaJIT cannot tell the two apart.
local function number_text(number)
  if number ~= number or number == math.huge or number == -math.huge then
    return nil
  elseif number == 0 then
    return "0" -- minus zero too
  elseif number ~= floor(number) then
    return float_text(number)
  elseif number >= -INTEGER_MAX and number <= INTEGER_MAX then
    return format("%d", number)
  elseif math.type and math.type(number) == "integer" then
    return format("%d", number)
  elseif number >= -2 ^ 63 and number < 2 ^ 63 then
    return format("%.0f", number)
  end
  return float_text(number)
end

-- Counts the keys: how many there are, how many are 1 … 2^53, the largest of
-- those, the string keys, and one key that fits nowhere.
local function keys_of(value)
  local strings, count, indexes, largest, odd = {}, 0, 0, 0, nil
  for key in next, value do
    count = count + 1
    if type(key) == "string" then
      strings[#strings + 1] = key
    elseif type(key) == "number" and key >= 1 and key == floor(key) and key <= INTEGER_MAX then
      indexes = indexes + 1
      largest = key > largest and key or largest
    else
      odd = key
    end
  end
  return strings, count, indexes, largest, odd
end

local function is_marked_array(state, value)
  local mt = getmetatable(value)
  if mt == array_mt or mt == empty_mt or (state.arrays and state.arrays[value]) then
    return true
  end
  -- OpenResty's lua-cjson marks arrays its own way.
  local other = mt ~= nil and package.loaded.cjson
  return other and (mt == other.array_mt or mt == other.empty_array_mt) or false
end

-- The put functions write behind out[n] and return the new n; counting along is
-- what makes them quick.
local put -- writes any value; below

local function put_array(state, n, value, depth, count)
  local out = state.out
  n = n + 1
  out[n] = "["
  for i = 1, count do
    if i > 1 then
      n = n + 1
      out[n] = ","
    end
    state.path[depth] = i
    n = put(state, n, value[i], depth)
  end
  out[n + 1] = "]"
  return n + 1
end

local function put_object(state, n, value, depth, keys)
  local out, path = state.out, state.path
  sort(keys)
  n = n + 1
  out[n] = "{"
  for i = 1, #keys do
    local key = keys[i]
    path[depth] = key
    local text, offset = key_text(key)
    if not text then
      refuse(state, depth, format("key: byte %d is not UTF-8", offset))
    elseif i > 1 then
      n = n + 1
      out[n] = ","
    end
    n = n + 1
    out[n] = text
    n = put(state, n, rawget(value, key), depth)
  end
  out[n + 1] = "}"
  return n + 1
end

local function put_table(state, n, value, depth)
  if getmetatable(value) == raw_mt then
    state.out[n + 1] = value.text
    return n + 1
  end
  if depth >= DEPTH_MAX then
    refuse(state, depth, format("more than %d levels deep, or a cycle", DEPTH_MAX))
  end
  local keys, count, indexes, largest, odd = keys_of(value)
  local marked = (count == 0 or getmetatable(value)) and is_marked_array(state, value)
  if odd ~= nil then
    refuse(state, depth, format("key %s: keys are strings, or 1 to n", tostring(odd)))
  elseif indexes > 0 and indexes < count or marked and #keys > 0 then
    sort(keys)
    refuse(state, depth, format('both numbered entries and the key "%s"', keys[1]))
  elseif indexes ~= largest then
    local hole = 1
    while rawget(value, hole) ~= nil do
      hole = hole + 1
    end
    refuse(state, depth, format("array with a hole: entry %d is nil", hole))
  elseif indexes > 0 or marked then
    return put_array(state, n, value, depth + 1, indexes)
  end
  return put_object(state, n, value, depth + 1, keys)
end

-- null, OpenResty's empty_array, and LuaJIT's boxed 64-bit integers.
local function foreign_text(value, kind)
  if kind == "cdata" then
    return (tostring(value):match("^(%-?%d+)U?LL$"))
  elseif kind == "userdata" then
    if value == core().json.null then
      return "null"
    end
    local other = package.loaded.cjson
    return other and value == other.empty_array and "[]" or nil
  end
end

-- The text of anything but a table, or nil and what is wrong with it.
local function scalar_text(value, kind)
  if kind == "string" then
    local text, offset = string_text(value)
    return text, offset and format("byte %d is not UTF-8", offset)
  elseif kind == "number" then
    return number_text(value), "NaN and infinity are not JSON"
  elseif kind == "boolean" then
    return value and "true" or "false"
  end
  return foreign_text(value, kind), format("a %s cannot be written as JSON", kind)
end

put = function(state, n, value, depth)
  local kind = type(value)
  if kind == "table" then
    return put_table(state, n, value, depth)
  end
  local text, problem = scalar_text(value, kind)
  if not text then
    refuse(state, depth, problem)
  end
  state.out[n + 1] = text
  return n + 1
end

--- A Lua value as JSON text: keys sorted, no spaces, the same bytes on every
-- VM. Tables with entries 1 to n are arrays, an empty table is an object unless
-- marked with json.array. options.name is the path of the value itself in
-- messages (default "value"), options.arrays a set of tables that are arrays
-- even if empty. Returns text or nil, message with the path, "invalid".
function json.encode(value, options)
  local state = { out = {}, path = {}, root = options and options.name or "value",
    arrays = options and options.arrays }
  local ok, problem = pcall(put, state, 0, value, 0)
  if ok then
    return concat(state.out)
  elseif problem == state then
    return nil, state.message, "invalid"
  end
  error(problem, 0)
end

--- JSON text as a Lua value, the same on both VMs. null becomes json.null; an
-- array is marked as json.array marks one, so that an empty one is written as []
-- again; of a repeated name the last counts. Whole numbers below 2^53 are
-- integers on Lua 5.4, other numbers floats: beyond 2^53 digits are lost, so
-- where those matter use the text. Returns value or nil, message, "invalid".
function json.decode(text)
  if type(text) ~= "string" then
    error("json.decode: expected a string, got " .. type(text), 2)
  end
  return core().json.decode(text, array_mt, DEPTH_MAX)
end

--- Marks a table (default: a new one) as an array, so that it is written as []
-- when empty. Returns the same table.
function json.array(value)
  if value ~= nil and type(value) ~= "table" then
    error("json.array: expected a table, got " .. type(value), 2)
  end
  return setmetatable(value or {}, array_mt)
end

--- JSON text to be written as it is inside an encoded value. Returns a marker,
-- or nil, message, "invalid" if the text is not one JSON value.
function json.raw(text)
  local kind, message, code = core().json.check(text, DEPTH_MAX)
  if not kind then
    return nil, message, code
  end
  return setmetatable({ text = text }, raw_mt)
end

--- Always written as [].
json.empty_array = setmetatable({}, empty_mt)

--- json.null is written as null and is what null decodes to; equal to
-- lua-cjson's null and OpenResty's ngx.null.
return setmetatable(json, {
  __index = function(_, key)
    if key == "null" then
      json.null = core().json.null
      return json.null
    end
  end,
})
