-- The handlers' runtime on an engine that is not there (fake_engine.lua), for its two specs.

local contract = require("loyalhook.handlers.contract")
local events = require("loyalhook.events")
local fake = require("harness.fake_engine")
local runtime = require("loyalhook.handlers.runtime")

local room = {}

local engine, clock

--- Before each test: another engine and its clock.
function room.fresh()
  engine, clock = fake.engine(), fake.clock()
  return engine, clock
end

--- A handler "points" for all events; `changes` are fields.
function room.handler(handle, changes)
  local made = { name = "points", event_types = { "*" }, handle = handle }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

--- A runtime of these handlers, with a guard that lets everything pass.
function room.open(...)
  local checked = assert(contract.check_all({ ... }, events.default()))
  return assert(runtime.new({ engine = engine, guard = fake.guard, handlers = checked,
    say = function() end, now_ms = clock.now_ms, monotonic_ms = clock.monotonic_ms }))
end

--- A runtime whose first step has leased what waits.
function room.working(...)
  local running = room.open(...)
  assert(running:step(fake.report()))
  return running
end

--- A step that must record; what the store got of it.
function room.recorded(running, report)
  local before = #engine.recorded
  assert(running:step(report or fake.report()))
  local list = {}
  for index = before + 1, #engine.recorded do
    local result = engine.recorded[index]
    list[#list + 1] = { result.kind, result.error ~= "" and result.error or nil }
  end
  return list
end

--- What a handler may do: one POST.
function room.post(_, context)
  local answer, message, code = context.http({ url = "https://example.com", body = "x" })
  if not answer then
    return nil, message .. " " .. code
  end
  return true
end

return room
