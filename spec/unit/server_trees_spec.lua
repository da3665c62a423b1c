-- Where nginx's LuaJIT finds loyalhook. Folders are made below a temporary one.

local engine = require("loyalhook.engine")
local trees = require("loyalhook.server.trees")

describe("trees", function()
  local top

  before_each(function() top = assert(engine.folder_new()) end)
  after_each(function() engine.folder_remove(top) end)

  -- Makes files, with the folders they need.
  local function make(...)
    for _, path in ipairs({ ... }) do
      local process = assert(engine.process({ argv = { "/bin/sh", "-c",
        'mkdir -p "${1%/*}" && : > "$1"', "sh", top .. path } }))
      while not process:poll() do
        engine.pause(2)
      end
      process:close()
    end
  end

  local function find(lua, core, is_luajit)
    return trees.find({ lua = lua and top .. lua, core = core and top .. core,
      is_luajit = is_luajit or false })
  end

  it("are those of this checkout", function()
    local found = assert(trees.find())
    assert.matches("lua/%?%.lua;.*lua/%?/init%.lua;;$", found.path)
    assert.matches("/luajit/%?%.so;;$", found.cpath)
  end)

  it("are of a checkout", function()
    make("/lua/loyalhook/plain.lua", "/build/lua5.4/loyalhook/core.so",
      "/build/luajit/loyalhook/core.so")
    local wanted = { path = ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(top, top),
      cpath = top .. "/build/luajit/?.so;;" }
    assert.are.same(wanted, find("/lua/loyalhook/plain.lua", "/build/lua5.4/loyalhook/core.so"))
    assert.are.same(wanted, find("/lua/loyalhook/plain.lua", "/build/luajit/loyalhook/core.so",
      true))
  end)

  it("are of an installed tree, for Lua 5.1", function()
    make("/share/lua/5.4/loyalhook/plain.lua", "/share/lua/5.1/loyalhook/plain.lua",
      "/lib/lua/5.4/loyalhook/core.so", "/lib/lua/5.1/loyalhook/core.so")
    local found = assert(find("/share/lua/5.4/loyalhook/plain.lua",
      "/lib/lua/5.4/loyalhook/core.so"))
    assert.are.equal(top .. "/lib/lua/5.1/?.so;;", found.cpath)
  end)

  it("are missing where only the other VM has modules", function()
    make("/lua/loyalhook/plain.lua", "/build/lua5.4/loyalhook/core.so")
    local found, message, code = find("/lua/loyalhook/plain.lua",
      "/build/lua5.4/loyalhook/core.so")
    assert.is_nil(found)
    assert.are.equal("config", code)
    assert.matches("not built for LuaJIT, which nginx runs %(in a checkout: make build", message)
    assert.is_nil((find(nil, nil)))
  end)

  it("are refused where a search path cannot name them", function()
    for _, name in ipairs({ "a;b", "what?", "a\nb" }) do
      make("/" .. name .. "/lua/loyalhook/plain.lua", "/" .. name .. "/luajit/loyalhook/core.so")
      local found, message, code = find("/" .. name .. "/lua/loyalhook/plain.lua",
        "/" .. name .. "/luajit/loyalhook/core.so", true)
      assert.is_nil(found)
      assert.are.equal("config", code)
      assert.matches("^Lua cannot search in ", message)
    end
  end)
end)
