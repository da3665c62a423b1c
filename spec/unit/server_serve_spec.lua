-- The nginx of `serve`: the receiver behind it, and that it is kept running. Time is an argument.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local front = require("loyalhook.server.front")
local receiver = require("loyalhook.receiver")
local server = require("loyalhook.server.serve")
local signature = require("loyalhook.signature")

local SECRET = "a secret for tests"

describe("the nginx of serve", function()
  local folder, store, said, web

  before_each(function()
    folder, said = assert(engine.folder_new()), {}
    store = ("sqlite:%s/loyalhook.db"):format(folder)
    assert(receiver.open({ store = store, create = true, sources = {} })):close()
    web = assert(server.start({ folder = folder, host = "127.0.0.1", port = 0, store = store,
      sources = { shop = { secrets = { SECRET } } },
      api = front.api({ store = store, metrics_public = true }, "127.0.0.1"),
      log = function(level, message, fields)
        said[#said + 1] = ("%s: %s%s"):format(level, message, fields and fields.repeated
          and " repeated=" .. fields.repeated or "")
      end }))
  end)

  after_each(function()
    web:close()
    engine.folder_remove(folder)
  end)

  local function post(path, headers, body)
    return assert(engine.post({ url = ("http://127.0.0.1:%d%s"):format(web.port, path),
      headers = headers or {}, body = body or "", timeout_ms = 10000 })).status
  end

  local function send(path, id)
    local body = ('{"events":[{"id":"%s","event_type":"t","data":{}}]}'):format(id)
    local lines = {}
    for name, value in pairs(assert(signature.headers({ secret = SECRET, body = body }))) do
      lines[#lines + 1] = name .. ": " .. value
    end
    return post(path, lines, body)
  end

  local function await_end()
    local until_ms = core.now_ms() + 20000
    while not web._web:ended() and core.now_ms() < until_ms do
      engine.pause(5)
    end
  end

  it("receives for its sources, says that it lives, and serves nothing else", function()
    assert.are.equal(200, send("/receive/shop", "e1"))
    assert.are.equal(401, send("/receive/other", "e2"))
    assert.is_true(post("/") == 302 or post("/") == 404) -- with the console's files, without
    assert.are.equal(404, post("/receive/shop/more"))
    assert.are.equal(405, post("/healthz"))
    assert.are.equal(405, post("/metrics"))
    assert.are.equal(401, post("/api/v1/events"))
    assert.is_true(web:look(core.now_ms()))
    assert.is_nil(io.open(folder .. "/settings.json")) -- it has secrets, and was read
    local inbox = assert(receiver.open({ store = store, sources = {} }))
    assert.are.equal("shop", inbox:event("e1")[1].source)
    assert.is_nil((inbox:event("e2")))
    inbox:close()
  end)

  it("is started again after a kill -9, not at once", function()
    assert.are.equal(200, send("/receive/shop", "e1"))
    web._web._process:signal("KILL")
    await_end()
    local now_ms = core.now_ms()
    assert.is_true(web:look(now_ms))
    assert.matches("^error: nginx was ended by signal 9; it is started again", said[1])
    assert.is_true(web:look(now_ms + 999))
    assert.are.equal(1, #said)
    assert.is_true(web:look(now_ms + 1000))
    assert.are.equal("info: nginx runs again", said[#said])
    assert.are.equal(200, send("/receive/shop", "e2"))
  end)

  it("is given up when it cannot be started for too long", function()
    web._web._process:signal("KILL", "group")
    await_end()
    engine.folder_remove(folder)
    local now_ms, looks = core.now_ms(), 0
    local ok, message
    repeat
      ok, message = web:look(now_ms)
      now_ms, looks = now_ms + 60000, looks + 1
    until not ok or looks > 20
    assert.is_nil(ok)
    assert.matches("/settings.json: No such file", message)
    assert.are.equal(6, looks)
  end)

  it("passes on what nginx complains of", function()
    local file = assert(io.open(folder .. "/error.log", "ab"))
    file:write("2026/11/25 22:28:17 [warn] 12#13: *7 something is odd, client: 1.2.3.4\n"
      .. "2026/11/25 22:28:17 [error] 12#13: *7 [lua] note.lua:13: say(): error: no room "
      .. 'code=full, client: 1.2.3.4, server: , request: "POST / HTTP/1.1", host: "x"\n'
      .. "2026/11/25 22:28:17 [notice] 12#13: a process began\n")
    file:close()
    web:look(core.now_ms())
    assert.are.same({ "warn: nginx: something is odd, client: 1.2.3.4",
      "error: no room code=full" }, said)
  end)

  it("says once in ten seconds that strangers send too large bodies, and how many", function()
    local function send_many(count)
      local file = assert(io.open(folder .. "/error.log", "ab"))
      for index = 1, count do
        file:write(("2026/11/25 22:28:17 [error] 12#13: *%d client intended to send too large body:"
          .. " %d bytes, client: 1.2.3.%d, server: , request: \"POST /receive/shop?%d HTTP/1.1\", "
          .. "host: \"x\"\n"):format(index, 20000000 + index, index, index))
      end
      file:write("2026/11/25 22:28:17 [crit] 12#13: *7 pwrite() \"body/1\" failed\n")
      file:close()
    end
    local now_ms = core.now_ms()
    send_many(100)
    web:look(now_ms)
    send_many(100)
    web:look(now_ms + 9999)
    assert.are.equal(2, #said)
    assert.matches("^error: nginx: client intended to send too large body: 20000001 bytes", said[1])
    assert.are.equal('error: nginx: pwrite() "body/1" failed', said[2])
    send_many(1)
    web:look(now_ms + 10000)
    assert.are.equal(4, #said)
    assert.matches("20000001 bytes.* repeated=199$", said[3])
    assert.matches(" repeated=1$", said[4])
  end)
end)
