-- What an answer's JSON looks like: every pinned field is there, null if it has no
-- value; event data are the bytes that came; text that is not UTF-8 (an endpoint may
-- have answered anything) has U+FFFD in place of its bad bytes. Pure.

local fields = require("loyalhook.fields")
local json = require("loyalhook.json")
local plain = require("loyalhook.plain")

local render = {}

--- A copy of the named fields of a row, null for what is absent.
function render.pick(row, names)
  local shown = {}
  for _, name in ipairs(names) do
    local value = row[name]
    shown[name] = value == nil and json.null or value
  end
  return shown
end

--- An array of rows, each made by `shape`.
function render.list(rows, shape)
  local list = json.array()
  for index, row in ipairs(rows or {}) do
    list[index] = shape(row)
  end
  return list
end

--- A value, or null.
function render.maybe(value)
  return value == nil and json.null or value
end

--- A page: { <name> = list, next = cursor or null }.
function render.page(name, list, following)
  return { [name] = list, next = render.maybe(following) }
end

-- A copy whose texts are UTF-8.
local function cleaned(value)
  if type(value) == "string" then
    return plain.valid_utf8(value)
  elseif type(value) ~= "table" or value == json.null then
    return value
  elseif getmetatable(value) ~= nil and getmetatable(value) ~= getmetatable(json.array()) then
    return value -- JSON text that was checked
  end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    copy[type(key) == "string" and plain.valid_utf8(key) or key] = cleaned(item)
  end
  return copy
end

--- The text of a value.
function render.text(value)
  return json.encode(value) or assert(json.encode(cleaned(value)))
end

local HIDDEN = "***"

-- What each attempt carries whatever the webhook's own headers are; a webhook cannot set these.
local OURS = { ["content-type"] = true, nonce = true, ["x-zinrelo-signature"] = true,
  ["webhook-id"] = true, ["webhook-timestamp"] = true, ["webhook-signature"] = true }

-- The values of a webhook's own headers let us in at the endpoint as often as not: whoever may not
-- set them sees their names.
local function for_reader(headers, who)
  if who.can_write or not headers or headers == json.null then
    return headers
  end
  local copy = {}
  for name, value in pairs(headers) do
    copy[name] = OURS[name:lower()] and value or HIDDEN
  end
  return copy
end

--- A webhook, for who asks. The secret only if the row has one, which is so when it is new.
function render.webhook(row, who)
  local shown = render.pick(row, fields.webhook)
  shown.headers = for_reader(shown.headers, who)
  shown.revision = row.revision
  shown.secret = row.secret
  shown.secret_rotates_at = row.secret_rotates_at
  return shown
end

--- A request of the log.
function render.request(row)
  return render.pick(row, fields.request)
end

-- Headers as an object whose names stand in the order in which they are sent.
local function headers(attempt, who)
  if not attempt.headers then
    return json.null
  end
  local members, values = {}, for_reader(attempt.headers, who)
  for index, name in ipairs(attempt.header_names) do
    members[index] = json.encode(name) .. ":" .. json.encode(values[name])
  end
  return assert(json.raw("{" .. table.concat(members, ",") .. "}"))
end

--- A request with its attempts, each with its explanation, for who asks.
function render.request_shown(row, who)
  local shown = render.request(row)
  shown.attempts = render.list(row.attempts, function(attempt)
    local view = render.pick(attempt, fields.attempt)
    view.headers = headers(attempt, who)
    view.explanation = attempt.explanation
    return view
  end)
  return shown
end

local JOB = {}
for index, name in ipairs(fields.job) do
  JOB[index] = name
end

--- A retry of many.
function render.job(row)
  return render.pick(row, JOB)
end

local PERCENTILES = { "p50", "p95", "p99" }

--- Percentiles of lengths, null if nothing was measured.
function render.percentiles(row)
  return row and render.pick(row, PERCENTILES) or json.null
end

return render
