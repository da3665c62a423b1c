-- What a terminal is shown.

local terminal = require "loyalhook.cli.terminal"

describe("text for a terminal", function()
  it("is made harmless", function() -- how, is in plain_spec.lua
    assert.are.equal("a[31mred b", terminal.safe("a\27[31mred\nb"))
  end)

  it("has the width of its characters", function()
    assert.are.equal(4, terminal.width("会員")) -- more in cli_width_spec.lua
  end)

  it("has no colour where no terminal is known", function()
    assert.are.equal("bad", terminal.colour("red", "bad", 1))
  end)
end)

describe("colour", function()
  local before, getenv

  before_each(function()
    before, getenv = package.loaded["loyalhook.engine"], os.getenv
    package.loaded["loyalhook.engine"] = {
      isatty = function(fd) return fd == 1 end,
      columns = function() return 33 end,
    }
  end)
  after_each(function()
    package.loaded["loyalhook.engine"] = before
    os.getenv = getenv -- luacheck: ignore
  end)

  local function with_environment(values)
    os.getenv = function(name) return values[name] end -- luacheck: ignore
  end

  it("is there on a terminal and nowhere else", function()
    with_environment{ TERM = "xterm" }
    assert.are.equal("\27[31mbad\27[0m", terminal.colour("red", "bad", 1))
    assert.are.equal("bad", terminal.colour("red", "bad", 2))
    assert.are.equal(33, terminal.columns(1))
  end)

  it("can be declined", function()
    with_environment{ TERM = "xterm", NO_COLOR = "1" }
    assert.are.equal("bad", terminal.colour("red", "bad", 1))
    with_environment{ TERM = "dumb" }
    assert.are.equal("bad", terminal.colour("red", "bad", 1))
    with_environment{ TERM = "xterm", NO_COLOR = "" }
    assert.are_not.equal("bad", terminal.colour("red", "bad", 1))
  end)
end)
