-- The commands that an explanation hands out, ready to be typed.

local plain = require("loyalhook.plain")

local commands = {}

-- A name as a shell takes it.
local function quoted(text)
  if text:find("^[%w._/@%%+=:,-]+$") then
    return text
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A name that would be taken for an option, that is not shown as it is, or that is free for another
-- webhook: the id stands for it.
local function which(webhook)
  local name = webhook.name
  if name:find("^-") or webhook.account:find("^-") or plain.line(name) ~= name
    or webhook.status == "deleted" then
    return webhook.id
  end
  local account = webhook.account ~= "default" and " --account " .. quoted(webhook.account) or ""
  return quoted(webhook.name) .. account
end

--- loyalhook webhook VERB NAME, with the account where the name alone would not do.
function commands.webhook(verb, webhook)
  return ("loyalhook webhook %s %s"):format(verb, which(webhook))
end

--- Lists what failed of a webhook.
function commands.list_failed(webhook)
  return "loyalhook request list --state failed --webhook " .. which(webhook)
end

--- Retries one request; a webhook that is stopped is enabled first.
function commands.retry(request_id, webhook)
  local retry = "loyalhook retry " .. request_id
  if webhook.status == "enabled" then
    return retry
  end
  return commands.webhook("enable", webhook) .. " && " .. retry
end

--- Retries all that failed of a webhook that is enabled by then.
function commands.retry_failed(webhook)
  return "loyalhook retry --failed --webhook " .. which(webhook)
end

--- The same; one that is stopped is enabled first.
function commands.retry_all(webhook)
  local retry = commands.retry_failed(webhook)
  if webhook.status == "enabled" then
    return retry
  end
  return commands.webhook("enable", webhook) .. " && " .. retry
end

return commands
