-- 05: a handler of one's own, from a signed request to its effect. Receives three events (in life
-- they come in through a web server: example 04), and runs handlers/ledger.lua on them in a worker
-- (in life `loyalhook work`), until nothing is left to do.

local here = arg[0]:match("^(.*/)") or "./"
local loyalhook = require("loyalhook")

local SECRET = "example-secret-of-16+"
local receiver = assert(loyalhook.receiver.open {
  store = "sqlite:inbox.db", create = true, sources = { zinrelo = { secrets = { SECRET } } },
})

-- What a sender would post: an envelope of events, signed over its bytes.
local function event(id, event_type, award)
  return { id = id, event_type = event_type, data = { member_info = { member_id = "m-1" },
    transaction_info = { award_info = award } } }
end
local body = assert(loyalhook.json.encode({ request_id = "61f11851bdfb9aac526d0c70",
  total_count = "3", created_date = "01/26/2022 09:47:29", events = {
    event("e1", "event_points_earned", { points = "360" }),
    event("e2", "event_points_redeemed", { points = "-100" }),
    event("e3", "event_points_earned", loyalhook.json.array {}),
  } }))
local headers = assert(loyalhook.signature.headers { secret = SECRET, body = body })
print("received", receiver:accept("zinrelo", headers, body))
print("again", receiver:accept("zinrelo", headers, body))

-- The worker loads the handler as loyalhook.lua says it, and runs it on what waits.
local handlers = assert(require("loyalhook.handlers.loader").load(
  { { file = "handlers/ledger.lua", path = "ledger.csv" } }, here .. "loyalhook.lua",
  loyalhook.events))
handlers[1].from = "start" -- what was received before the worker first ran too
local worker = assert(loyalhook.worker.new { receiver = receiver, handlers = handlers,
  log = function() end })
assert(worker:run { until_idle = true, on_report = function(report)
  for _, task in ipairs(report.tasks) do
    print("task", task.handler, task.id, task.state, task.error or "")
  end
end })
worker:close()

-- What came in, and what became of it: `loyalhook inbox list`.
for _, row in ipairs(assert(receiver:events {})) do
  print("inbox", row.id, row.event_type, row.state)
end
receiver:close()
