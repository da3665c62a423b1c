-- nginx as a child: a real one, in a folder of its own, with a location that says hello.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local nginx = require("loyalhook.server.nginx")

describe("nginx", function()
  local folders, running = {}, nil

  local function folder_new()
    folders[#folders + 1] = assert(engine.folder_new())
    return folders[#folders]
  end

  after_each(function()
    if running then
      running:kill()
      running = nil
    end
    for _, folder in ipairs(folders) do
      engine.folder_remove(folder)
    end
    folders = {}
  end)

  local function start(more)
    local folder = folder_new()
    local given = { found = assert(nginx.find(nil, folder)), folder = folder, port = 0,
      workers = 1, grace_s = 5, threads = 2, vms = 2, access_log = "off", body_kib_max = 64,
      http = "", host = "127.0.0.1",
      server = "location / { content_by_lua_block { ngx.print(require('loyalhook.plain').line"
        .. "('hello')) } }" }
    for key, value in pairs(more or {}) do
      given[key] = value
    end
    return nginx.start(given)
  end

  local function answer(port)
    return assert(engine.post({ url = ("http://127.0.0.1:%d/"):format(port), headers = {},
      body = "", timeout_ms = 10000 })).response
  end

  local function ending(web)
    local until_ms = core.now_ms() + 20000
    while core.now_ms() < until_ms do
      local sentence = web:ended()
      if sentence then
        return sentence
      end
      engine.pause(5)
    end
    error("it goes on")
  end

  it("runs Lua with loyalhook on a free port, until it is told to quit", function()
    running = assert(start())
    assert.is_nil(running:ended())
    assert.are.equal("hello", answer(running.port))
    running:quit()
  end)

  it("says that a port is taken", function()
    running = assert(start())
    local other, message, code = start({ port = running.port })
    assert.is_nil(other)
    assert.are.equal("conflict", code)
    assert.are.equal(("port %d is taken: choose another one with --port, or --port 0 for a free "
      .. "one"):format(running.port), message)
    assert.are.equal("hello", answer(running.port))
  end)

  it("starts again on its port after a kill -9, which leaves workers behind", function()
    running = assert(start())
    local port = running.port
    running._process:signal("KILL")
    assert.matches("^nginx was ended by signal 9", ending(running))
    assert.is_true(running:restart())
    assert.are.equal(port, running.port)
    assert.are.equal("hello", answer(port))
  end)

  it("says what is wrong in its own words", function()
    local web, message, code = start({ server = "no_such_directive x;" })
    assert.is_nil(web)
    assert.are.equal("config", code)
    assert.matches('^nginx: unknown directive "no_such_directive"', message)
    web, message = start({ http = "init_by_lua_block { error('no store', 0) }" })
    assert.is_nil(web)
    assert.matches("^nginx: .*no store", message)
  end)

  it("is looked for where it is named", function()
    local found, message, code = nginx.find("/no/such/nginx", folder_new())
    assert.is_nil(found)
    assert.are.equal("config", code)
    assert.are.equal("nginx: no program /no/such/nginx", message)
  end)

  -- A program that says this when it is asked for its version.
  local function program(folder, script)
    local path = folder .. "/nginx"
    local file = assert(io.open(path, "w"))
    file:write("#!/bin/sh\n" .. script .. "\n")
    file:close()
    local process = assert(engine.process({ argv = { "/bin/chmod", "755", path } }))
    while not process:poll() do
      engine.pause(2)
    end
    process:close()
    return path
  end

  it("is told from one without the Lua module", function()
    local folder = folder_new()
    local path = program(folder, "echo 'nginx version: nginx/1.0\nconfigure arguments: "
      .. "--with-threads --modules-path=/no/such' >&2")
    local found, message, code = nginx.find(path, folder)
    if found then -- the system's own modules are found for it
      assert.are.equal("nginx/1.0", found.version)
    else
      assert.are.equal("config", code)
      assert.matches("^nginx has no Lua module: install libnginx%-mod%-http%-lua", message)
    end
  end)

  it("is not called one without threads because what it says could not be written", function()
    local folder = folder_new()
    local found, message, code = nginx.find(program(folder, "exit 0"), folder)
    assert.is_nil(found)
    assert.are.equal("io", code)
    assert.are.equal(folder .. "/version: `nginx -V` has written nothing there: the disk is full, "
      .. "or it is no nginx", message)
    local path = program(folder, "echo 'nginx version: nginx/1.0' >&2")
    found, message, code = nginx.find(path, folder)
    assert.is_nil(found)
    assert.are.equal("io", code)
    assert.matches("/version: `.*/nginx %-V` has not said how it was built$", message)
  end)
end)
