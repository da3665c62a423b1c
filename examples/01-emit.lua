-- 01: a platform's side. Makes a store (example.db in the current folder), configures a webhook and
-- accepts events. What emit has returned is on the disk; delivering it is example 02's business.

local loyalhook = require("loyalhook")
local payload = loyalhook.payload

-- Plain http to this machine is for development only, so it has to be allowed by name.
local sender = assert(loyalhook.sender.open {
  store = "sqlite:example.db", create = true, allow_http = true, allow_networks = { "127.0.0.0/8" },
})

-- The endpoint is example 04's nginx; it knows the same secret. Without `secret` one is made.
local url = os.getenv("EXAMPLE_URL") or "http://127.0.0.1:8484/hooks/loyalty"
local webhook, message, code = sender:create_webhook {
  name = "example", url = url, secret = "example-secret-of-16+",
  event_types = { "category:transaction", "event_member_enrol" }, batch_size = 50,
  retry_interval_s = 2,
}
if webhook then
  print("webhook " .. webhook.id .. " delivers to " .. webhook.url)
elseif code == "conflict" then
  print("the webhook is there already") -- the second run
else
  error(message)
end

-- One event. Builders check what is known about the fields and pass the rest through.
local member = { member_id = "m-1001", first_name = "Zoë", available_points = 360 }
local id = assert(sender:emit(payload.points_earned {
  member_info = member,
  transaction_info = { transaction_type = "award",
    award_info = { activity_name = "Purchase", points = 40 } },
}))
print("accepted " .. id)

-- The same order reported twice is one event: the key gives the first id again.
for _ = 1, 2 do
  print("order 5001 is " .. assert(sender:emit(payload.points_redeemed {
    member_info = member,
    transaction_info = { transaction_type = "redeem",
      redeem_info = { reward_name = "5 € off", points = 200 } },
  }, { idempotency_key = "order-5001" })))
end

-- Many at once: one transaction, all or none.
local enrolments = {}
for number = 1, 10 do
  enrolments[number] = payload.member_enrol { member_info = { member_id = "new-" .. number } }
end
print(#assert(sender:emit_many(enrolments)) .. " enrolments accepted")

-- Mistakes come back as values: a sentence for people and a code for programs.
local mistakes = {
  payload.points_earned { member_info = member,
    transaction_info = { transaction_type = "award", award_info = { points = "many" } } },
  payload.raw("event_points_earnt", { member_info = member }),
}
for _, mistake in ipairs(mistakes) do
  local refused
  refused, message, code = sender:emit(mistake)
  assert(refused == nil)
  print("refused: " .. message .. " (" .. code .. ")")
end

sender:close()
