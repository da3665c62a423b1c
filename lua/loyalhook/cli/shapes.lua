-- What commands show of webhooks and requests: documents with every pinned field of
-- loyalhook.fields in its order, and pairs for people.

local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"

local shapes = {}

local function with(names, more)
  local all = {}
  for index, name in ipairs(names) do
    all[index] = name
  end
  all[#all + 1] = more
  return all
end

local WEBHOOK_CREATED = with(fields.webhook, "secret")
local REQUEST_SHOWN = with(fields.request, "attempts")

--- A webhook without its secret, whatever the row holds.
function shapes.webhook(row)
  return document.pick(row, fields.webhook)
end

--- The answer of a creation: the only place where a secret is shown.
function shapes.webhook_created(row)
  return document.pick(row, WEBHOOK_CREATED)
end

function shapes.request(row)
  return document.pick(row, fields.request)
end

local function attempt(row)
  return document.pick(row, fields.attempt)
end

--- A request with its attempts.
function shapes.request_shown(row)
  local shown = {}
  for key, value in pairs(row) do
    shown[key] = value
  end
  shown.attempts = shapes.list(row.attempts or {}, attempt)
  return document.pick(shown, REQUEST_SHOWN)
end

--- An array of documents, each made by `shape`.
function shapes.list(rows, shape)
  local list = document.list()
  for index, row in ipairs(rows) do
    list[index] = shape(row)
  end
  return list
end

--- { name, value } pairs of a webhook for people; empty settings are left out.
function shapes.webhook_pairs(row)
  local pairs_list = {}
  for _, name in ipairs(fields.webhook) do
    local value = row[name]
    if type(value) == "table" then
      value = shapes.joined(value)
    end
    if value ~= nil and value ~= "" then
      pairs_list[#pairs_list + 1] = { name, value }
    end
  end
  return pairs_list
end

--- An array or a map as one text.
function shapes.joined(value)
  local parts = {}
  for index, item in ipairs(value) do
    parts[index] = tostring(item)
  end
  if #parts == 0 then
    for name, item in pairs(value) do
      parts[#parts + 1] = name .. ": " .. tostring(item)
    end
    table.sort(parts)
  end
  return table.concat(parts, ", ")
end

return shapes
