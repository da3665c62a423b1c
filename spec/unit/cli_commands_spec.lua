-- The registry and what every command file owes it. What commands do is shown from outside, in
-- spec/blackbox/test_cli.py and test_cli_store.py.

local commands = require "loyalhook.cli.commands"

describe("the registry", function()
  it("finds commands by their full names", function()
    local entry = commands.find("request show")
    assert.are.equal("loyalhook.cli.commands.request_show", entry.module)
    assert.is_nil(commands.find("request"))
    assert.is_nil(commands.find("no such"))
  end)

  it("knows groups", function()
    assert.are.same({ "list", "show" }, commands.of_group("request"))
    assert.are.same({}, commands.of_group("emit"))
    assert.are.equal(#commands.of_group("request"), #commands.overview("request"))
    assert.are.equal(#commands.names(), #commands.overview())
  end)

  it("has no two commands of one name", function()
    local seen = {}
    for _, name in ipairs(commands.names()) do
      assert.is_nil(seen[name], name)
      seen[name] = true
    end
  end)
end)

describe("a command", function()
  for _, name in ipairs(commands.names()) do
    it(name .. " keeps the contract", function()
      local command = require(commands.find(name).module)
      assert.are.equal("function", type(command.arguments))
      assert.are.equal("function", type(command.run))
      assert.is_true(#command.examples > 0)
      for _, example in ipairs(command.examples) do
        assert.is_not_nil(example:find("loyalhook " .. name, 1, true), example)
      end
      for key in pairs(command) do
        assert.is_not_nil(("arguments run examples notes"):find(key, 1, true), key)
      end
    end)
  end
end)
