-- Prints the versions of what is measured as one JSON object.

local engine = require("loyalhook.engine")
local loyalhook = require("loyalhook")

local parts = { ('"loyalhook": "%s", "lua": "%s"'):format(loyalhook._VERSION,
  rawget(_G, "jit") and jit.version or _VERSION) }
for name, version in pairs(engine.versions()) do
  parts[#parts + 1] = ('"%s": "%s"'):format(name, version)
end
print("{" .. table.concat(parts, ", ") .. "}")
