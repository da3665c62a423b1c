-- The demo's last step at the shop: what was emitted for it, what the platform says was delivered,
-- what is in its inbox, what its handlers made of it, and what the mail server and HubSpot's
-- stand-in got. All must agree; the exit code is 1 if they do not.
--   shop_report.lua DIR COUNT

local events = require("loyalhook.events")
local merchant = require("merchant")
local platform = require("platform")

local folder, count = arg[1], tonumber(arg[2])
local color = os.getenv("DEMO_COLOR") == "1"
local check = platform.check

local function paint(code, text)
  return color and ("\27[%sm%s\27[0m"):format(code, text) or text
end

local wrong = {}

local function must(what, left, right)
  if left ~= right then
    wrong[#wrong + 1] = ("%s: %s, but %s"):format(what, left, right)
  end
end

local function is_in(list, name)
  for _, known in ipairs(list) do
    if known == name then
      return true
    end
  end
  return false
end

local function is_mailed(event_type)
  return is_in(merchant.mailed, event_type)
end

-- What should have happened, from the stream of events alone: for each handler how many events it
-- gets and how many of them it skips; for each member the points of the last event.
local function expected()
  local wanted = { all = 0, email = 0, unmailed = 0, ignored = 0, contacts = 0, points = {} }
  for event in platform.stream(count) do
    local category, member = events.get(event.event_type).category, event.data.member_info
    if category == "member" or category == "transaction" then
      wanted.all = wanted.all + 1
      if is_mailed(event.event_type) then
        wanted.email = wanted.email + 1
        local declined = member.email_subscription_status == "unsubscribed"
          or member.member_status == "opted_out"
        wanted.unmailed = wanted.unmailed + (declined and 1 or 0)
      end
      if event.event_type == "event_member_delete" then
        wanted.ignored = wanted.ignored + 1
      else
        local id = member.member_id
        wanted.contacts = wanted.contacts + (wanted.points[id] and 0 or 1)
        wanted.points[id] = ("%d"):format(member.available_points)
      end
    end
  end
  return wanted
end

-- A tally of events: all of them and those that are mailed.
local function new_tally()
  return { ids = {}, all = 0, email = 0, again = 0 }
end

local function add(tally, id, event_type)
  if tally.ids[id] then
    tally.again = tally.again + 1
    return
  end
  tally.ids[id] = true
  tally.all = tally.all + 1
  tally.email = tally.email + (is_mailed(event_type) and 1 or 0)
end

-- The events of the platform's delivered requests, and how many attempts failed.
local function delivered()
  local sender, tally, cursor = platform.open(folder), new_tally(), nil
  tally.failed_attempts = 0
  repeat
    local page, following = sender:requests { webhook = "shop", limit = 1000, after = cursor }
    for _, request in ipairs(check(page, following)) do
      must("state of request " .. request.request_id, "delivered", request.state)
      tally.failed_attempts = tally.failed_attempts + request.attempts_made - 1
      for _, id in ipairs(request.event_ids) do
        add(tally, id, check(sender:event(id)).event_type)
      end
    end
    cursor = following
  until not cursor
  sender:close()
  return tally
end

-- The inbox: its events, and for each handler how many tasks are in which state.
local function received(sent)
  local receiver, tally, cursor = merchant.open(folder), new_tally(), nil
  local tasks = {}
  repeat
    local page, following = receiver:events { limit = 1000, after = cursor }
    for _, event in ipairs(check(page, following)) do
      add(tally, event.id, event.event_type)
      must("event " .. event.id .. " of the inbox was delivered", true, sent.ids[event.id])
      for _, task in ipairs(event.tasks) do
        local sums = tasks[task.handler] or { done = 0, failed = 0, open = 0 }
        local state = sums[task.state] and task.state or "open"
        sums[state], tasks[task.handler] = sums[state] + 1, sums
      end
    end
    cursor = following
  until not cursor
  receiver:close()
  return tally, tasks
end

-- What HubSpot's stand-in has, as contacts.py read it: contacts, those with other points than the
-- last event says, requests, and what its API description forbids.
local function hubspot(points)
  local found = { contacts = 0, stale = 0 }
  for line in io.lines(folder .. "/contacts.txt") do
    local first, second = line:match("^(%S+) (%S+)$")
    if points[first] then
      found.contacts = found.contacts + 1
      found.stale = found.stale + (points[first] == second and 0 or 1)
    else
      found.requests, found.problems = tonumber(first), tonumber(second)
    end
  end
  return found
end

local wanted = expected()
local sent = delivered()
local inbox, tasks = received(sent)
local crm = hubspot(wanted.points)
local file = check(io.open(folder .. "/members.txt"))
local mails, different = file:read("*n", "*n")
file:close()

local row = "  %-12s %8d %10d %9d %6d %7d %8d  │ %8d  "
print(paint("1", (row:gsub("d", "s")):format("handler", "emitted", "delivered", "received", "done",
  "failed", "skipped", "arrived")))

-- which: "email" or "all" events; figures: what it skips and what arrived; rules: what else holds.
local function print_row(name, which, figures, rules)
  local before, sums = #wrong, tasks[name] or { done = 0, failed = 0, open = 0 }
  local function must_here(what, left, right)
    must(name .. ": " .. what, left, right)
  end
  must_here("emitted events are delivered", wanted[which], sent[which])
  must_here("delivered events are in the inbox", sent[which], inbox[which])
  must_here("events in two requests, or in the inbox twice", 0, sent.again + inbox.again)
  must_here("received events are done", inbox[which], sums.done)
  must_here("tasks that failed or are open", 0, sums.failed + sums.open)
  rules(must_here)
  print(row:format(name, wanted[which], sent[which], inbox[which], sums.done, sums.failed,
    figures.skipped, figures.arrived)
    .. (#wrong == before and paint("32", "adds up") or paint("31", "WRONG")))
end

print_row("email", "email", { skipped = wanted.unmailed, arrived = different }, function(must_here)
  must_here("all but members who want no mails got theirs", wanted.email - wanted.unmailed,
    different)
end)
print_row("crm.hubspot", "all", { skipped = wanted.ignored, arrived = crm.contacts },
  function(must_here)
    must_here("members are contacts", wanted.contacts, crm.contacts)
    must_here("contacts with other points than in their last event", 0, crm.stale)
    must_here("what the API's description forbids", 0, crm.problems)
  end)

print()
for _, sentence in ipairs(wrong) do
  print(paint("31", "  " .. sentence))
end
if #wrong > 0 then
  os.exit(1)
end
print(("  %d events for the shop: delivered in spite of %d failed attempts, each received once.")
  :format(wanted.all, sent.failed_attempts))
print(("  %d mails to members, %s."):format(different, mails == different and "none twice"
  or ("%d of them again with the same Message-ID: the worker died before it heard"):format(
    mails - different)))
print(("  %d contacts with the points of their last event, in %d requests, all as HubSpot's API"
  .. " has them."):format(crm.contacts, crm.requests))
