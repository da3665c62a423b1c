-- Payload builders: payload.points_earned{…}, payload.member_enrol{…}, one per
-- event type that the catalogue describes, named like the type without event_.
-- A builder checks what is known about the fields, passes everything else
-- through and writes the JSON once. Neighbours: fields.lua says what is known,
-- check.lua applies it, ../json.lua writes.

local check_data = require("loyalhook.payload.check")
local events = require("loyalhook.events")
local json = require("loyalhook.json")
local nearest = require("loyalhook.nearest")

local payload = {}

local payload_mt = {
  __name = "loyalhook.payload",
  __tostring = function(self)
    return "loyalhook.payload " .. self.event_type
      .. (self.error and " (invalid: " .. self.error .. ")" or "")
  end,
}

-- A payload that could not be made carries its error, so that a builder's
-- result can be handed to emit as it is; emit then returns the error.
local function failed(event_type, message, code)
  return setmetatable({ event_type = event_type, error = message, code = code }, payload_mt)
end

local function encode(event_type, data, arrays)
  if data[1] ~= nil or getmetatable(data) == getmetatable(json.array()) then
    return failed(event_type, "data: expected an object, got a list", "invalid")
  end
  local text, message, code = json.encode(data, { name = "data", arrays = arrays })
  if not text then
    return failed(event_type, message, code)
  end
  return setmetatable({ event_type = event_type, data_json = text }, payload_mt)
end

local function build(entry, data)
  local ok, arrays_or_message, code = check_data(entry, data)
  if not ok then
    return failed(entry.name, arrays_or_message, code)
  end
  return encode(entry.name, data, arrays_or_message)
end

--- Checks a data table against what is known about the event type's fields
-- (numbers may be strings of digits, dates are MM/DD/YYYY, unknown fields are
-- let through). Returns true, or nil, "path: what is wrong", "invalid", or for
-- a type that is not in the default catalogue nil, message, "unknown_type".
function payload.check(event_type, data)
  local entry = events.get(event_type)
  if not entry then
    return events.unknown(event_type)
  elseif type(data) ~= "table" then
    return nil, "data: expected a table, got " .. type(data), "invalid"
  end
  local built = build(entry, data)
  if built.error then
    return nil, built.error, built.code
  end
  return true
end

--- A payload of any type from a table (or from JSON text, taken as it is),
-- without looking at its fields. Returns a payload as the builders do.
function payload.raw(event_type, data)
  if type(event_type) ~= "string" then
    error("payload.raw: expected an event type, got " .. type(event_type), 2)
  elseif type(data) == "string" then
    return setmetatable({ event_type = event_type, data_json = data }, payload_mt)
  elseif type(data) ~= "table" then
    error("payload.raw: expected a table or JSON text, got " .. type(data), 2)
  end
  return encode(event_type, data)
end

--- The builder of an event type as payload.build("event_x", data); what
-- payload.x(data) calls. Types without known fields are not looked into.
-- Returns { event_type =, data_json = }, or for wrong values { event_type =,
-- error = message, code = "invalid" | "unknown_type" }.
function payload.build(event_type, data)
  local entry = events.get(event_type)
  if not entry then
    local _, message, code = events.unknown(event_type)
    return failed(tostring(event_type), message, code)
  elseif type(data) ~= "table" then
    error(("payload: expected a table for %s, got %s"):format(event_type, type(data)), 2)
  end
  return build(entry, data)
end

--- True for what a builder returned, good or bad.
function payload.is_payload(value)
  return type(value) == "table" and getmetatable(value) == payload_mt
end

local function builder_names()
  local names = { "raw", "check", "build", "is_payload" }
  for _, entry in ipairs(events.all()) do
    names[#names + 1] = (entry.name:gsub("^event_", ""))
  end
  return names
end

return setmetatable(payload, {
  __index = function(_, name)
    local entry = type(name) == "string" and events.get("event_" .. name)
    if not entry then
      error(("payload: no builder %s%s"):format(tostring(name),
        nearest.hint(tostring(name), builder_names())), 2)
    end
    return function(data)
      if type(data) ~= "table" then
        error(("payload.%s: expected a table, got %s"):format(name, type(data)), 2)
      end
      return build(entry, data)
    end
  end,
})
