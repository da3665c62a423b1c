-- What is done in a thread of nginx's pool, called without nginx.

local core = require("loyalhook.core")
local loyalhook = require("loyalhook")
local thread = require("loyalhook.openresty.thread")

local SECRET = "a secret for tests"

describe("a task in the thread", function()
  local folder, settings, number = nil, nil, 0

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    settings = { store = "sqlite:" .. folder .. "/s.db", create = true, body_bytes_max = 1000 }
    number = number + 1
  end)

  after_each(function()
    os.execute("rm -rf " .. folder)
  end)

  local function body_of(id)
    return ('{"events":[{"id":"%s","event_type":"event_x","data":{}}]}'):format(id)
  end

  local function item(id, changes)
    local body = body_of(id)
    local what = { carried = { name = "zinrelo", scheme = "zinrelo", secrets = { SECRET } },
      picked = assert(loyalhook.signature.headers({ secret = SECRET, body = body })),
      now_ms = core.now_ms(), body = body }
    for name, value in pairs(changes or {}) do
      what[name] = value
    end
    return what
  end

  it("verifies what is not verified, and records what is good of many", function()
    local path = folder .. "/spooled"
    local file = assert(io.open(path, "wb"))
    file:write(body_of("d"))
    file:close()
    local spooled = item("d", { file = path })
    spooled.body = nil
    local large = item("f", { file = path })
    large.body = nil
    local standard = { scheme = "standard", secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }
    standard.body, standard.id = body_of("h"), "h"
    local other_scheme = item("h", { picked = assert(loyalhook.signature.headers(standard)) })
    other_scheme.picked.instead, other_scheme.picked.code = "standard", "header_missing"
    other_scheme.carried.secrets = { standard.secret } -- refused even if it were to fit
    local outcomes = thread.accept(settings, {
      { source = "zinrelo", scheme = "zinrelo", body = body_of("a") },
      item("b"),
      item("c", { body = body_of("other") }),
      spooled,
      item("e", { carried = { name = "", scheme = "zinrelo", secrets = { SECRET },
        unknown = true } }),
      { source = "zinrelo", scheme = "zinrelo", body = "{}" },
      item("g", { file = folder .. "/gone" }),
      { source = "zinrelo", scheme = "zinrelo", body = body_of("a") },
      other_scheme,
    })
    local told = {}
    for index = 1, 9 do
      told[index] = outcomes[index].status
    end
    assert.are.same({ 200, 200, 401, 200, 401, 400, 503, 200, 401 }, told)
    assert.are.equal("signature_mismatch", outcomes[3].code)
    assert.are.equal("unknown_source", outcomes[5].code)
    assert.are.equal("header_missing", outcomes[9].code)
    assert.are.same({ 1, 0 }, { outcomes[1].added, outcomes[8].added })
    settings.body_bytes_max = 10
    assert.are.equal(413, thread.accept(settings, { large })[1].status)
  end)

  it("answers 503 without a store, and finds it when it is there", function()
    settings.create = nil
    local outcomes = thread.accept(settings, { item("a"), item("b", { body = "x" }) })
    assert.are.same({ 503, "store_missing", 401 },
      { outcomes[1].status, outcomes[1].code, outcomes[2].status })
    settings.create = true
    assert.are.equal(200, thread.accept(settings, { item("a") })[1].status)
  end)

  it("lets no source that the store refuses hold up the others", function()
    local function of(source, id)
      return { source = source, scheme = "zinrelo", body = body_of(id) }
    end
    for first = 1, 1000, 250 do
      local items = {}
      for index = first, first + 249 do
        items[#items + 1] = of("source-" .. index, "e")
      end
      assert.are.equal(200, thread.accept(settings, items)[250].status)
    end
    local outcomes = thread.accept(settings, { of("one-more", "a"), of("source-7", "b") })
    assert.are.same({ 503, "limit", 200 },
      { outcomes[1].status, outcomes[1].code, outcomes[2].status })
  end)

  it("emits single events together and lists as a whole", function()
    local function row(changes)
      local what = { event_type = "event_member_update", data_json = '{"a":1}' }
      for name, value in pairs(changes or {}) do
        what[name] = value
      end
      return what
    end
    local options = { sender = { store = settings.store, create = true },
      number = "spec" .. number }
    local done = thread.emit(options, {
      { row = row({ idempotency_key = "k" }) },
      { row = row({ event_type = "event_memberupdate" }) },
      { rows = { row(), row() } }, { rows = { row(), row({ data_json = "[]" }) } },
      { row = row({ idempotency_key = "k" }) } })
    assert.are.equal(24, #done[1].id)
    assert.are.equal("unknown_type", done[2].code)
    assert.are.equal(2, #done[3].ids)
    assert.are.same({ "invalid", 2 }, { done[4].code, done[4].index })
    assert.are.same({ done[1].id, true }, { done[5].id, done[5].duplicate })
    local missing = thread.emit({ sender = { store = "sqlite:" .. folder .. "/none.db" },
      number = "none" .. number }, { { row = row() } })
    assert.are.equal("store_missing", missing[1].code)
  end)

  describe("of the API", function()
    local function api_settings(changes)
      local given = { number = 1000 + number, sender = { store = settings.store }, shown = {},
        body_bytes_max = 1000 }
      for name, value in pairs(changes or {}) do
        given[name] = value
      end
      return given
    end

    local function request(path, changes)
      local made = { method = "GET", path = path, query = "", headers = { host = "localhost" },
        remote = "192.0.2.7" }
      for name, value in pairs(changes or {}) do
        made[name] = value
      end
      return made
    end

    it("answers each request, on one open store", function()
      assert(loyalhook.sender.open{ store = settings.store, create = true }):close()
      local responses = thread.api(api_settings(), { request("/api/v1/session"),
        request("/api/v1/webhooks"), request("/healthz/ready") })
      assert.are.equal(200, responses[1].status)
      assert.are.equal(401, responses[2].status)
      assert.are.equal(503, responses[3].status)
      assert.are.same({}, responses[1].notes)
    end)

    it("reads a body that was spooled", function()
      local sender = assert(loyalhook.sender.open{ store = settings.store, create = true })
      local access = require("loyalhook.access").new{ store = sender._store }
      local token = assert(access:create_token{ name = "t", scope = "write" }).token
      local file = assert(io.open(folder .. "/spooled", "wb"))
      file:write('{"event_type":"event_points_earned","data":{}}')
      file:close()
      local headers = { host = "localhost", authorization = "Bearer " .. token,
        ["content-type"] = "application/json" }
      local responses = thread.api(api_settings(), {
        request("/api/v1/events", { method = "POST", headers = headers,
          file = folder .. "/spooled" }),
        request("/api/v1/events", { method = "POST", headers = headers, file = folder .. "/gone" }),
      })
      assert.are.equal(202, responses[1].status)
      assert.are.equal("io", responses[2].code)
      assert.are.equal(1, sender:stats().events)
      sender:close()
    end)

    it("says why it cannot, and opens the store once it is there", function()
      local given = api_settings()
      assert.are.equal("store_missing", thread.api(given, { request("/api/v1/session") })[1].code)
      assert(loyalhook.sender.open{ store = settings.store, create = true }):close()
      assert.are.equal(200, thread.api(given, { request("/api/v1/session") })[1].status)
    end)
  end)
end)
