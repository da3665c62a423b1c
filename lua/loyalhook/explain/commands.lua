-- The commands that an explanation hands out, ready to be typed.

local commands = {}

-- A name as a shell takes it.
local function quoted(text)
  if text:find("^[%w._/@%%+=:,-]+$") and not text:find("^-") then
    return text
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function which(webhook)
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

--- Retries all that failed of a webhook; one that is stopped is enabled first.
function commands.retry_all(webhook)
  local retry = "loyalhook retry --failed --webhook " .. which(webhook)
  if webhook.status == "enabled" then
    return retry
  end
  return commands.webhook("enable", webhook) .. " && " .. retry
end

return commands
