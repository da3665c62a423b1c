-- Emits events until it is killed or has emitted `most`, and says each id as
-- soon as the emit has said ok: what stands on its output was accepted.
--   emitter.lua STORE NAME MOST PER_CALL WAL_BYTES_MAX

local loyalhook = require "loyalhook"

local store, name, most = arg[1], arg[2], tonumber(arg[3])
local per_call, wal_bytes_max = tonumber(arg[4]), tonumber(arg[5])

io.stdout:setvbuf("full")
local sender = assert(loyalhook.sender.open{ store = store, wal_bytes_max = wal_bytes_max })
local count = 0
while count < most do
  local batch = {}
  for i = 1, per_call do
    count = count + 1
    batch[i] = { event_type = "event_points_earned", data_json = ('{"member_info":{"member_id":'
      .. '"%s-%d"},"n":%d}'):format(name, count, count) }
  end
  local ids = assert(sender:emit_many(batch))
  io.stdout:write(table.concat(ids, "\n"), "\n")
  io.stdout:flush()
end
sender:close()
