-- The door of the library: require "loyalhook". Parts are loaded when they are
-- first used, so that a receiver in a web server, which only verifies, never
-- loads SQLite or libcurl. loyalhook.signature, .payload, .events, .json and
-- .diagnose need loyalhook.core only, and so does .openresty on nginx's event loop; .sender,
-- .receiver, .access and .worker bring the engine.

local loyalhook = {}

local PARTS = {
  access = "loyalhook.access", config = "loyalhook.config", diagnose = "loyalhook.diagnose",
  events = "loyalhook.events", fields = "loyalhook.fields", json = "loyalhook.json",
  openresty = "loyalhook.openresty", payload = "loyalhook.payload",
  receiver = "loyalhook.receiver", samples = "loyalhook.samples", sender = "loyalhook.sender",
  signature = "loyalhook.signature", time = "loyalhook.time", worker = "loyalhook.worker",
}

-- Short names of markers that payload tables use.
local MARKERS = { array = "array", empty_array = "empty_array", null = "null", raw = "raw" }

--- loyalhook.PART is the module of that name; loyalhook.array, .empty_array,
-- .null and .raw are those of loyalhook.json; loyalhook._VERSION the version.
return setmetatable(loyalhook, {
  __index = function(_, name)
    local value
    if PARTS[name] then
      value = require(PARTS[name])
    elseif MARKERS[name] then
      value = require("loyalhook.json")[name]
    elseif name == "_VERSION" then
      value = require("loyalhook.core")._VERSION
    end
    rawset(loyalhook, name, value)
    return value
  end,
})
