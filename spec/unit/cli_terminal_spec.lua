-- Foreign text in front of a terminal.

local terminal = require "loyalhook.cli.terminal"

describe("text for a terminal", function()
  local cases = {
    { "plain text stays", "crm: 100 %", "crm: 100 %" },
    { "letters of other scripts stay", "Zoë 会員 🎉", "Zoë 会員 🎉" },
    { "escape sequences lose their escape", "a\27[31mred\27]0;title\7b", "a[31mred]0;titleb" },
    { "line breaks and tabs become one space", "a\r\n\tb", "a b" },
    { "nul, bell, backspace and delete go", "a\0b\7c\8d\127e", "abcde" },
    { "C1 controls in UTF-8 go", "a\194\155" .. "31mb\194\133c", "a31mbc" },
    { "C1 controls as raw bytes are no UTF-8", "a\155b", "a\239\191\189b" },
    { "what turns reading around goes", "a\226\128\174b\226\129\166c\226\128\143d", "abcd" },
    { "a byte that is not UTF-8 is replaced", "a\255\254b", "a\239\191\189\239\191\189b" },
    { "a cut character is replaced", "a\226\130", "a\239\191\189\239\191\189" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      assert.are.equal(case[3], terminal.safe(case[2]))
    end)
  end

  it("shows nil as a dash and numbers as they are", function()
    assert.are.equal("-", terminal.safe(nil))
    assert.are.equal("7", terminal.safe(7))
  end)

  it("is shown without the C module too, since a message may say that it is missing", function()
    local before = package.loaded["loyalhook.core"]
    package.loaded["loyalhook.core"] = nil
    package.preload["loyalhook.core"] = function() error("not built") end
    local shown = terminal.safe("Zoë")
    package.loaded["loyalhook.core"], package.preload["loyalhook.core"] = before, nil
    assert.are.equal("Zo??", shown)
  end)

  it("has the width of its characters", function()
    assert.are.equal(3, terminal.width("Zoë"))
    assert.are.equal(0, terminal.width(""))
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
