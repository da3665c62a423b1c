-- What commands show of webhooks and requests: documents with every pinned field of
-- loyalhook.fields in its order, and pairs for people.

local columns = require "loyalhook.cli.table"
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

local REQUEST_SHOWN = with(fields.request, "attempts")

--- Prints a webhook that was created or changed; its secret if the row has one and it is new.
function shapes.print_webhook(row, context, secret_is_new)
  local output = context.output
  if context.json then
    output:document(shapes.webhook(row, true))
    return
  end
  output:lines(columns.pairs(shapes.webhook_pairs(row)))
  if secret_is_new then
    output:lines(columns.pairs{ { "secret", row.secret } })
    output:note("The secret is shown only this once: give it to the receiver now.")
  end
end

--- Prints a webhook whose status was changed; people get one sentence.
function shapes.print_status(row, context, sentence)
  if context.json then
    context.output:document(shapes.webhook(row))
  else
    context.output:note(("webhook '%s' is %s"):format(row.name, sentence))
  end
end

--- A webhook; its secret only if `with_secret`, for the answer that shows it this once.
function shapes.webhook(row, with_secret)
  local names = fields.webhook
  if row.secret_rotates_at then
    names = with(names, "secret_rotates_at")
  end
  if with_secret and row.secret then
    names = with(names, "secret")
  end
  return document.pick(row, names)
end

function shapes.request(row)
  return document.pick(row, fields.request)
end

--- A retry of many.
function shapes.job(row)
  return document.pick(row, fields.job)
end

--- A notice.
function shapes.notice(row)
  return document.pick(row, fields.notice)
end

--- An account.
function shapes.account(row)
  return document.pick(row, fields.account)
end

--- { name, value } pairs of an account for people.
function shapes.account_pairs(row)
  return { { "name", row.name }, { "webhooks", row.webhooks },
    { "notify", row.notify and shapes.joined(row.notify) or "those that notices.to names" } }
end

--- A token; its text only where it is made.
function shapes.token(row)
  return document.pick(row, row.token and with(fields.token, "token") or fields.token)
end

--- A user.
function shapes.user(row)
  return document.pick(row, fields.user)
end

-- Its headers stand in the order in which they are sent.
local function pick_attempt(row, names)
  local headers = row.headers and document.pick(row.headers, row.header_names)
  return document.pick(setmetatable({ headers = headers }, { __index = row }), names)
end

local function attempt(row)
  return pick_attempt(row, fields.attempt)
end

local function request_with(row, shape)
  local shown = {}
  for key, value in pairs(row) do
    shown[key] = value
  end
  shown.attempts = shapes.list(row.attempts or {}, shape)
  return document.pick(shown, REQUEST_SHOWN)
end

--- A request with its attempts.
function shapes.request_shown(row)
  return request_with(row, attempt)
end

local ATTEMPT_EXPLAINED = with(fields.attempt, "explanation")

local function attempt_explained(row)
  return pick_attempt(row, ATTEMPT_EXPLAINED)
end

--- The same, each attempt with its sentence.
function shapes.request_explained(row)
  return request_with(row, attempt_explained)
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
  for _, name in ipairs(with(fields.webhook, "secret_rotates_at")) do
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
