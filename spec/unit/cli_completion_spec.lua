-- What the last word of a command line could be.

local completion = require "loyalhook.cli.completion"
local commands = require "loyalhook.cli.commands"

local asked

local function look_up(element, given, current)
  asked = { target = element.target, given = given, current = current }
  return { { "found", "a value" } }
end

-- The candidates for the last word, as a set, and their kind.
local function offered(...)
  asked = nil
  local kind, list = completion.candidates(commands, { ... }, look_up)
  local set = {}
  for _, pair in ipairs(list) do
    assert.are.equal("string", type(pair[2]))
    set[pair[1]] = true
  end
  return set, kind
end

describe("completion", function()
  it("offers commands, a group once", function()
    local set = offered("")
    for _, name in ipairs(commands.names()) do
      assert.is_true(set[name:match("^%S+")], name)
    end
    assert.is_true(set.help)
    assert.is_nil(set["webhook list"])
    assert.are.same(set, (offered()))
    assert.are.same(set, (offered("--store", "x", "")))
    assert.are.same(set, (offered("help", "")))
  end)

  it("offers the commands of a group", function()
    for _, words in ipairs{ { "webhook", "" }, { "--json", "webhook", "" },
      { "help", "webhook", "" }, { "webhook", "--json", "" } } do
      local set = offered((table.unpack or unpack)(words))
      assert.is_true(set.create and set.list)
      assert.is_nil(set.webhook)
    end
  end)

  it("offers every option of every command", function()
    local definitions = require "loyalhook.cli.definitions"
    for _, name in ipairs(commands.names()) do
      local words = {}
      for word in name:gmatch("%S+") do
        words[#words + 1] = word
      end
      words[#words + 1] = "--"
      local set = offered((table.unpack or unpack)(words))
      for _, option in ipairs(definitions.of(commands.find(name)).options) do
        assert.is_true(set[option.names[#option.names]], name)
      end
    end
  end)

  it("offers an option once, unless it is repeatable", function()
    local set = offered("webhook", "create", "--name", "x", "--event-type", "a", "--")
    assert.is_nil(set["--name"])
    assert.is_true(set["--event-type"] and set["--url"])
  end)

  it("does not offer what cannot stand beside what is there", function()
    local set = offered("emit", "--ndjson", "f", "--")
    assert.is_nil(set["--data"])
    assert.is_true(set["--account"])
  end)

  it("offers choices, alone and behind an equals sign", function()
    assert.are.same({ text = true, json = true }, (offered("work", "--log-format", "")))
    assert.are.same({ ["--log-format=text"] = true, ["--log-format=json"] = true },
      (offered("work", "--log-format=")))
  end)

  it("leaves files to the shell", function()
    for _, words in ipairs{ { "work", "--config", "" }, { "emit", "--data-file=" },
      { "sign", "bo" }, { "backup", "" } } do
      local set, kind = offered((table.unpack or unpack)(words))
      assert.are.equal("files", kind)
      assert.are.same({}, set)
    end
  end)

  it("looks values up, and says what stands on the line", function()
    assert.are.same({ found = true },
      (offered("--store", "s", "webhook", "show", "--account=a", "c")))
    assert.are.same({ target = "webhook", current = "c", given = { store = "s", account = "a" } },
      asked)
    assert.are.same({ ["--webhook=found"] = true }, (offered("request", "list", "--webhook=x")))
    assert.are.equal("x", asked.current)
  end)

  it("goes on with a list behind its last comma", function()
    assert.are.same({ ["a,found"] = true },
      (offered("webhook", "create", "--event-type", "a,b")))
    assert.are.equal("b", asked.current)
    assert.are.same({ ["--event-type=a,b,found"] = true },
      (offered("webhook", "create", "--event-type=a,b,")))
  end)

  it("offers options where no argument can come", function()
    assert.is_true(offered("stats", "")["--webhook"])
    assert.is_true(offered("webhook", "show", "crm", "")["--account"])
    assert.are.same({}, (offered("webhook", "show", "crm", "--", "")))
    assert.are.same({ found = true }, (offered("webhook", "show", "--", "-x")))
  end)

  it("answers whatever stands on the line", function()
    local words = { "help", "--", "-", "--json", "--store", "--store=", "--no-such", "-x", "=", ",",
      "", "--=", "a=b", "\255", "*", "--event-type", "--event-type=a,", "--limit", "-1" }
    for _, name in ipairs(commands.names()) do
      for word in name:gmatch("%S+") do
        words[#words + 1] = word
      end
    end
    local seed = 1
    local function next_word()
      seed = (seed * 16807) % 2147483647
      return words[seed % #words + 1]
    end
    for _ = 1, 3000 do
      local line = {}
      for index = 1, #next_word() % 6 + 1 do
        line[index] = next_word()
      end
      local kind = completion.candidates(commands, line, look_up)
      assert.is_true(kind == "words" or kind == "files", table.concat(line, " "))
    end
  end)

  it("offers nothing for a command that does not exist", function()
    assert.are.same({}, (offered("evnts", "")))
    assert.are.same({}, (offered("webhook", "lst", "--")))
    assert.are.same({}, (offered("help", "emit", "")))
  end)
end)
