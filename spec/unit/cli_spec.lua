-- From words to an exit code. What is printed is shown from outside (spec/blackbox/test_cli.py).

local cli = require "loyalhook.cli"

describe("main", function()
  local out, err = io.stdout, io.stderr

  -- Both streams into one text.
  local function run(...)
    local text = {}
    local stream = {
      write = function(_, ...)
        for _, part in ipairs{ ... } do
          text[#text + 1] = part
        end
        return true
      end,
      flush = function() return true end,
    }
    io.stdout, io.stderr = stream, stream -- luacheck: ignore
    local code = cli.main{ ... }
    io.stdout, io.stderr = out, err -- luacheck: ignore
    return code, table.concat(text)
  end

  after_each(function()
    io.stdout, io.stderr = out, err -- luacheck: ignore
    package.loaded["loyalhook.cli.commands.version"] = nil
  end)

  local function version_that(action)
    package.loaded["loyalhook.cli.commands.version"] = { arguments = function() end, run = action }
  end

  it("answers with the command's code, or 0", function()
    version_that(function() end)
    assert.are.equal(0, (run("version")))
    version_that(function() return 5 end)
    assert.are.equal(5, (run("version")))
  end)

  it("turns an error into one line and its code", function()
    version_that(function() return nil, "no store at x", "store_missing" end)
    local code, said = run("version")
    assert.are.equal(3, code)
    assert.are.equal("loyalhook: no store at x\n", said)
  end)

  it("ends for an interrupt with 130", function()
    version_that(function() error("interrupted!") end)
    assert.are.equal(130, (run("version")))
  end)

  it("survives a bug with one line", function()
    version_that(function(args) return args.missing.x end)
    local code, said = run("version")
    assert.are.equal(1, code)
    assert.matches("^loyalhook: [^\n]*report it[^\n]*\n$", said)
  end)

  it("names a module that is not installed", function()
    version_that(function() require "loyalhook.no_such_part" end)
    local code, said = run("version")
    assert.are.equal(3, code)
    assert.matches("^loyalhook: Lua module loyalhook.no_such_part is not installed %(in a", said)
    version_that(function() require "no_such_rock" end)
    code, said = run("version")
    assert.are.equal(3, code)
    assert.matches("no_such_rock is not installed %(the package lua%-no_such_rock", said)
    version_that(function()
      error("error loading module 'cjson' from file '/x/cjson.so':\n\tshort")
    end)
    code, said = run("version")
    assert.are.equal(3, code)
    assert.are.equal("loyalhook: Lua module cjson does not load: short\n", said)
  end)

  it("is quiet about a reader that went away and says when stdout is full", function()
    version_that(function() error({ stop = "stdout", message = "Broken pipe" }, 0) end)
    assert.are.same({ 1, "" }, { run("version") })
    version_that(function() error({ stop = "stdout", message = "No space left" }, 0) end)
    assert.matches("No space left", (select(2, run("version"))))
  end)
end)
