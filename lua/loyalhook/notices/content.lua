-- What a mail about notices says, before it has a form: sentences, facts,
-- reasons, requests and the commands that help. Foreign text (names, errors,
-- answers) is one harmless line in it, URLs are bare; text.lua and html.lua only
-- set it. Pure: rows and now come in, and a mail of the same rows says the same.

local commands = require("loyalhook.explain.commands")
local plain = require("loyalhook.plain")
local words = require("loyalhook.explain.words")

local content = {}

local PAUSE_REASONS = {
  failures = "too many of its requests failed in a row",
  secret_unreadable = "its secret does not decrypt with the key file of the store",
}

local STATUS = {
  enabled = "enabled: new events are being sent",
  paused = "paused: nothing is sent until it is enabled again",
  disabled = "disabled: nothing is sent",
  deleted = "deleted",
}

-- Foreign text must not become a link where it is read.
local function unlinked(text)
  return text and (plain.without_tokens(plain.line(text)):gsub("://", ": //"))
end

local function sum_up(sums)
  local all = { failed = 0, paused = 0, reasons = {} }
  for _, sum in ipairs(sums) do
    all[sum.kind] = all[sum.kind] + sum.count
    all.first_ms = math.min(all.first_ms or sum.first_ms, sum.first_ms)
    all.last_ms = math.max(all.last_ms or sum.last_ms, sum.last_ms)
    if sum.kind == "paused" then
      all.pause = sum
    else
      all.reasons[#all.reasons + 1] = sum
    end
  end
  return all
end

local function grouped(number)
  local text = ("%d"):format(number)
  repeat
    local changed
    text, changed = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until changed == 0
  return text
end

local function counted(number, noun)
  return number == 1 and "1 " .. noun or grouped(number) .. " " .. noun .. "s"
end

local function subject_of(name, all)
  local failed = counted(all.failed, "request") .. " failed"
  if all.pause and all.failed > 0 then
    return ("Webhook %s was paused: %s"):format(name, failed)
  elseif all.pause then
    return ("Webhook %s was paused"):format(name)
  end
  return ("Webhook %s: %s"):format(name, failed)
end

local function between(first_ms, last_ms)
  local first, last = words.moment(first_ms), words.moment(last_ms)
  return first == last and "at " .. first
    or ("between %s and %s"):format(first:gsub(" UTC$", ""), last)
end

local function sentences(all, webhook)
  local list = {}
  if all.pause then
    local times = all.paused > 1 and (" %d times, last"):format(all.paused) or ""
    list[1] = ("It was paused%s at %s, because %s."):format(times, words.moment(all.pause.last_ms),
      PAUSE_REASONS[all.pause.reason] or plain.line(all.pause.reason))
  end
  if all.failed > 0 then
    local outlook = webhook.status == "deleted"
      and "The webhook was deleted since, so what failed cannot be sent again."
      or "Nothing is lost: what failed can be sent again."
    list[#list + 1] = ("%s failed %s. %s"):format(counted(all.failed, "request"),
      between(all.first_ms, all.last_ms), outlook)
  end
  return list
end

local function facts_of(webhook)
  local since = tonumber(webhook.status_since_ms)
  local status = STATUS[webhook.status] or webhook.status
  return {
    { "Webhook", plain.line(webhook.name) },
    { "URL", plain.without_tokens(plain.line(webhook.url)) },
    { "Account", plain.line(webhook.account) },
    { "Status now", since and since > 0 and ("%s (since %s)"):format(status, words.moment(since))
      or status },
  }
end

local function reasons_of(all)
  local list = {}
  for index, sum in ipairs(all.reasons) do
    list[index] = { count = grouped(sum.count), text = words.reason(sum.reason),
      name = plain.line(sum.reason) }
  end
  return list
end

local function state_now(entry)
  if entry.state == "failed" then
    return ""
  end
  return ("; meanwhile it is %s"):format(entry.state)
end

local function request_of(entry)
  local request = { id = entry.request_id,
    text = ("%s, %s, failed at %s (%s)%s"):format(words.count(entry.total_count, "event"),
      words.count(entry.attempts_made, "attempt"), words.moment(entry.failed_ms), entry.reason,
      state_now(entry)) }
  if entry.attempts_made > 0 then
    request.last = "last attempt " .. words.ending({ outcome = entry.outcome,
      status = entry.status, error = unlinked(entry.error), response = unlinked(entry.response) })
  end
  return request
end

-- A request that failed twice meanwhile is named once, as it is now.
local function requests_of(entries)
  local list, seen = {}, {}
  for _, entry in ipairs(entries) do
    if not seen[entry.request_id] then
      seen[entry.request_id] = true
      list[#list + 1] = request_of(entry)
    end
  end
  return list
end

-- How a webhook that is stopped comes to work again.
local function put_enabling(steps, webhook, all)
  local enable = commands.webhook("enable", webhook)
  if webhook.status == "paused" and all.pause and all.pause.reason == "secret_unreadable" then
    steps[#steps + 1] = { "Put the right key file in place, or give it a new secret at once",
      commands.webhook("rotate-secret", webhook) .. " --now" }
    steps[#steps + 1] = { "Then enable it", enable }
  elseif webhook.status ~= "enabled" then
    steps[#steps + 1] = { "When its endpoint works again, enable it", enable }
  end
end

local function steps_of(webhook, all)
  local steps = {}
  if all.failed > 0 then
    steps[1] = { "See what failed", commands.list_failed(webhook) }
  end
  if webhook.status == "deleted" then
    return steps
  end
  put_enabling(steps, webhook, all)
  if all.failed > 0 then
    steps[#steps + 1] = { "Send all of it again", commands.retry_failed(webhook) }
  end
  return steps
end

--- What a mail says. mailing: as worker:lease_mail returns it. Returns { subject, title,
-- sentences, facts = { { name, value } }, reasons = { { count, text, name } }, requests =
-- { { id, text, last } }, more = how many requests are not named, steps = { { label, command } },
-- footer }.
function content.of(mailing)
  local all, webhook = sum_up(mailing.sums), mailing.webhook
  local name = plain.line(webhook.name)
  local requests = requests_of(mailing.entries)
  return {
    subject = subject_of(name, all),
    title = subject_of(name, all),
    sentences = sentences(all, webhook),
    facts = facts_of(webhook),
    reasons = reasons_of(all),
    requests = requests,
    more = math.max(0, all.failed - #mailing.entries),
    steps = steps_of(webhook, all),
    footer = ("Sent by loyalhook to those who look after account %s; about one webhook at most"
      .. " once in five minutes."):format(plain.line(webhook.account)),
  }
end

content.grouped = grouped

return content
