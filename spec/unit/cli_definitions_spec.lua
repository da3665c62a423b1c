-- A command's definition as data.

local definitions = require "loyalhook.cli.definitions"

local function by_name(list)
  local map = {}
  for _, option in ipairs(list) do
    map[option.names[#option.names]] = option
  end
  return map
end

describe("a described command", function()
  local entry = { name = "try", summary = "a command of this spec", module = "spec.try" }
  local found

  setup(function()
    package.loaded["spec.try"] = {
      examples = { "loyalhook try x" },
      notes = "Notes.",
      arguments = function(parser)
        parser:argument("ID|NAME", "Which."):target("webhook")
        parser:argument("MORE"):args("*")
        parser:argument("SECRET"):args("?"):hidden(true)
        parser:option("--form", "How."):choices({ "a", "b" })
        parser:option("--event-type", "What."):argname("TYPE"):count("+")
        parser:mutex(parser:flag("--one", "One."), parser:flag("--two", "Two."))
      end,
    }
    found = definitions.of(entry)
    package.loaded["spec.try"] = nil
  end)

  it("has its arguments, but hidden ones", function()
    assert.are.same({
      { target = "webhook", value = "ID|NAME", required = true, repeated = false,
        description = "Which." },
      { target = "MORE", value = "MORE", required = false, repeated = true, description = "" },
    }, found.arguments)
  end)

  it("has its options and those that every command has", function()
    local options = by_name(found.options)
    assert.are.same({ "a", "b" }, options["--form"].choices)
    assert.is_true(options["--event-type"].required and options["--event-type"].repeated)
    assert.are.equal("TYPE", options["--event-type"].value)
    assert.are.equal("event_type", options["--event-type"].target)
    assert.is_false(options["--one"].takes_value)
    for _, option in ipairs(definitions.common_options()) do
      assert.are.same(option, options[option.names[#option.names]])
    end
    assert.are.same({ "-h", "--help" }, options["--help"].names)
  end)

  it("knows which exclude each other", function()
    assert.are.same({ ["--one"] = { ["--two"] = true }, ["--two"] = { ["--one"] = true } },
      found.excludes)
  end)

  it("has the words around them", function()
    assert.are.equal("try", found.name)
    assert.are.equal("a command of this spec", found.summary)
    assert.matches("^loyalhook try ", found.usage)
    assert.are.same({ "loyalhook try x" }, found.examples)
    assert.are.equal("Notes.", found.notes)
  end)
end)
