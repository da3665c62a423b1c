-- For vms.c: emits `count` events of one thread, `per_call` a call.
--   store= count= per_call= bytes= [accounts= in_turn=]
-- `in_turn` (1) of the accounts share a call, other ones the next.

local stand = require("stand")

local options = stand.options(...)
local sender = stand.open(options)
local data = stand.data(options.bytes)
local accounts, in_turn = options.accounts or 1, options.in_turn or 1
local list = {}
for index = 1, options.per_call do
  list[index] = { event_type = "event_points_earned", data_json = data }
end

local function next_accounts(call)
  for index, event in ipairs(list) do
    event.account = stand.account(call * in_turn + index % in_turn + 1, accounts)
  end
end

return function()
  for call = 0, options.count / options.per_call - 1 do
    if accounts > 1 then
      next_accounts(call)
    end
    if options.per_call == 1 then
      assert(sender:emit(list[1]))
    else
      assert(sender:emit_many(list))
    end
  end
end
