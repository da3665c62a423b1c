-- The demo's platform side, one step a call:
--   platform.lua prepare DIR URL    store and webhooks; the merchants' secrets
--   platform.lua shop DIR URL       the webhook of the shop, which has a receiver of ours
--   platform.lua emit DIR COUNT     events of all types: half through the Lua API, the other half
--                                   as lines of JSON in DIR/events.ndjson for `loyalhook emit`
--   platform.lua progress DIR       one line; exit code 0 once nothing is unfinished
--   platform.lua repair DIR URL     the merchant repairs the partner's endpoint
-- Events come from the library's generator of samples: the same seed gives the
-- same events, so the report can count them again without asking the store.

local engine = require("loyalhook.engine")
local loyalhook = require("loyalhook")

-- Who wants what. `failures`: so many first requests are answered 500; `gone`: all are, with 410;
-- `broken`: until it is repaired, with 503.
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
    batch_wait_ms = 2000, pause_after = 0, event_types = { "event_member_delete" } },
  { name = "partner", scheme = "standard", batch_size = 5, broken = true, retries_max = 1,
    pause_after = 1, event_types = { "category:referral", "event_points_redeemed" } },
}

-- The shop's: in order, so that its CRM ends up with what came last.
local shop = { name = "shop", scheme = "zinrelo", batch_size = 20, ordered = true,
  retries_max = 100, pause_after = 0, event_types = { "category:member", "category:transaction" } }

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

local function create(sender, wanted, url, secret)
  local webhook = check(sender:create_webhook {
    name = wanted.name, url = url, secret = secret, scheme = wanted.scheme,
    event_types = wanted.event_types, batch_size = wanted.batch_size, ordered = wanted.ordered,
    batch_wait_ms = wanted.batch_wait_ms, retries_max = wanted.retries_max,
    pause_after = wanted.pause_after, retry_interval_s = 1,
  })
  print(("  %-10s %-9s batches of %-4d %s"):format(wanted.name, wanted.scheme, wanted.batch_size,
    table.concat(wanted.event_types, ", ")))
  return webhook
end

function steps.prepare(folder, url)
  local sender = open(folder, true)
  local secrets = { "return {" }
  for _, wanted in ipairs(webhooks) do
    local webhook = create(sender, wanted, url .. "/hooks/" .. wanted.name)
    secrets[#secrets + 1] =
      ("  %s = { scheme = %q, secret = %q, failures = %d, gone = %s, broken = %s },"):format(
        wanted.name, wanted.scheme, webhook.secret, wanted.failures or 0,
        tostring(wanted.gone or false), tostring(wanted.broken or false))
  end
  secrets[#secrets + 1] = "}"
  write(folder .. "/secrets.lua", table.concat(secrets, "\n") .. "\n")
  sender:close()
end

function steps.shop(folder, url)
  local sender = open(folder)
  local file = check(io.open(folder .. "/shop/secret"))
  create(sender, shop, url, file:read("*l"))
  file:close()
  sender:close()
end

-- All events of the demo, in order.
local function stream(count)
  return loyalhook.samples.stream(1, tonumber(count))
end

function steps.emit(folder, count)
  local sender = open(folder)
  local batch, lines, number = {}, {}, 0
  for event in stream(count) do
    number = number + 1
    if number <= count / 2 then
      batch[#batch + 1] = event
    else
      lines[#lines + 1] = ('{"event_type":"%s","data":%s}\n'):format(event.event_type,
        check(loyalhook.json.encode(event.data)))
    end
    if #batch == 250 then
      check(sender:emit_many(batch))
      batch = {}
    end
  end
  check(sender:emit_many(batch))
  sender:close()
  write(folder .. "/events.ndjson", table.concat(lines))
end

function steps.progress(folder)
  local sender = open(folder)
  -- First what waits to be formed: what is formed in between shows as a request.
  local waiting = 0
  for _, webhook in ipairs(check(sender:webhooks())) do
    if webhook.status == "enabled" then
      waiting = waiting + check(sender:stats(webhook.id)).waiting
    end
  end
  local stats = check(sender:stats())
  local unfinished = stats.requests.pending + stats.requests.sending + stats.requests.retrying
  print(("  %d requests delivered, %d unfinished, %d events waiting"):format(
    stats.requests.delivered, unfinished, waiting))
  sender:close()
  return unfinished + waiting == 0 and 0 or 3
end

function steps.repair(_, url)
  check(engine.post { url = url .. "/repair?name=partner", headers = {}, body = "",
    timeout_ms = 5000 })
end

if arg and arg[0] and arg[0]:find("platform%.lua$") then
  os.exit(steps[arg[1]](arg[2], arg[3]) or 0, true)
end

return { webhooks = webhooks, shop = shop, open = open, stream = stream, check = check }
