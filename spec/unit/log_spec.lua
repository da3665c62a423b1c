-- One line per message, levels, and the brake for repeated ones.

local log = require("loyalhook.log")

describe("log", function()
  it("writes one line: level, sentence, fields by name", function()
    assert.are.equal('warn: it broke code=busy text="a \\"b\\" c"',
      log.line("warn", "it broke", { text = 'a "b" c', code = "busy" }))
    assert.are.equal('info: two lines empty="" x="a?b"',
      log.line("info", "two\nlines", { x = "a\nb", empty = "" }))
  end)

  it("keeps to its level", function()
    local lines = {}
    local file = { write = function(_, ...)
      lines[#lines + 1] = table.concat({ ... })
    end, flush = function() end }
    local say = log.writer("warn", file)
    say("info", "quiet")
    say("warn", "heard")
    say("error", "heard too", { n = 1 })
    assert.are.same({ "warn: heard\n", "error: heard too n=1\n" }, lines)
  end)

  it("holds repeated messages back and counts them", function()
    local brake = log.brake(1000)
    assert.are.equal(0, brake("busy", 5000))
    assert.is_nil(brake("busy", 5100))
    assert.is_nil(brake("busy", 5999))
    assert.are.equal(0, brake("full", 5999))
    assert.are.equal(2, brake("busy", 6000))
    assert.is_nil(brake("busy", 6100))
    assert.are.equal(1, brake("busy", 100)) -- the clock was set back
  end)
end)
