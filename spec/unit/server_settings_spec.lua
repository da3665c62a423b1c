-- What a command hands to its nginx.

local engine = require("loyalhook.engine")
local settings = require("loyalhook.server.settings")

describe("settings", function()
  local folder

  before_each(function() folder = assert(engine.folder_new()) end)
  after_each(function() engine.folder_remove(folder) end)

  it("are read back as they were, whatever they hold", function()
    local values = { store = 'sqlite:/a b/"c"\\$d;\n', sources = { x = { secrets = { "s'{}\t\1" },
      tolerance_s = 300 } }, steps = { { word = "500", times = 1 } } }
    assert.is_true(settings.write(folder, values))
    assert.are.same(values, settings.read(folder .. "/"))
    settings.remove(folder)
    assert.has_error(function() settings.read(folder) end)
  end)

  it("say where they cannot be written, and raise where they cannot be read", function()
    local ok, message, code = settings.write(folder .. "/no", {})
    assert.is_nil(ok)
    assert.are.equal("io", code)
    assert.matches("settings.json", message)
    assert.has_error(function() settings.read(folder) end)
  end)
end)
