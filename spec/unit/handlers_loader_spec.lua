-- Handlers as loyalhook.lua lists them: those that come along, and own files in a merchant's tree.

local events = require("loyalhook.events")
local loader = require("loyalhook.handlers.loader")

local folder

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function load_all(...)
  return loader.load({ ... }, folder .. "/loyalhook.lua", events.default())
end

local function refused(wanted, ...)
  local list, message, code = load_all(...)
  assert.is_nil(list)
  assert.are.equal("config", code)
  assert.are.equal(wanted:gsub("DIR", (folder:gsub("%%", "%%%%"))), message)
end

local GOOD = [[
  return { name = "points", event_types = { "*" }, handle = function() return true end }
]]
local MAKER = [[
  local say = require("loyalhook.plain").line
  return function(options)
    if not options.greeting then
      return nil, "greeting: missing"
    end
    return { name = "points", event_types = { "*" }, handle = function()
      return say(options.greeting)
    end }
  end
]]

describe("handlers.loader", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder .. "/handlers"))
  end)

  after_each(function()
    os.execute("rm -rf " .. folder)
  end)

  it("finds own files beside loyalhook.lua, or anywhere", function()
    write("handlers/points.lua", GOOD)
    local list = assert(load_all({ file = "handlers/points.lua" },
      { file = folder .. "/handlers/points.lua" }))
    assert.are.same({ "points", "points" }, { list[1].name, list[2].name })
  end)

  it("hands the options on to a function", function()
    write("points.lua", MAKER)
    local list = assert(load_all({ file = "points.lua", greeting = "hello" }))
    assert.are.equal("hello", list[1].handle())
    refused("handlers[1]: DIR/points.lua: greeting: missing", { file = "points.lua" })
  end)

  it("makes those that come along", function()
    local list = assert(load_all({ use = "log", name = "diary", level = "debug" }))
    assert.are.equal("diary", list[1].name)
    for _, name in ipairs(loader.shipped) do
      assert.are.equal("function", type(require("loyalhook.handlers." .. name).new), name)
    end
  end)

  it("says what is wrong with one of those", function()
    refused('handlers[1]: no handler "emial" comes with loyalhook; did you mean "email"?; an own '
      .. "one is named by file", { use = "emial" })
    refused('handlers[1] (log): log.new: unknown option levl; did you mean "level"?',
      { use = "log", levl = "debug" })
    refused("handlers[1] (log): log.level: expected debug, info, warn or error",
      { use = "log", level = "loud" })
    refused('handlers[1]: no handler "runtime" comes with loyalhook; an own one is named by file',
      { use = "runtime" })
  end)

  it("names file and line of what is wrong with an own one", function()
    refused("handlers[1]: DIR/none.lua: No such file or directory", { file = "none.lua" })
    write("a.lua", "return {\n  name = = 5\n}")
    refused("handlers[1]: DIR/a.lua:2: unexpected symbol near '='", { file = "a.lua" })
    write("a.lua", "\nerror('mine')")
    refused("handlers[1]: DIR/a.lua:2: mine", { file = "a.lua" })
    write("a.lua", "coroutine.yield()")
    local _, yielded = load_all({ file = "a.lua" })
    assert.matches("^handlers%[1%]: " .. folder .. "/a.lua:.* attempt to yield", yielded)
    write("a.lua", "error({})")
    refused("handlers[1]: DIR/a.lua: a table was raised", { file = "a.lua" })
    write("a.lua", "while true do end")
    refused("handlers[1]: DIR/a.lua: still running after 10000000 instructions, does it ever end?",
      { file = "a.lua" })
    write("a.lua", "while true do pcall(function() while true do end end) end")
    refused("handlers[1]: DIR/a.lua: still running after 10000000 instructions, does it ever end?",
      { file = "a.lua" })
    write("a.lua", "return 5")
    refused("handlers[1]: DIR/a.lua: must return a handler, or a function that makes one, got "
      .. "number", { file = "a.lua" })
    write("a.lua", "\27Lua")
    refused("handlers[1]: DIR/a.lua: bytecode is refused, only Lua text is read",
      { file = "a.lua" })
    write("a.lua", "return function()\n  local x = nil + 1\nend")
    local _, message = load_all({ file = "a.lua" })
    assert.matches("^handlers%[1%]: " .. folder .. "/a.lua:2: attempt to perform", message)
    write("a.lua", "return function() end")
    refused("handlers[1]: DIR/a.lua: no handler was returned", { file = "a.lua" })
    write("a.lua", "return { name = 'a', event_types = { '*' } }")
    refused("DIR/a.lua: handle: missing; a handler is { name =, event_types = { … }, handle = "
      .. "function(event, context) … end }", { file = "a.lua" })
  end)

  it("refuses options that nobody takes, and entries that name nothing", function()
    write("points.lua", GOOD)
    refused("handlers[1]: DIR/points.lua takes no options such as greeting: it returns a handler, "
      .. "not a function that makes one", { file = "points.lua", greeting = "hello" })
    refused("handlers[1]: expected { use = NAME, … } or { file = PATH, … }", {})
    refused("handlers[1]: expected { use = NAME, … } or { file = PATH, … }",
      { use = "log", file = "points.lua" })
    refused("handlers[1]: use: expected a text", { use = 5 })
  end)

  it("keeps globals of one file out of the others, and knows all there are", function()
    write("a.lua", "leaked = 5\n" .. GOOD)
    write("b.lua", "assert(leaked == nil and string and require)\n" .. GOOD)
    assert(load_all({ file = "a.lua" }, { file = "b.lua" }))
    assert.is_nil(rawget(_G, "leaked"))
  end)
end)
