-- What commands share.

local context = require "loyalhook.cli.context"
local output = require "loyalhook.cli.output"

describe("context", function()
  local words
  before_each(function()
    words = {}
    local stream = { write = function(_, text) words[#words + 1] = text; return true end }
    words.output = output.new(false, stream, stream)
  end)

  it("passes on values and ends the command for an error", function()
    assert.are.equal(7, context.must(7))
    local done, raised = pcall(context.must, nil, "broken", "io")
    assert.is_false(done)
    assert.are.same({ stop = "failure", message = "broken", code = "io" }, raised)
  end)

  it("takes settings from flags first", function()
    local one = context.new({ store = "sqlite:other.db", concurrency = 7 }, words.output)
    assert.are.equal("sqlite:other.db", one:settings().store)
    assert.are.equal(7, one:settings().concurrency)
    assert.are.equal(30, one:settings().drain_grace_s)
    assert.are.equal(5, context.new({ drain_grace_s = 5 }, words.output):settings().drain_grace_s)
  end)

  it("checks a setting from a flag as one from the file", function()
    for _, flags in ipairs{ { drain_grace_s = -1 }, { drain_grace_s = 3601 },
      { concurrency = 0 } } do
      local one = context.new(flags, words.output)
      local done, raised = pcall(one.settings, one)
      assert.is_false(done)
      assert.are.equal("config", raised.code)
    end
  end)

  it("ends the command for a configuration that was named and is not there", function()
    local one = context.new({ config = "no/such.lua" }, words.output)
    for _, method in ipairs{ "settings", "catalogue" } do
      local done, raised = pcall(one[method], one)
      assert.is_false(done)
      assert.are.equal("config", raised.code)
    end
  end)

  it("has the catalogue without any configuration", function()
    assert.are.equal(20, #context.new({}, words.output):catalogue():all())
  end)

  it("closes nothing that was not opened", function()
    context.new({}, words.output):close()
  end)
end)
