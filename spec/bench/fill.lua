-- Makes a store with webhooks, then events that wait for them:
--   fill.lua store= url= webhooks= accounts= events= bytes= [batch_size= in_flight=]
--     [hanging= hanging_url= timeout_ms=]
-- `hanging` more webhooks of the first account go to the other URL, with this time limit.

local stand = require("stand")

local options = stand.options(...)
local sender = stand.open(options)
for number = 1, options.webhooks do
  stand.webhook(sender, number, options)
end
for number = 1, options.hanging or 0 do
  stand.webhook(sender, options.webhooks + number, { url = options.hanging_url, accounts = 1,
    timeout_ms = options.timeout_ms })
end
stand.emit(sender, options.events, stand.data(options.bytes), options.accounts)
stand.print{ events = options.events }
