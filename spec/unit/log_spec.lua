-- One line a message, as text and as JSON; levels, places, the brake for repeated messages.

local json = require("loyalhook.json")
local log = require("loyalhook.log")

local function new_file()
  local file = { lines = {} }
  function file:write(text)
    self.lines[#self.lines + 1] = text
  end
  function file.flush() end
  return file
end

local function now_ms()
  return 1714557600123
end

local function said(options, level, message, fields)
  local file = new_file()
  options.file, options.now_ms = file, now_ms
  log.writer(options)(level, message, fields)
  return table.concat(file.lines)
end

describe("a log line", function()
  it("is level, sentence, fields by name", function()
    assert.are.equal('warn: it broke code=busy text="a \\"b\\" c"',
      log.line("warn", "it broke", { text = 'a "b" c', code = "busy" }))
    assert.are.equal('info: two lines empty="" x="a b"',
      log.line("info", "two\nlines", { x = "a\nb", empty = "" }))
  end)

  it("is harmless in front of a terminal", function()
    assert.are.equal('warn: a[2J error="b evil" url=c',
      log.line("warn", "a\27[2J", { error = "b\r\nevil\226\128\174", url = "c\194\155" }))
  end)

  it("shows no user, password, query or fragment of a URL", function()
    for _, field in ipairs({ "url", "error" }) do
      assert.are.equal("info: x " .. field .. "=https://example.com/a",
        log.line("info", "x", { [field] = "https://joe:pass@example.com/a?token=t#f" }))
    end
    assert.are.equal("info: at http://h:8080/p and postgresql://db/x end",
      log.line("info", "at http://u@h:8080/p?q=1 and postgresql://u:p%40w@db/x?sslpassword=s end"))
  end)

  it("is an object for machines: time, level, message, then the fields", function()
    assert.are.equal('{"time":"2024-05-01T10:00:00.123Z","level":"warn","message":"it \\"broke\\"",'
      .. '"attempt":2,"error":"a\\nb","ms":1.5,"ok":true}', log.json("warn", 'it "broke"',
      { attempt = 2, error = "a\nb", ok = true, ms = 1.5 }, now_ms()))
  end)

  it("is strict JSON whatever is in it", function()
    local text = log.json("info", "\255\0\27", { message = "twice", nan = 0 / 0,
      url = "https://u:p@h/?q", large = 2 ^ 60 }, now_ms())
    local read = json.decode(text)
    assert.are.equal("\239\191\189\0\27", read.message)
    assert.are.equal("twice", read.message_)
    assert.are.equal("https://h/", read.url)
  end)
end)

describe("log.writer", function()
  it("keeps to its level", function()
    local file = new_file()
    local say = log.writer({ level = "warn", file = file, place = "terminal" })
    say("info", "quiet")
    say("warn", "heard")
    say("error", "heard too", { n = 1 })
    assert.are.same({ "warn: heard\n", "error: heard too n=1\n" }, file.lines)
  end)

  it("notes the time in a file, priorities in the journal, neither on a terminal", function()
    assert.are.equal("2024-05-01T10:00:00.123Z warn: x\n", said({ place = "file" }, "warn", "x"))
    assert.are.equal("<4>warn: x\n", said({ place = "journal" }, "warn", "x"))
    assert.are.equal("<3>error: x\n", said({ place = "journal" }, "error", "x"))
    assert.are.equal("warn: x\n", said({ place = "terminal" }, "warn", "x"))
    assert.are.equal('<7>{"time":"2024-05-01T10:00:00.123Z","level":"debug","message":"x"}\n',
      said({ place = "journal", format = "json", level = "debug" }, "debug", "x"))
  end)

  it("paints text on a terminal only", function()
    local function paint(level, line)
      return level .. "(" .. line .. ")"
    end
    assert.are.equal("warn(warn: x)\n", said({ place = "terminal", paint = paint }, "warn", "x"))
    assert.is_nil(said({ place = "file", paint = paint }, "warn", "x"):find("(", 1, true))
    assert.is_nil(said({ place = "terminal", paint = paint, format = "json" }, "warn", "x")
      :find("(", 1, true))
  end)

  it("goes on when its file takes nothing", function()
    local path = os.tmpname()
    local closed = assert(io.open(path, "w"))
    closed:close()
    os.remove(path)
    log.writer({ file = closed })("error", "nobody hears this")
    log.writer({ file = assert(io.open("/dev/full", "w")) })("error", "nor this")
  end)

  it("refuses names that it does not know, at the caller's line", function()
    assert.has_error(function() log.writer({ level = "loud" }) end)
    assert.has_error(function() log.writer({ format = "xml" }) end)
    local _, message = pcall(function() log.writer({ levl = "info" }) end)
    assert.matches("log_spec", message)
    assert.matches("level", message)
  end)
end)

describe("the place of stderr", function()
  local engine = require("loyalhook.engine")
  local isatty, getenv = engine.isatty, os.getenv

  after_each(function()
    engine.isatty, os.getenv = isatty, getenv -- luacheck: ignore
  end)

  local function place(terminal, journal)
    engine.isatty = function() return terminal end
    os.getenv = function() return journal end -- luacheck: ignore
    return log.place()
  end

  it("is a terminal, the journal that the system names, or a file", function()
    assert.are.equal("terminal", place(true, engine.device(2)))
    assert.are.equal("journal", place(false, engine.device(2)))
    assert.are.equal("file", place(false, "1:1")) -- a journal, but not on this stream
    assert.are.equal("file", place(false, nil))
  end)
end)

describe("log.brake", function()
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
