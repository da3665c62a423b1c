-- A second look at a request that was answered in `listen`: which events it has, or
-- why it was refused. This takes its time, so it runs in a thread of nginx's pool.

local plain = require("loyalhook.plain")

local look = {}

local EVENTS_MAX = 1000
local TEXT_BYTES_MAX = 256
local BYTES_MAX = 10 * 1024 * 1024

local function body_of(item)
  if item.body then
    return item.body
  end
  local file = item.file and io.open(item.file, "rb")
  local body = file and file:read(BYTES_MAX)
  if file then
    file:close()
  end
  return body or ""
end

local function text_of(value)
  return type(value) == "string" and value:sub(1, plain.whole(value, TEXT_BYTES_MAX)) or nil
end

-- The events of an envelope, or the one of a body of Standard Webhooks.
local function events_of(body, id)
  local envelope = require("loyalhook.json").decode(body)
  if type(envelope) ~= "table" then
    return {}, 0
  elseif type(envelope.events) ~= "table" then
    return { { id = text_of(id), event_type = text_of(envelope.type) } }, 1
  end
  local list = {}
  for index, event in ipairs(envelope.events) do
    if index <= EVENTS_MAX and type(event) == "table" then
      list[index] = { id = text_of(event.id), event_type = text_of(event.event_type) }
    end
  end
  return list, #envelope.events
end

--- What is in a request that was valid: { events = { { id, event_type }, … } (the first 1000),
-- total_count }. item: body or file, id (of a Standard Webhooks request).
function look.inside(item)
  local events, count = events_of(body_of(item), item.id)
  return { events = events, total_count = count }
end

--- Why it was refused: { reason, hint }. item: body or file, headers, now_ms, source (secrets,
-- secret_files, scheme, tolerance_s).
function look.why(item)
  local sources = require("loyalhook.receiver.sources")
  local checked, message = sources.check({ asked = item.source })
  local secrets
  if checked then
    secrets, message = sources.secrets(checked.asked)
  end
  if not secrets then
    return { reason = message }
  end
  local verdict = require("loyalhook.diagnose").explain({ scheme = item.source.scheme,
    secrets = secrets, body = body_of(item), headers = item.headers, now_ms = item.now_ms,
    tolerance_s = item.source.tolerance_s })
  return { reason = verdict.sentence, hint = verdict.hint }
end

return look
