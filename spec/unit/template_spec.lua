-- The commented loyalhook.lua is itself a valid configuration.

local config = require("loyalhook.config")
local settings = require("loyalhook.settings")
local template = require("loyalhook.template")

describe("template.file", function()
  it("is a valid configuration that changes nothing", function()
    assert.are.same({}, config.parse(template.file(), "loyalhook.lua"))
  end)

  it("allows http and loopback for development, and names the store", function()
    local values = assert(config.parse(template.file({ dev = true, store = "sqlite:a \"b\".db" }),
      "loyalhook.lua"))
    assert.are.equal('sqlite:a "b".db', values.store)
    assert.is_true(values.allow_http)
    assert.are.same({ "127.0.0.0/8", "::1/128" }, values.allow_networks)
    assert.is_nil(values.account)
  end)

  it("shows every setting, and each example works", function()
    local text = template.file()
    for _, setting in ipairs(settings.list) do
      assert.is_truthy(text:find("\n  -- " .. setting.name .. " = ", 1, true), setting.name)
    end
    local all = text:gsub("\n  %-%- (%l[%w_]* = )", "\n  %1")
    -- Of an example of more lines than one:
    all = all:gsub("\n  %-%- (  )", "\n  %1"):gsub("\n  %-%- },", "\n  },")
    local values = assert(config.parse(all, "loyalhook.lua"))
    for _, setting in ipairs(settings.list) do
      assert.is_not_nil(values[setting.name], setting.name)
    end
  end)

  it("says so when it is mistaken for the module", function()
    local chunk = assert(load(template.file()))
    assert.are.equal("table", type(chunk()))
    local ok, message = pcall(chunk, "loyalhook")
    assert.is_false(ok)
    assert.is_truthy(message:find("is the configuration, not the module", 1, true))
  end)
end)

describe("template.reference", function()
  it("has a row for each setting", function()
    local _, rows = template.reference():gsub("\n", "\n")
    assert.are.equal(#settings.leaves + 2, rows)
    assert.is_truthy(template.reference():find("| `store` | `\"sqlite:loyalhook.db\"` |", 1, true))
  end)
end)
