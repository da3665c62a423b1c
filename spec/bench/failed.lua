-- Makes a store whose one webhook has many failed requests, of one event each: it is disabled while
-- they wait, a worker settles that, and it is enabled again.
--   failed.lua store= url= requests=

local loyalhook = require("loyalhook")
local stand = require("stand")

local options = stand.options(...)
local sender = stand.open(options)
local webhook = stand.webhook(sender, 1, { url = options.url, accounts = 1, batch_size = 1 })
stand.emit(sender, options.requests, stand.data(200), 1)
assert(sender:disable_webhook(webhook.id))
local worker = assert(loyalhook.worker.new{ sender = sender, log_level = "error",
  log = function() end })
assert(worker:run{ until_idle = true })
worker:close()
assert(sender:enable_webhook(webhook.id))
stand.print{ failed = assert(sender:retry_failed{ dry_run = true }).total }
