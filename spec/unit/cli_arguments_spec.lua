-- From words to a command and its options, and what is said about wrong ones.

local arguments = require "loyalhook.cli.arguments"
local commands = require "loyalhook.cli.commands"

local function raised(action, ...)
  local done, value = pcall(action, ...)
  assert.is_false(done, "nothing was raised")
  assert.are.equal("table", type(value), tostring(value))
  return value
end

local function find(...)
  return arguments.command(commands, { ... })
end

describe("the command", function()
  it("is the first word that is not an option", function()
    local entry, rest = find("--store", "emit", "--json", "events", "--category", "member")
    assert.are.equal("events", entry.name)
    assert.are.same({ "--store", "emit", "--json", "--category", "member" }, rest)
  end)

  it("may be two words with options between them", function()
    local entry, rest = find("webhook", "--json", "show", "crm")
    assert.are.equal("webhook show", entry.name)
    assert.are.equal("loyalhook.cli.commands.webhook_show", entry.module)
    assert.are.same({ "--json", "crm" }, rest)
  end)

  it("is version for --version", function()
    local entry, rest = find("--json", "--version")
    assert.are.equal("version", entry.name)
    assert.are.same({ "--json" }, rest)
  end)

  it("gets help through the word help too", function()
    local entry, rest = find("help", "webhook", "list")
    assert.are.equal("webhook list", entry.name)
    assert.are.same({ "--help" }, rest)
  end)

  it("is asked for, and the nearest named", function()
    assert.are.equal("a command is required", raised(find).message)
    assert.matches("unknown command 'evnts'; did you mean \"events\"",
      raised(find, "evnts").message)
    assert.matches("unknown command 'webhook lst'; did you mean \"webhook list\"",
      raised(find, "webhook", "lst").message)
    assert.matches("unknown command 'wbhook'; did you mean \"webhook\"",
      raised(find, "wbhook", "list").message)
    assert.matches("create, list, show", raised(find, "webhook").message)
  end)

  it("shows an overview for --help alone or with a group", function()
    assert.are.equal("help", raised(find, "--help").stop)
    assert.are.equal("webhook", raised(find, "webhook", "-h").group)
  end)

  it("exists for every entry of the registry", function()
    for _, name in ipairs(commands.names()) do
      local entry = commands.find(name)
      local path = "lua/" .. entry.module:gsub("%.", "/") .. ".lua"
      local file = assert(io.open(path), path)
      file:close()
    end
  end)
end)

describe("options", function()
  local entry = { name = "try", summary = "a command of this spec" }
  local command = {
    examples = { "loyalhook try --count 3" },
    notes = "Notes.",
    arguments = function(parser)
      arguments.integer_option(parser, "--count", "How many.")
      parser:option("--event-type", "A type."):count("*")
      parser:option("--name", "A name."):count("1")
    end,
  }
  local function parse(...)
    return arguments.parse(entry, command, { ... })
  end

  it("are parsed, with those that every command has", function()
    local args = parse("--name", "n", "--count", "3", "--json", "--store=x", "--event-type", "a,b",
      "--event-type", " c ")
    assert.are.equal(3, args.count)
    assert.is_true(args.json)
    assert.are.equal("x", args.store)
    assert.are.same({ "a", "b", "c" }, arguments.list(args.event_type))
  end)

  local wrong = {
    { { "--name", "n", "--count", "three" }, "^%-%-count: 'three' is not a whole number$" },
    { { "--name", "n", "--count", "1.5" }, "whole number" },
    { { "--name", "n", "--coumt", "1" }, "^unknown option '%-%-coumt'; did you mean '%-%-count'" },
    { { "--name" }, "requires an argument" },
    { {}, "missing option '%-%-name'" },
    { { "--name", "n", "extra" }, "too many arguments" },
  }
  for _, case in ipairs(wrong) do
    it("are refused: " .. table.concat(case[1], " "), function()
      local value = raised(parse, (table.unpack or unpack)(case[1]))
      assert.are.equal("usage", value.stop)
      assert.matches(case[2], value.message)
      assert.is_nil(value.message:find("\n"))
      assert.matches("loyalhook try %-%-help", value.hint)
    end)
  end

  it("are explained, examples first", function()
    local value = raised(parse, "--help")
    assert.are.equal("help", value.stop)
    assert.is_true(value.text:find("Examples:", 1, true) < value.text:find("Usage:", 1, true))
    assert.matches("%-%-event%-type", value.text)
    assert.matches("%-%-json", value.text)
    assert.matches("Notes%.", value.text)
  end)

  it("of every command can be declared and explained", function()
    for _, name in ipairs(commands.names()) do
      local real = commands.find(name)
      local value = raised(arguments.parse, real, require(real.module), { "--help" })
      assert.matches("Examples:", value.text, 1, true)
      for line in value.text:gmatch("[^\n]+") do
        assert.is_true(#line <= 110, name .. " has a long line: " .. line)
      end
    end
  end)
end)
