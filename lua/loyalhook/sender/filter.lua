-- What people write in a filter of requests, as the store takes it: a webhook's name becomes its
-- id, "2h" a time.

local core = require("loyalhook.core")
local time = require("loyalhook.time")

local filter = {}

--- Adds to `wanted` what `given` says of since (since_ms), until (until_ms) and webhook (its id;
-- given.account says whose name it is). Returns wanted, or nil, message, code.
function filter.resolve(store, given, wanted)
  if given.since ~= nil then
    local since_ms, message, code = time.since(given.since, core.now_ms())
    if not since_ms then
      return nil, message, code
    end
    wanted.since_ms = since_ms
  end
  if given["until"] ~= nil then
    local until_ms, message, code = time.since(given["until"], core.now_ms())
    if not until_ms then
      return nil, message:gsub("^since", "until"), code
    end
    wanted.until_ms = until_ms
  end
  if given.webhook ~= nil then
    local row, message, code = store:webhook(given.account, given.webhook)
    if not row then
      return nil, message, code
    end
    wanted.webhook = row.id
  end
  return wanted
end

return filter
