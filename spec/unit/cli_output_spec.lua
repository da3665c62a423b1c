-- What goes to which stream.

local output = require "loyalhook.cli.output"

local function stream(failing)
  local text = {}
  return {
    write = function(_, ...)
      for _, part in ipairs{ ... } do
        text[#text + 1] = part
      end
      return not failing or nil, failing
    end,
    flush = function() return not failing or nil, failing end,
    text = function() return table.concat(text) end,
  }
end

describe("output", function()
  it("keeps data and messages apart", function()
    local out, err = stream(), stream()
    local words = output.new(false, out, err)
    words:line("id")
    words:lines{ "a", "b" }
    words:note("note\27[1m")
    words:failure("it broke\nbadly", "io")
    assert.are.equal("id\na\nb\n", out.text())
    assert.are.equal("note[1m\nloyalhook: it broke badly\n", err.text())
  end)

  it("speaks JSON alone with --json", function()
    local out, err = stream(), stream()
    local words = output.new(true, out, err)
    words:document{ a = 1 }
    words:note("not shown")
    words:failure("bad", "invalid")
    assert.are.equal('{"a":1}\n', out.text())
    assert.are.equal('{"error":{"code":"invalid","message":"bad"}}\n', err.text())
  end)

  it("raises when stdout takes no more", function()
    local words = output.new(false, stream("No space left on device"), stream())
    local done, value = pcall(words.line, words, "x")
    assert.is_false(done)
    assert.are.same({ stop = "stdout", message = "No space left on device" }, value)
    assert.is_false((pcall(words.flush, words)))
  end)
end)
