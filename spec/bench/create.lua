-- For vms.c: creates this thread's share of many webhooks.
--   store= url= webhooks= accounts= threads= batch_size= in_flight=

local stand = require("stand")

local options = stand.options(...)
local sender = stand.open(options)

return function()
  for number = options.thread, options.webhooks, options.threads do
    stand.webhook(sender, number, options)
  end
end
