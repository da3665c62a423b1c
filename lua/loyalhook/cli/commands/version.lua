-- loyalhook version: needs no store, no configuration and no C module but the light one.

local document = require "loyalhook.cli.document"

local version = {}

version.examples = { "loyalhook version", "loyalhook version --json" }
version.notes = "The versions of SQLite and libcurl in use: loyalhook doctor."

function version.arguments() end

function version.run(_, context)
  local number = require("loyalhook.core")._VERSION
  local vm = rawget(_G, "jit") and jit.version or _VERSION
  if context.json then
    context.output:document(document.object("version", number, "lua", vm))
  else
    context.output:line(("loyalhook %s (%s)"):format(number, vm))
  end
end

return version
