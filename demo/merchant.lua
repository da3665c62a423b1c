-- The demo's shop, a merchant with a receiver of ours: `loyalhook serve` with an e-mail and a CRM
-- handler. One step a call:
--   merchant.lua secret DIR             the shop's secret
--   merchant.lua prepare DIR SMTP_URL HUBSPOT_URL
--                                       loyalhook.lua in DIR/shop, for servers at these addresses
--   merchant.lua has DIR COUNT          exit code 0 once so many events came in
--   merchant.lua progress DIR           one line; exit code 0 once no task is unfinished
--   merchant.lua replay DIR URL         a request that was delivered already, once more

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local loyalhook = require("loyalhook")
local platform = require("platform")

local check = platform.check

-- What members are mailed about.
local MAILED = { "event_points_redeemed", "event_member_enrol", "event_member_tierupgrade" }

local FORM = [[
return {
  sources = { platform = { secret_files = { %q } } },
  handlers = {
    { use = "email", event_types = { "%s" },
      smtp = { url = %q, from = "club@shop.example", tls = "none" },
      program = { name = "Shop Club" } },
    { use = "crm.hubspot", token = "pat-test", url = %q,
      id_property = "loyalty_member_id", id_from = "member_info.member_id" },
  },
}
]]

local function write(path, text)
  local file = check(io.open(path, "w"))
  check(file:write(text))
  file:close()
end

local function open(folder)
  return check(loyalhook.receiver.open { store = "sqlite:" .. folder .. "/shop/loyalhook.db",
    sources = {} })
end

local steps = {}

function steps.secret(folder)
  write(folder .. "/shop/secret", check(core.secret.generate()) .. "\n")
end

function steps.prepare(folder, smtp_url, hubspot_url)
  write(folder .. "/shop/loyalhook.lua",
    FORM:format(folder .. "/shop/secret", table.concat(MAILED, '", "'), smtp_url, hubspot_url))
end

-- How many events came in, at most so many.
local function received(receiver, most)
  local count, cursor = 0, nil
  repeat
    local page, following = receiver:events { limit = 1000, after = cursor }
    count, cursor = count + #check(page, following), following
  until not cursor or count >= most
  return count
end

function steps.has(folder, count)
  local receiver = open(folder)
  local there = received(receiver, tonumber(count))
  receiver:close()
  print(("  events at the shop: %d"):format(there))
  return there >= tonumber(count) and 0 or 3
end

function steps.progress(folder)
  local receiver = open(folder)
  local done, unfinished, failed = 0, 0, 0
  for _, handler in ipairs(check(receiver:handlers())) do
    local tasks = handler.tasks
    done, failed = done + tasks.done, failed + tasks.failed
    unfinished = unfinished + tasks.pending + tasks.running + tasks.retrying + handler.behind
  end
  print(("  the shop's handlers: %d tasks done, %d failed, %d unfinished"):format(done, failed,
    unfinished))
  receiver:close()
  return unfinished == 0 and 0 or 3
end

-- The events of a delivered request in an envelope, signed anew with the shop's own secret: what a
-- sender does whose answer got lost, or somebody who has the secret and means no good.
function steps.replay(folder, url)
  local sender = platform.open(folder)
  local request = check(sender:requests { webhook = "shop", state = "delivered", limit = 1 })[1]
  local events = {}
  for index, id in ipairs(check(sender:request(request.request_id)).event_ids) do
    local event = check(sender:event(id))
    events[index] = { id = id, event_type = event.event_type, data = event.data_json }
  end
  sender:close()
  local body = check(core.envelope.build { request_id = request.request_id,
    created_ms = core.now_ms(), events = events })
  local file = check(io.open(folder .. "/shop/secret"))
  local headers = {}
  for name, value in pairs(check(loyalhook.signature.headers { secret = file:read("*l"),
    body = body })) do
    headers[#headers + 1] = name .. ": " .. value
  end
  file:close()
  local answer = check(engine.post { url = url, headers = headers, body = body,
    timeout_ms = 30000 })
  print(("  %d: %s"):format(answer.status, answer.response))
  return answer.response == ('{"events":%d,"added":0}'):format(#events) and 0 or 1
end

if arg and arg[0] and arg[0]:find("merchant%.lua$") then
  os.exit(steps[arg[1]](arg[2], arg[3], arg[4]) or 0, true)
end

return { mailed = MAILED, open = open }
