-- The lines of a file that nginx adds to.

local engine = require("loyalhook.engine")
local lines = require("loyalhook.server.lines")

describe("lines", function()
  local folder, path, reader, seen, reopened

  before_each(function()
    folder = assert(engine.folder_new())
    path, seen, reopened = folder .. "/requests.log", {}, 0
    reader = lines.new(path, function() reopened = reopened + 1 end, 200000)
  end)
  after_each(function()
    reader:close()
    engine.folder_remove(folder)
  end)

  local function add(text, name)
    local file = assert(io.open(name or path, "ab"))
    file:write(text)
    file:close()
  end

  local function read()
    reader:each(function(line) seen[#seen + 1] = line end)
    return seen
  end

  it("are read as the file grows, in order, whole ones", function()
    assert.are.same({}, read()) -- it is not there yet
    add("one\ntw")
    assert.are.same({ "one" }, read())
    assert.are.same({ "one" }, read())
    add("o\n\nthree\n")
    assert.are.same({ "one", "two", "", "three" }, read())
  end)

  it("may be longer than what is read at once", function()
    local long = ("x"):rep(150000)
    add(long .. "\n" .. long)
    assert.are.same({ long }, read())
    add("\n")
    assert.are.same({ long, long }, read())
  end)

  it("go on in a new file when one has grown large, and none is lost", function()
    for _ = 1, 20 do
      add(("x"):rep(10000) .. "\n")
    end
    assert.are.equal(20, #read())
    assert.are.equal(1, reopened)
    add("late\n", path .. ".old") -- nginx has not heard of it yet
    assert.are.equal("late", read()[21])
    add("") -- the new file is there, but nothing in it
    assert.are.equal(21, #read())
    add("later\n", path .. ".old")
    add("new\n")
    assert.are.same({ "later", "new" }, { read()[22], read()[23] })
    assert.is_nil(io.open(path .. ".old"))
    assert.are.equal(1, reopened)
  end)
end)
