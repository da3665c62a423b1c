-- Doctor's findings about sources, handlers and nginx.

local checks = require "loyalhook.cli.checks"
local engine = require "loyalhook.engine"
local loyalhook = require "loyalhook"

describe("doctor on the receiving side", function()
  local folder, store

  before_each(function()
    folder = assert(engine.folder_new())
    store = ("sqlite:%s/loyalhook.db"):format(folder)
    assert(loyalhook.sender.open{ store = store, create = true }):close()
  end)
  after_each(function() engine.folder_remove(folder) end)

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
    return folder .. "/" .. name
  end

  -- The finding of that name with this configuration.
  local function finding(name, text)
    local path = write("loyalhook.lua", "return {" .. text .. "}")
    for _, one in ipairs(checks.run({ store = store }, path, false)) do
      if one.name == name then
        return one
      end
    end
    return nil
  end

  it("reads every secret", function()
    assert.is_nil(finding("sources", ""))
    write("secret", "a secret for tests\n")
    local sources = ("sources = { shop = { secret_files = { '%s/secret' } }, "
      .. "old = { secrets = { 'an older secret of 16+' } } }"):format(folder)
    assert.are.same({ name = "sources", status = "ok",
      message = "old, shop: every secret can be read" }, finding("sources", sources))
    os.remove(folder .. "/secret")
    local found = finding("sources", sources)
    assert.are.equal("problem", found.status)
    assert.matches("^sources.shop: .*/secret", found.message)
  end)

  it("loads every handler", function()
    assert.is_nil(finding("handlers", ""))
    write("points.lua", "return { name = 'points', event_types = { '*' }, handle = function() "
      .. "return true end }")
    local handlers = "handlers = { { file = 'points.lua' }, { use = 'log' } }"
    assert.are.same({ name = "handlers", status = "ok", message = "points, log" },
      finding("handlers", handlers))
    write("points.lua", "return { name = 'points' }")
    local found = finding("handlers", handlers)
    assert.are.same({ "problem", "config" }, { found.status, found.code })
  end)

  it("tells of handlers that are configured no more while events wait for them", function()
    local receiver = assert(loyalhook.receiver.open{ store = store,
      sources = { shop = { secrets = { "a secret for tests" } } } })
    local worker = assert(loyalhook.worker.new{ receiver = receiver, log = function() end,
      handlers = { { name = "points", event_types = { "*" }, handle = function() end } } })
    worker:close()
    local body = '{"events":[{"id":"e1","event_type":"t","data":{}}]}'
    assert.are.equal(200, (receiver:accept("shop", loyalhook.signature.headers{ body = body,
      secret = "a secret for tests" }, body)))
    receiver:close()
    local found = finding("handlers", "")
    assert.are.equal("warning", found.status)
    assert.matches("^not configured, but events wait for them: points;", found.message)
  end)

  it("finds nginx, or says who needs it", function()
    assert.matches("^nginx/", finding("nginx", "").message)
    local missing = "nginx = '/no/nginx'"
    assert.are.same({ name = "nginx", status = "ok",
      message = "not used: nginx: no program /no/nginx" }, finding("nginx", missing))
    local found = finding("nginx", missing
      .. ", sources = { shop = { secrets = { 'an older secret of 16+' } } }")
    assert.are.same({ name = "nginx", status = "warning",
      message = "nginx: no program /no/nginx; serve and listen need it" }, found)
  end)
end)
