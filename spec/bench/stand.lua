-- What the bench's scripts share: arguments, event data of a wished length, a
-- store to work on, and their one line of figures. A script's arguments are
-- texts "name=value"; one that runs in vms.c gets its thread's number first.

local core = require("loyalhook.core")
local loyalhook = require("loyalhook")

local stand = {}

--- The arguments as a table; whole numbers become numbers.
function stand.options(...)
  local options = {}
  for index = 1, select("#", ...) do
    local argument = select(index, ...)
    local name, value = tostring(argument):match("^([%w_]+)=(.*)$")
    if name then
      options[name] = tonumber(value) or value
    else
      options.thread = tonumber(argument)
    end
  end
  return options
end

--- JSON text of about so many bytes, shaped like a loyalty event: many short members. `stamp`, a
-- number, becomes its member sent_us.
function stand.data(bytes, stamp)
  local parts = { '{"member_info":{"member_id":"m-1001","first_name":"Zo\195\171"}' }
  local len = #parts[1] + 1
  if stamp then
    parts[2] = (',"sent_us":%.0f'):format(stamp)
    len = len + #parts[2]
  end
  while len < bytes do
    local left = bytes - len
    local name = ('"attribute_%03d":"'):format(#parts)
    local value = ("value of attribute "):rep(2):sub(1, math.max(0, left - #name - 2))
    parts[#parts + 1] = "," .. name .. value .. '"'
    len = len + #parts[#parts]
  end
  return table.concat(parts) .. "}"
end

--- A sender on options.store, made if it is missing.
function stand.open(options)
  return assert(loyalhook.sender.open{ store = options.store, create = true, allow_http = true,
    allow_networks = { "127.0.0.0/8" } })
end

--- The name of the account that the webhook or event with this number belongs to.
function stand.account(number, accounts)
  return "shop-" .. (number - 1) % accounts + 1
end

--- Creates the webhook with this number; its URL ends with it.
function stand.webhook(sender, number, options)
  return assert(sender:create_webhook{ name = "w" .. number, url = options.url .. number,
    account = stand.account(number, options.accounts), event_types = { "*" },
    secret = "a secret of the bench", batch_size = options.batch_size,
    max_in_flight = options.in_flight, timeout_ms = options.timeout_ms })
end

--- Emits `count` events, 1000 a call, the accounts in turn.
function stand.emit(sender, count, data, accounts)
  for done = 0, count - 1, 1000 do
    local list = {}
    for index = 1, math.min(1000, count - done) do
      list[index] = { event_type = "event_points_earned", data_json = data,
        account = stand.account(done + index, accounts) }
    end
    assert(sender:emit_many(list))
  end
end

--- A line of this process's /proc/self/status in KiB.
function stand.memory_kib(line)
  for text in io.lines("/proc/self/status") do
    local value = text:match("^" .. line .. ":%s+(%d+)")
    if value then
      return tonumber(value)
    end
  end
end

--- How many microseconds there were, half and 99 % of them at most, and the most.
function stand.spread(list)
  table.sort(list)
  return { count = #list, p50_us = list[math.ceil(#list / 2)],
    p99_us = list[math.ceil(#list * 0.99)], max_us = list[#list] }
end

--- Prints figures as one JSON object.
function stand.print(figures)
  local parts = {}
  for name, value in pairs(figures) do
    parts[#parts + 1] = ('"%s": %s'):format(name, ("%.6f"):format(value):gsub("%.?0+$", ""))
  end
  print("{" .. table.concat(parts, ", ") .. "}")
end

stand.now_ms = core.now_ms

return stand
