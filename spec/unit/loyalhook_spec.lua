-- Runs Lua text in a fresh VM of the same kind with the same module paths and
-- returns what it prints: which modules get loaded must be seen from outside.
local function in_fresh_vm(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(("package.path, package.cpath = %q, %q\n"):format(package.path, package.cpath), text)
  file:close()
  local pipe = assert(io.popen((jit and "luajit " or "lua5.4 ") .. path .. " 2>&1"))
  local output = pipe:read("*a")
  pipe:close()
  os.remove(path)
  return output
end

local SHOW = [[
  local names = {}
  for _, name in ipairs { "loyalhook.engine", "loyalhook.core", "cjson" } do
    names[#names + 1] = name .. "=" .. tostring(package.loaded[name] ~= nil)
  end
  print(table.concat(names, " "))
]]

describe("require \"loyalhook\"", function()
  it("loads nothing until something is used", function()
    assert.are.equal("loyalhook.engine=false loyalhook.core=false cjson=false\n",
      in_fresh_vm('local l = require("loyalhook") ' .. SHOW))
  end)

  it("does not bring SQLite or libcurl to who only verifies and builds", function()
    assert.are.equal("loyalhook.engine=false loyalhook.core=true cjson=false\n", in_fresh_vm([[
      local l = require("loyalhook")
      assert(l.signature.sign { secret = "s", body = "{}" })
      assert(l.payload.member_enrol { member_info = { id = "é", birthdate = l.null } }.data_json)
      assert(#l.events.all() == 20 and l.samples and l.fields and l.time and l.config)
      assert(l.diagnose.explain { secret = "s", body = "", headers = {} }.code == "header_missing")
      ]] .. SHOW))
  end)

  it("brings the engine with the sender", function()
    assert.are.equal("loyalhook.engine=true loyalhook.core=true cjson=false\n",
      in_fresh_vm('local l = require("loyalhook") local _ = l.sender, l.worker ' .. SHOW))
  end)

  it("sets no globals", function()
    assert.are.equal("none\n", in_fresh_vm([[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local l = require("loyalhook")
      local _ = l.sender, l.worker, l.samples.event("event_member_enrol"), l.diagnose, l.config
      local new = {}
      for name in pairs(_G) do if not before[name] then new[#new + 1] = name end end
      print(#new == 0 and "none" or table.concat(new, " "))]]))
  end)

  it("offers the markers of payload tables and its version", function()
    local loyalhook = require("loyalhook")
    assert.are.equal('{"a":[],"b":[],"c":null,"d":{"e":1}}', loyalhook.json.encode({
      a = loyalhook.array(), b = loyalhook.empty_array, c = loyalhook.null,
      d = loyalhook.raw('{"e":1}') }))
    assert.is_truthy(loyalhook._VERSION:find("^%d+%.%d+%.%d+"))
    assert.is_nil(loyalhook.no_such_part)
  end)
end)
