-- A receiver for tests in other languages: accept.lua STORE SOURCES_JSON. Each line of stdin is a
-- request { source, headers, body (hex) } in JSON; the answer is one line "STATUS BODY". At the end
-- come the inbox's rows, oldest first, one line of JSON each.

local json = require("loyalhook.json")
local receiver = assert(require("loyalhook.receiver").open{ store = arg[1], create = true,
  sources = assert(json.decode(arg[2])), log = function() end })

local function text(hex)
  return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

for line in io.lines() do
  local request = assert(json.decode(line))
  print(receiver:accept(request.source, request.headers, text(request.body)))
end

local rows, cursor = {}, nil
repeat
  local list, following = assert(receiver:events{ limit = 1000, after = cursor })
  for _, row in ipairs(list) do
    local full = assert(receiver:event(row.id, row.source))[1]
    table.insert(rows, 1, json.encode{ row.id, row.source, row.event_type, row.state,
      full.member_id or false, full.data_json, full.data })
  end
  cursor = following
until not cursor
print(table.concat(rows, "\n"))
receiver:close()
