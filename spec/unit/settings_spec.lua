-- The one table of settings is complete and consistently named.

local settings = require("loyalhook.settings")

describe("settings", function()
  it("are described completely", function()
    for _, setting in ipairs(settings.list) do
      assert.is_truthy(setting.name:find("^[a-z_]+$"))
      assert.is_true(#setting.description > 15, setting.name)
      assert.are.equal("string", type(setting.example))
      assert.is_true(setting.default ~= nil or setting.default_text ~= nil, setting.name)
      assert.are.equal(setting, settings.by_name[setting.name])
    end
    for _, setting in ipairs(settings.leaves) do
      assert.is_true(#setting.description > 15, setting.path)
      assert.is_true(setting.default ~= nil or setting.default_text ~= nil, setting.path)
    end
  end)

  it("are named alike in the file and in the environment", function()
    for _, setting in ipairs(settings.list) do
      if setting.environment then
        assert.are.equal("LOYALHOOK_" .. setting.name:upper(), setting.environment)
      end
    end
  end)

  it("name each setting once", function()
    local seen = {}
    for _, name in ipairs(settings.names) do
      assert.is_nil(seen[name])
      seen[name] = true
    end
    assert.are.equal(#settings.list, #settings.names)
  end)
end)
