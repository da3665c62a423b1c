-- Reads JSON for tests in other languages. Each line of stdin is one case in hex.
--   lua read_json.lua decode           what json.decode makes of it, in a form without doubt
--   lua read_json.lua accept STORE     a case is SCHEME:WEBHOOK-ID:BODY, accepted by a new store:
--                                      its verdict; and at the end every stored event, oldest first

local json = require("loyalhook.json")

local floor = math.floor
local array_mt = getmetatable(json.array())

local function text(hex)
  return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
end

-- A double as an odd whole number times a power of two; whole ones below 2^53 as they print.
local function number_text(number)
  local whole = number == floor(number) and number > -2 ^ 53 and number < 2 ^ 53
  if math.type then
    assert((math.type(number) == "integer") == whole, "integer or float?")
  end
  if whole then
    return string.format("%d", number)
  elseif number == math.huge or number == -math.huge then
    return number > 0 and "inf" or "-inf"
  end
  local exponent = 0
  while number ~= floor(number) do number, exponent = number * 2, exponent - 1 end
  while number % 2 == 0 do number, exponent = number / 2, exponent + 1 end
  return string.format("%.0fp%d", number, exponent)
end

local show

local function show_table(value)
  local parts = {}
  if getmetatable(value) == array_mt then
    for i = 1, #value do parts[i] = show(value[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, member in pairs(value) do parts[#parts + 1] = "s" .. hex(key) .. ":" .. show(member) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

function show(value)
  local kind = type(value)
  if value == json.null then
    return "null"
  elseif kind == "table" then
    return show_table(value)
  elseif kind == "string" then
    return "s" .. hex(value)
  end
  return kind == "number" and number_text(value) or tostring(value)
end

local function decode()
  for line in io.lines() do
    local value, message, code = json.decode(text(line))
    print(message and "refused " .. code or show(value))
  end
end

local function accept(location)
  local engine = require("loyalhook.engine")
  local store = assert(engine.store_open({ location = location, create = true }))
  for line in io.lines() do
    local scheme, id, body = text(line):match("^(%a+):([^:]*):(.*)$")
    local verdict = assert(store:inbox_accept({ { source = "s", scheme = scheme, id = id,
      body = body } }, 1795000000000))[1]
    print(verdict.code and "refused"
      or string.format("%d %d %s", verdict.events, verdict.added, verdict.total_count or "-"))
  end
  local rows, page = {}, nil
  repeat
    page = assert(store:inbox_list({ limit = 1000, after = page and page.next }))
    for _, row in ipairs(page.events) do rows[#rows + 1] = row end
  until not page.next
  for i = #rows, 1, -1 do
    local row = assert(store:inbox_get(rows[i].id))[1]
    print(table.concat({ hex(row.id), hex(row.event_type), hex(row.member or ""),
      hex(row.data) }, " "))
  end
  store:close()
end

if arg[1] == "decode" then decode() else accept(arg[2]) end
