-- The demo's last step: what was emitted, what the store says became of it, what nginx counted and
-- what the mails told, side by side. Each row must add up; the exit code is 1 if one does not.
--   report.lua DIR URL COUNT FORGED

local cjson = require("cjson")
local engine = require("loyalhook.engine")
local events = require("loyalhook.events")
local platform = require("platform")

local folder, url, count, forged = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local color = os.getenv("DEMO_COLOR") == "1"

local function paint(code, text)
  return color and ("\27[%sm%s\27[0m"):format(code, text) or text
end

local function wants(webhook, name)
  local category = events.get(name).category
  for _, selector in ipairs(webhook.event_types) do
    if selector == "*" or selector == name or selector == "category:" .. category then
      return true
    end
  end
  return false
end

-- How many events of each type there were, without asking the store.
local emitted = {}
for event in platform.stream(count) do
  emitted[event.event_type] = (emitted[event.event_type] or 0) + 1
end

local function emitted_for(webhook)
  local sum = 0
  for name, number in pairs(emitted) do
    if wants(webhook, name) then
      sum = sum + number
    end
  end
  return sum
end

-- Sums over the request log of one webhook.
local function logged_for(sender, webhook)
  local sums = { requests = 0, attempts = 0, retried = 0, delivered = 0, failed = 0, open = 0,
    accepted = 0 }
  local cursor
  repeat
    local page, following = sender:requests { webhook = webhook.name, limit = 1000,
      after = cursor }
    platform.check(page, following)
    for _, request in ipairs(page) do
      local state = (request.state == "delivered" or request.state == "failed") and request.state
        or "open"
      sums.requests = sums.requests + 1
      sums.attempts = sums.attempts + request.attempts_made
      sums.retried = sums.retried + request.attempts_made - 1
      sums[state] = sums[state] + request.total_count
      if state == "delivered" then sums.accepted = sums.accepted + 1 end
    end
    cursor = following
  until not cursor
  return sums
end

local function counted()
  local answer = platform.check(engine.post { url = url .. "/counts", headers = {}, body = "",
    timeout_ms = 5000 })
  return cjson.decode(answer.response)
end

-- Notices of one webhook: all, and those that a mail server took over.
local function noticed(sender, webhook)
  local sums = { failed = 0, paused = 0, mailed = 0 }
  local cursor
  repeat
    local page, following = sender:notices { webhook = webhook.name, limit = 1000, after = cursor }
    platform.check(page, following)
    for _, notice in ipairs(page) do
      local kind = notice.kind == "webhook_paused" and "paused" or "failed"
      sums[kind] = sums[kind] + 1
      sums.mailed = sums.mailed + (notice.mailed and 1 or 0)
    end
    cursor = following
  until not cursor
  return sums
end

-- What the mails add up to, as mails.py read them: name → { mails, failed, paused }.
local function mailed()
  local sums = {}
  for line in io.lines(folder .. "/mails.txt") do
    local name, mails, failed, paused = line:match("^(%S+) (%d+) (%d+) (%d+)$")
    sums[name] = { mails = tonumber(mails), failed = tonumber(failed), paused = tonumber(paused) }
  end
  return sums
end

-- The merchant's one request beside the log: of a forger, or of `webhook test`.
local BESIDE = { crm = { forged = forged, tests = 0 }, partner = { forged = 0, tests = 1 } }

-- What must hold for one webhook; the sentences that do not.
local function complaints(matching, log, web, told)
  local beside = told.beside
  local wrong = {}
  local function must(what, left, right)
    if left ~= right then
      wrong[#wrong + 1] = ("%s: %s, but %s"):format(what, left, right)
    end
  end
  must("emitted events are delivered or failed", matching, log.delivered + log.failed)
  must("requests left open", 0, log.open)
  must("attempts logged are requests that nginx got", log.attempts,
    web.requests - beside.forged - beside.tests)
  must("delivered requests are those that nginx accepted", log.accepted,
    web.accepted - beside.tests)
  must("delivered events are those that nginx counted", log.delivered, web.events - beside.tests)
  must("events that came twice", 0, web.repeated)
  must("requests with a wrong signature", beside.forged, web.forged)
  must("refused requests were tried again or failed", log.attempts - log.accepted, web.refused)
  must("notices said to be mailed are those that the mails tell of", told.notices.mailed,
    told.mails.failed + told.mails.paused)
  if log.failed > 0 then
    must("there are notices of what failed", true, told.notices.failed > 0)
  end
  return wrong
end

local header = { "webhook", "emitted", "delivered", "failed", "requests", "attempts", "retried",
  "nginx saw", "verified", "events", "notices", "mails" }
local row = "  %-10s %8d %10d %7d %9d %9d %8d  │ %10d %9d %7d  │ %8d %6d  "

local sender = platform.open(folder)
local answers, mails, wrong = counted(), mailed(), {}
local waits = 0
print(paint("1", (row:gsub("d", "s")):format((table.unpack or unpack)(header))))
for _, webhook in ipairs(platform.webhooks) do
  local matching, log = emitted_for(webhook), logged_for(sender, webhook)
  local seen = answers[webhook.name]
  local told = { notices = noticed(sender, webhook),
    mails = mails[webhook.name] or { mails = 0, failed = 0, paused = 0 },
    beside = BESIDE[webhook.name] or { forged = 0, tests = 0 } }
  local found = complaints(matching, log, seen, told)
  local notices = told.notices.failed + told.notices.paused
  waits = waits + notices - told.notices.mailed
  print(row:format(webhook.name, matching, log.delivered, log.failed, log.requests, log.attempts,
    log.retried, seen.requests, seen.accepted + seen.refused, seen.events, notices,
    told.mails.mails) .. (#found == 0 and paint("32", "adds up") or paint("31", "WRONG")))
  for _, sentence in ipairs(found) do
    wrong[#wrong + 1] = webhook.name .. ": " .. sentence
  end
end
sender:close()

print()
for _, sentence in ipairs(wrong) do
  print(paint("31", "  " .. sentence))
end
if #wrong > 0 then
  os.exit(1)
end
print(("  %d events emitted; every one is delivered, or listed as failed with its reason."):format(
  count))
print(("  %d forged request was refused by its signature."):format(forged))
print("  partner was paused, repaired and enabled; everything that had failed is delivered.")
print(("  %d notice%s for the next mail about its webhook: at most one in five minutes."):format(
  waits, waits == 1 and " waits" or "s wait"))
