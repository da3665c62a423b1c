-- Where nginx's LuaJIT finds loyalhook: beside where this Lua found it. In a
-- checkout build/ has the C modules of both VMs, installed they are in share/lua
-- and lib/lua of either version.

local trees = {}

-- What a path of this VM's is called for LuaJIT; the first that is there is taken.
local SWAPS = { { "", "" }, { "/lua5%.4/", "/luajit/" }, { "/5%.4/", "/5.1/" } }

local REMEDY = "in a checkout: make build; installed: make install, or the rock for Lua 5.1"

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

-- A C module is of one VM, so LuaJIT must not be given Lua 5.4's.
local function tree_of(found, rest, may_share)
  for index, swap in ipairs(SWAPS) do
    local path, changed = found:gsub(swap[1], swap[2])
    if (may_share or index > 1 and changed > 0) and exists(path) then
      return path:sub(1, #path - #rest)
    end
  end
  return nil
end

-- A search path separates by semicolons and puts the name where a question mark is.
local function check_name(tree)
  if tree:find("[;?]") or tree:find("%c") then
    return nil, ("Lua cannot search in %s: its name has a ; or ? or a control character"):format(
      tree), "config"
  end
  return tree
end

--- Search paths { path, cpath } for LuaJIT, or nil, message, "config". given (for the specs): core
-- and lua = files of loyalhook that this VM found, is_luajit.
function trees.find(given)
  given = given or { core = package.searchpath("loyalhook.core", package.cpath),
    lua = package.searchpath("loyalhook.plain", package.path),
    is_luajit = rawget(_G, "jit") ~= nil }
  local lua = given.lua and tree_of(given.lua, "/loyalhook/plain.lua", true)
  local c = given.core and tree_of(given.core, "/loyalhook/core.so", given.is_luajit)
  if not lua or not c then
    return nil, "loyalhook is not built for LuaJIT, which nginx runs (" .. REMEDY .. ")", "config"
  end
  local ok, message, code = check_name(lua)
  if ok then
    ok, message, code = check_name(c)
  end
  if not ok then
    return nil, message, code
  end
  return { path = ("%s/?.lua;%s/?/init.lua;;"):format(lua, lua), cpath = c .. "/?.so;;" }
end

return trees
