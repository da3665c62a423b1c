-- The demo's platform side, one step a call:
--   platform.lua prepare DIR URL    store and webhooks; the merchant's secrets
--   platform.lua emit DIR FROM TO   events of all types through the Lua API
--   platform.lua lines FROM TO      events as lines of JSON, for `loyalhook emit`
--   platform.lua progress DIR       one line; exit code 0 once nothing is unfinished
-- What was emitted is counted here by its own simple rule, so that the report
-- does not take the store's word for it.

local loyalhook = require("loyalhook")

-- Who wants what. `failures`: so many first requests are answered 500; `gone`: all are, with 410.
local webhooks = {
  { name = "crm", scheme = "zinrelo", batch_size = 50,
    event_types = { "category:member", "category:referral" } },
  { name = "wallet", scheme = "standard", batch_size = 20,
    event_types = { "category:transaction" } },
  { name = "email", scheme = "zinrelo", batch_size = 1, event_types = { "category:system" } },
  { name = "warehouse", scheme = "standard", batch_size = 500, event_types = { "*" } },
  { name = "flaky", scheme = "zinrelo", batch_size = 10, failures = 6,
    event_types = { "category:campaign", "event_points_earned" } },
  { name = "retired", scheme = "zinrelo", batch_size = 1000, gone = true, retries_max = 2,
    batch_wait_ms = 4000, event_types = { "event_member_delete" } },
}

local function check(value, message)
  if value == nil then
    io.stderr:write("demo: ", tostring(message), "\n")
    os.exit(1)
  end
  return value
end

local function open(folder, create)
  return check(loyalhook.sender.open {
    store = "sqlite:" .. folder .. "/loyalhook.db", create = create, allow_http = true,
    allow_networks = { "127.0.0.0/8" },
  })
end

local function write(path, text)
  local file = check(io.open(path, "a"))
  check(file:write(text))
  file:close()
end

local steps = {}

function steps.prepare(folder, url)
  local sender = open(folder, true)
  local secrets = { "return {" }
  for _, wanted in ipairs(webhooks) do
    local webhook = check(sender:create_webhook {
      name = wanted.name, url = url .. "/hooks/" .. wanted.name, scheme = wanted.scheme,
      event_types = wanted.event_types, batch_size = wanted.batch_size,
      batch_wait_ms = wanted.batch_wait_ms, retries_max = wanted.retries_max,
      retry_interval_s = 1,
    })
    secrets[#secrets + 1] = ("  %s = { scheme = %q, secret = %q, failures = %d, gone = %s },")
      :format(wanted.name, wanted.scheme, webhook.secret, wanted.failures or 0,
        tostring(wanted.gone or false))
    print(("  %-10s %-9s batches of %-4d %s"):format(wanted.name, wanted.scheme,
      wanted.batch_size, table.concat(wanted.event_types, ", ")))
  end
  secrets[#secrets + 1] = "}"
  write(folder .. "/secrets.lua", table.concat(secrets, "\n") .. "\n")
  sender:close()
end

-- The k-th event of the demo: all types in turn, from the documented fields.
local function sample(number)
  local names = loyalhook.events.names()
  local name = names[(number - 1) % #names + 1]
  return name, check(loyalhook.samples.data_json(name, number))
end

function steps.emit(folder, first, last)
  local sender = open(folder)
  local batch = {}
  for number = tonumber(first), tonumber(last) do
    local event_type, data_json = sample(number)
    batch[#batch + 1] = { event_type = event_type, data_json = data_json }
    if #batch == 250 or number == tonumber(last) then
      check(sender:emit_many(batch))
      batch = {}
    end
  end
  sender:close()
end

function steps.lines(first, last)
  for number = tonumber(first), tonumber(last) do
    local event_type, data_json = sample(number)
    io.write(('{"event_type":"%s","data":%s}\n'):format(event_type, data_json))
  end
end

function steps.progress(folder)
  local sender = open(folder)
  local stats = check(sender:stats())
  local unfinished = stats.requests.pending + stats.requests.sending + stats.requests.retrying
  local waiting = 0
  for _, webhook in ipairs(check(sender:webhooks())) do
    waiting = waiting + check(sender:stats(webhook.id)).waiting
  end
  print(("  %d requests delivered, %d unfinished, %d events waiting"):format(
    stats.requests.delivered, unfinished, waiting))
  sender:close()
  return unfinished + waiting == 0 and 0 or 3
end

if arg and arg[0] and arg[0]:find("platform%.lua$") then
  os.exit(steps[arg[1]](arg[2], arg[3], arg[4]) or 0, true)
end

return { webhooks = webhooks, open = open, sample = sample, check = check }
