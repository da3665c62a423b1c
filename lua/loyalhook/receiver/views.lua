-- Rows of the inbox as the public API shows them: pinned field names, times in
-- RFC 3339, nil for what is absent, lists marked as lists. Pure.

local fields = require("loyalhook.fields")
local json = require("loyalhook.json")
local time = require("loyalhook.time")

local views = {}

local TIMES = { received_at = "received_ms", next_attempt_at = "next_attempt_ms",
  loaded_at = "loaded_ms", created_at = "created_ms" }

local function instant(ms)
  ms = tonumber(ms)
  return ms and ms > 0 and ms < 253402300800000 and time.format(ms) or nil
end

local function pick(names, row)
  local view = {}
  for _, name in ipairs(names) do
    local value = row[name]
    if TIMES[name] then
      value = instant(row[TIMES[name]])
    end
    if value ~= "" then
      view[name] = value
    end
  end
  return view
end

--- A handler's task for an event.
function views.task(row)
  local view = pick(fields.task, row)
  if view.state ~= "pending" and view.state ~= "retrying" then
    view.next_attempt_at = nil
  end
  return view
end

local function list(rows, view)
  local made = json.array()
  for index, row in ipairs(rows or {}) do
    made[index] = view(row)
  end
  return made
end

--- A received event with its tasks; with `member_id`, `data` and `data_json` (the exact bytes) if
-- the row has them.
function views.event(row)
  local view = pick(fields.received, row)
  view.tasks = list(row.tasks, views.task)
  if row.data then
    view.member_id = row.member
    view.data_json = row.data
    view.data = json.decode(row.data)
  end
  return view
end

--- What the store knows of a handler.
function views.handler(row)
  local view = pick(fields.handler, row)
  view.event_types = json.array(row.event_types)
  return view
end

views.list = list

return views
