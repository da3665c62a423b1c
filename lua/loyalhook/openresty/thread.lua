-- What runs in a thread of nginx's pool, in a Lua VM of its own that keeps its state
-- between tasks: one open store a VM. nginx loads this file on its event loop, so
-- everything else is loaded by the functions. Here is no ngx.log: outcomes say what
-- is to be noted.

local thread = {}

local stores, senders, apis = {}, {}, {}

-- The open store of these settings, or nil, message, code.
local function store_of(settings)
  local store = stores[settings.store]
  if store then
    return store
  end
  local message, code
  store, message, code = require("loyalhook.engine").store_open({ location = settings.store,
    create = settings.create, key_file = settings.key_file,
    wal_bytes_max = settings.wal_bytes_max })
  stores[settings.store] = store
  return store, message, code
end

local function forget_closed(settings, code)
  if code == "closed" then
    stores[settings.store] = nil
  end
end

-- The body that nginx spooled to a file; nil, message (the file is gone if the client is), or nil
-- alone for one that is too large.
local function read_spooled(path, bytes_max)
  local file, problem = io.open(path, "rb")
  if not file then
    return nil, problem
  end
  local size, body
  size, problem = file:seek("end")
  if size and size > bytes_max then
    file:close()
    return nil, nil
  elseif size and file:seek("set") then
    body = size == 0 and "" or file:read(size)
  end
  file:close()
  if not body or #body ~= size then
    return nil, problem or path .. ": shorter than it was"
  end
  return body
end

-- Verifies an item that the event loop has not. Returns an entry for the inbox, or nil, outcome.
local function verified(settings, item)
  local answers = require("loyalhook.receiver.answers")
  local body = item.body
  if item.file then
    local problem
    body, problem = read_spooled(item.file, settings.body_bytes_max)
    if problem then
      return nil, answers.failed("io", problem)
    elseif not body then
      return nil, answers.refused("too_large", ("the body is larger than %d bytes"):format(
        settings.body_bytes_max))
    end
  end
  return require("loyalhook.receiver.gate").verify(item.carried, item.picked, body, item.now_ms)
end

--- Verifies what is not yet verified and records all that is good in one transaction. settings:
-- store, create, key_file, wal_bytes_max, body_bytes_max; an item is an entry { source, body,
-- scheme, id }, or, not verified, { carried, picked, now_ms, body or file }. Returns an outcome for
-- each.
function thread.accept(settings, items)
  local outcomes, entries, places = {}, {}, {}
  for index, item in ipairs(items) do
    local entry = item
    if item.carried then
      entry, outcomes[index] = verified(settings, item)
    end
    if entry then
      entries[#entries + 1], places[#places + 1] = entry, index
    end
  end
  if #entries == 0 then
    return outcomes
  end
  local store, message, code = store_of(settings)
  local recorded = store and require("loyalhook.receiver.recorder").record(store, entries,
    require("loyalhook.core").now_ms())
  for number, index in ipairs(places) do
    outcomes[index] = recorded and recorded[number]
      or require("loyalhook.receiver.answers").failed(code, message)
    forget_closed(settings, outcomes[index].code)
  end
  return outcomes
end

-- The open sender of these settings, or nil, message, code.
local function sender_of(settings)
  local sender = senders[settings.number]
  if sender then
    return sender
  end
  local message, code
  sender, message, code = require("loyalhook.sender").open(settings.sender)
  senders[settings.number] = sender
  return sender, message, code
end

-- The events of all items that come singly, in one transaction.
local function emit_singles(sender, items, results)
  local rows, places = {}, {}
  for index, item in ipairs(items) do
    if item.row then
      rows[#rows + 1], places[#places + 1] = item.row, index
    end
  end
  if #rows == 0 then
    return
  end
  local done, message, code = sender:emit_each(rows)
  for number, index in ipairs(places) do
    results[index] = done and done[number] or { message = message, code = code }
  end
end

--- Accepts events. settings: sender (options of sender.open), number (of this sender); an item is
-- { row = } for one event or { rows = } for several that are accepted together or not at all.
-- Returns { id, duplicate }, { ids } or { message, code, index } for each.
function thread.emit(settings, items)
  local results = {}
  local sender, message, code = sender_of(settings)
  if not sender then
    for index = 1, #items do
      results[index] = { message = message, code = code }
    end
    return results
  end
  emit_singles(sender, items, results)
  for index, item in ipairs(items) do
    if item.rows then
      local ids, problem, its_code, bad = sender:emit_many(item.rows)
      results[index] = ids and { ids = ids } or { message = problem, code = its_code, index = bad }
    end
    if results[index].code == "closed" then
      senders[settings.number] = nil
    end
  end
  return results
end

-- The API of these settings in this VM, or nil, message, code. What it logs goes into `notes`.
local function api_of(settings)
  local held = apis[settings.number]
  if held then
    return held
  end
  local sender, message, code = require("loyalhook.sender").open(settings.sender)
  if not sender then
    return nil, message, code
  end
  local receiver
  receiver, message, code = require("loyalhook.receiver").open({ store = settings.sender.store,
    key_file = settings.sender.key_file, sources = {}, log = function() end })
  if not receiver then
    sender:close()
    return nil, message, code
  end
  held = { sender = sender, receiver = receiver, notes = {} }
  held.api = require("loyalhook.api").new({ sender = sender, receiver = receiver,
    access = require("loyalhook.access").new({ store = sender._store }), hosts = settings.hosts,
    secure = settings.secure, metrics_public = settings.metrics_public, settings = settings.shown,
    log = function(level, said, fields)
      table.insert(held.notes, { level = level, message = said, fields = fields })
    end, test_mail = settings.shown.notices and settings.shown.notices.smtp and function(to, before)
      return require("loyalhook.notices.trial").send(settings.shown, to, before)
    end or nil })
  apis[settings.number] = held
  return held
end

-- A store that was closed (its process forked, or a commit failed) is opened anew next time.
local function let_go(settings, held)
  held.sender:close()
  held.receiver:close()
  apis[settings.number] = nil
end

-- The response to one request, and what is to be noted.
local function api_answer(settings, item)
  local held, message, code = api_of(settings)
  if not held then
    return { message = message, code = code }
  end
  if item.file then
    local body, problem = read_spooled(item.file, settings.body_bytes_max)
    if not body then
      return { message = problem or "the body is too large", code = "io" }
    end
    item.body = body
  end
  local response = held.api:handle(item)
  response.notes, held.notes = held.notes, {}
  if response.code == "closed" then
    let_go(settings, held)
  end
  return response
end

--- Answers requests to the HTTP API. settings: sender (options of sender.open), number (of this
-- API), hosts, secure, metrics_public, shown (settings that are shown or needed for a test mail),
-- body_bytes_max; an item is a request as api:handle takes it, with `file` instead of a body that
-- was spooled. Returns { status, headers, body, notes } or { message, code } for each.
function thread.api(settings, items)
  local responses = {}
  for index, item in ipairs(items) do
    responses[index] = api_answer(settings, item)
  end
  return responses
end

return thread
