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
    assert.are.same({ "list", "show", "retry" }, commands.of_group("request"))
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

describe("the words of a command", function()
  local definitions = require "loyalhook.cli.definitions"

  -- As an option would be named after a field: event_types is repeated as --event-type.
  local function option_of(field)
    return "--" .. field:gsub("_", "-")
  end

  for _, name in ipairs(commands.names()) do
    it(name .. " are consistent", function()
      local command = definitions.of(commands.find(name))
      assert.matches("^%l.*[^.]$", command.summary)
      assert.is_true(#command.summary <= 60, command.summary)
      for _, argument in ipairs(command.arguments) do
        assert.matches("^%S.*%.$", argument.description)
      end
      for _, option in ipairs(command.options) do
        local long = option.names[#option.names]
        assert.matches("^%-%-%l[%l-]+$", long)
        assert.matches("^%S.*%.$", option.description, 1, false, long)
        assert.is_true(#option.description <= 110, long)
        if option.takes_value and not option.choices then
          assert.matches("^%u[%u|,.]*$", option.value or "no name for its value", 1, false, long)
        end
      end
    end)
  end

  it("name a webhook's fields as the fields are named", function()
    local known = {}
    for _, option in ipairs(definitions.of(commands.find("webhook create")).options) do
      known[option.names[1]] = true
    end
    for field in pairs(require("loyalhook.fields").webhook_settings) do
      local option = option_of(field)
      assert.is_true(known[option] or known[option:gsub("s$", "")] or known[option .. "-stdin"],
        field)
    end
  end)
end)
