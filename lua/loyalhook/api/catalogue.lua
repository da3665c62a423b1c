-- /catalogue: the event types, each with a sample of its data.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local render = require("loyalhook.api.render")
local samples = require("loyalhook.samples")

local TYPE = { "name", "category", "title", "description" }
local SEED = 1

local function catalogue(call)
  local known, now_ms = call.sender:events(), core.now_ms()
  local with_samples = call.query.samples ~= false
  return call:ok({
    categories = render.list(known:categories(), function(category)
      return { name = category.name, title = category.title, types = json.array(category.types) }
    end),
    types = render.list(known:all(), function(entry)
      local shown = render.pick(entry, TYPE)
      shown.builtin = entry.builtin or false
      if with_samples then
        shown.sample = assert(json.raw(assert(samples.json(entry.name, SEED,
          { now_ms = now_ms, catalogue = known }))))
      end
      return shown
    end) })
end

return {
  { "GET", "/catalogue", need = "read", run = catalogue, query = { samples = kinds.flag } },
}
