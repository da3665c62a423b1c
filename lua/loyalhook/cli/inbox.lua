-- What the inbox commands share: documents of received events, of handlers and of what a retry did,
-- and the words for people.

local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local shapes = require "loyalhook.cli.shapes"

local inbox = {}

local SHOWN = { "id", "source", "event_type", "received_at", "state", "member_id", "tasks", "data" }

local function task(row)
  return document.pick(row, fields.task)
end

local function picked(row, names)
  local shown = {}
  for _, name in ipairs(names) do
    shown[name] = row[name]
  end
  shown.tasks = shapes.list(row.tasks or {}, task)
  return shown
end

--- An event of the inbox with its tasks.
function inbox.event(row)
  return document.pick(picked(row, fields.received), fields.received)
end

--- The same with its member and its data, as the bytes that came.
function inbox.event_shown(row)
  local shown = picked(row, SHOWN)
  shown.data = document.raw(row.data_json)
  return document.pick(shown, SHOWN)
end

--- A handler that the store knows; how many tasks it has in each state.
function inbox.handler(row)
  local shown = {}
  for _, name in ipairs(fields.handler) do
    shown[name] = row[name]
  end
  shown.tasks = document.pick(row.tasks, fields.task_states)
  return document.pick(shown, fields.handler)
end

--- What became of a task that was to be retried.
function inbox.outcome(row)
  return document.pick(row, { "id", "source", "handler", "outcome" })
end

--- The tasks of an event in few words: "email done, crm.hubspot failed (refused)".
function inbox.tasks_in_words(tasks)
  local words = {}
  for index, row in ipairs(tasks) do
    local reason = row.reason and (" (%s)"):format(row.reason) or ""
    words[index] = ("%s %s%s"):format(row.handler, row.state, reason)
  end
  return table.concat(words, ", ")
end

return inbox
