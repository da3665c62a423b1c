-- 02: a worker. Delivers what example 01 accepted and prints every attempt. Usually this is
-- `loyalhook work`, started by a service manager; here it is the same loop in a few lines, ended
-- when nothing is left to do.

local loyalhook = require("loyalhook")

local sender = assert(loyalhook.sender.open {
  store = "sqlite:example.db", allow_http = true, allow_networks = { "127.0.0.0/8" },
})
local worker = assert(loyalhook.worker.new { sender = sender, log = function() end })

local function unfinished()
  local requests = assert(sender:stats()).requests
  return requests.pending + requests.sending + requests.retrying
    + assert(sender:stats("example")).waiting
end

-- One step does a bounded amount of work and returns what happened.
repeat
  local report = assert(worker:step(1000))
  for _, attempt in ipairs(report.events) do
    print(("request %s, attempt %d, %d events: %s"):format(attempt.request_id, attempt.attempt,
      attempt.total_count, attempt.state == "delivered" and "delivered"
      or attempt.state .. " (" .. (attempt.error ~= "" and attempt.error or attempt.status) .. ")"))
  end
until report.in_flight == 0 and unfinished() == 0

worker:close()

-- The log keeps every request with its attempts.
for _, request in ipairs(assert(sender:requests { limit = 5 })) do
  print(request.request_id, request.state, request.total_count .. " events",
    request.attempts_made .. " attempts")
end
sender:close()
