-- /events: accepting them, and what became of one. The bytes of an event's data are
-- taken out of the body as they stand there, never decoded and written again.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")
local rows = require("loyalhook.sender.events")

local BODY_BYTES_MAX = 16 * 1024 * 1024
local DEPTH_MAX = 67 -- data of 64 levels in an event in a list in the body
local EVENTS_MAX = core.limits.emit_many_max
local ERRORS_MAX = 100 -- named in one answer
local HEADER_KEY = kinds.words(240)

local TEXTS = { event_type = kinds.any(1000), account = kinds.account, id = kinds.id,
  idempotency_key = kinds.any(255) }
local MEMBERS = { data = true }
for name in pairs(TEXTS) do
  MEMBERS[name] = true
end

-- A JSON value's text decoded.
local function decoded(text)
  return json.decode("[" .. text .. "]")[1]
end

-- What is wrong with an event, as { field, code, detail }; nil if nothing is. Texts go to `row`.
local function read_members(members, row)
  for _, name in ipairs(kinds.names_of(members)) do
    if not MEMBERS[name] then
      return kinds.unknown("member", name, MEMBERS)
    elseif name ~= "data" then
      local value, expected = TEXTS[name].value(decoded(members[name]))
      if value == nil then
        return kinds.wrong(name, expected)
      end
      row[name] = value
    end
  end
  for _, name in ipairs{ "event_type", "data" } do
    if not members[name] then
      return { field = name, code = "invalid", detail = "missing" }
    end
  end
  row.data_json = members.data
end

local FIELDS = { unknown_type = "event_type" }

-- The event of a text as emit_many takes it, or nil, { field, code, detail }.
local function read_event(call, text)
  local members, message = core.json.members(text, DEPTH_MAX)
  if not members then
    return nil, { code = "invalid", detail = message }
  end
  local row = {}
  local wrong = read_members(members, row)
  if wrong then
    return nil, wrong
  end
  local failure
  row.account, failure = call:account_or_default(row.account)
  if not row.account then
    return nil, { field = "account", code = failure.code, detail = failure.detail }
  end
  local ok, code
  ok, message, code = rows.from_item(call.sender:events(), row, row.account)
  if ok then
    ok, message, code = core.event.check(row.data_json)
  end
  if not ok then
    return nil, { field = FIELDS[code] or "data", code = code,
      detail = (message:gsub("^data: ", "")) }
  end
  return row
end

-- The texts of the events of a body and whether they are a list, or nil, problem.
local function texts_of(body)
  local members, message = core.json.members(body, DEPTH_MAX)
  if not members then
    return problem.new("invalid", "the body: " .. message, { status = 400 })
  elseif not members.events then
    return { body }, false
  end
  members.events, message = core.json.items(members.events, DEPTH_MAX), nil
  if not members.events then
    message = "expected a list"
  elseif #members.events < 1 or #members.events > EVENTS_MAX then
    message = ("expected 1 to %d, got %d"):format(EVENTS_MAX, #members.events)
  end
  for name in pairs(members) do
    if name ~= "events" then
      message = kinds.unknown("member", name, { events = true }).detail
    end
  end
  if message then
    return problem.values({ { field = "events", code = "invalid", detail = message } })
  end
  return members.events, true
end

-- The key of the header for each event that has none of its own; or nil, problem.
local function add_keys(call, list, is_list)
  local key = call.headers["idempotency-key"]
  if not key then
    return true
  elseif not HEADER_KEY.value(key) or key:find("[^!-~]") then
    return problem.new("invalid",
      "Idempotency-Key: expected 1 to 240 visible ASCII characters without spaces")
  end
  for index, row in ipairs(list) do
    row.idempotency_key = row.idempotency_key
      or (is_list and ("%s/%d"):format(key, index - 1) or key)
  end
  return true
end

-- The events of the body, or nil, problem with every bad one.
local function read_all(call)
  local texts, is_list = texts_of(call.request.body)
  if not texts then
    return nil, is_list
  end
  local list, errors = {}, {}
  for index, text in ipairs(texts) do
    local row, wrong = read_event(call, text)
    if wrong then
      wrong.index = is_list and index - 1 or nil
      errors[#errors + 1] = wrong
    end
    list[#list + 1] = row
    if #errors == ERRORS_MAX then
      break
    end
  end
  if #errors > 0 then
    return problem.values(errors)
  end
  local ok, failure = add_keys(call, list, is_list)
  if not ok then
    return nil, failure
  end
  return list, is_list
end

local function emit(call)
  local list, is_list = read_all(call)
  if not list then
    return nil, is_list
  end
  local ids, message, code, bad = call.sender:emit_many(list)
  if not ids and bad then
    return problem.values({ { index = is_list and bad - 1 or nil, code = code,
      detail = message:gsub("^event %d+: ", "") } })
  elseif not ids then
    return problem.failed(message, code, true)
  end
  return { status = 202, value = { ids = json.array(ids) } }
end

-- The event of the path, if it is of the caller's account; or nil, problem.
local function event_of(call)
  local event, message, code = call.sender:event(call.path.event_id)
  if event and call.who.account and event.account ~= call.who.account then
    return problem.new("not_found", "no event has this id")
  elseif not event then
    return call:failed(message, code)
  end
  return event
end

local HEAD = { "id", "event_type", "account", "created_at" }

local function get(call)
  local event, failure = event_of(call)
  if not event then
    return nil, failure
  end
  local shown = render.pick(event, HEAD)
  shown.data = assert(json.raw(event.data_json))
  return call:ok(shown)
end

local WEBHOOK = { "webhook_id", "name", "status", "verdict", "explanation", "hint", "subscribed" }
local SPAN = { "mode", "reason", "event_types", "since" }

local function webhook_shown(row, who)
  local shown = render.pick(row, WEBHOOK)
  shown.span = row.span and render.pick(row.span, SPAN) or json.null
  shown.request = row.request and render.request_shown(row.request, who) or json.null
  return shown
end

local function explain(call)
  local event, failure = event_of(call)
  if not event then
    return nil, failure
  end
  local found, message, code = call.sender:explain(event.id)
  if not found then
    return call:failed(message, code)
  end
  return call:ok({ event = render.pick(found.event, HEAD), workers = found.workers,
    explanation = render.maybe(found.explanation),
    webhooks = render.list(found.webhooks, function(row)
      return webhook_shown(row, call.who)
    end) })
end

return {
  { "POST", "/events", need = "write", run = emit, body = true, body_bytes_max = BODY_BYTES_MAX },
  { "GET", "/events/{event_id}", need = "read", run = get },
  { "GET", "/events/{event_id}/explain", need = "read", run = explain },
}
