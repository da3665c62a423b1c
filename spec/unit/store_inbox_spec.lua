-- The inbox through the binding: bodies in, rows out, and what is refused.

local engine = require("loyalhook.engine")
local json = require("loyalhook.json")

local folder, store

local function envelope(events, total_count)
  return json.encode({ request_id = "61f11851bdfb9aac526d0c70", total_count = total_count,
    events = json.array(events) })
end

local function event(id, changes)
  local fields = { id = id, event_type = "event_points_earned", data = { n = 1 } }
  for name, value in pairs(changes or {}) do fields[name] = value end
  return fields
end

local function accept(body, source)
  local list, message, code = store:inbox_accept({ { source = source or "zinrelo", body = body } },
    1795000000000)
  if not list then return nil, message, code end
  return list[1]
end

local function refused(code, pattern, value, message, found)
  assert.is_nil(value)
  assert.are.equal(code, found)
  assert.truthy(message:find(pattern), message)
end

describe("the inbox", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
  end)

  after_each(function()
    store:close()
    os.execute("rm -r " .. folder)
  end)

  it("takes a body and shows its events", function()
    local body = '{"events":[{"id":"a","event_type":"event_points_earned","data": '
      .. '{"member_info":{"member_id":"m-1"}, "x" : 1.0}}]}'
    assert.are.same({ events = 1, added = 1, duplicates = 0 }, accept(body))
    local page = assert(store:inbox_list({}))
    assert.is_nil(page.next)
    assert.are.same({ { id = "a", source = "zinrelo", event_type = "event_points_earned",
      received_ms = 1795000000000, member = "m-1", state = "done", tasks = {} } }, page.events)
    local found = assert(store:inbox_get("a"))
    assert.are.equal('{"member_info":{"member_id":"m-1"}, "x" : 1.0}', found[1].data)
    assert.are.same(found, assert(store:inbox_get("a", "zinrelo")))
    refused("not_found", "no event has this id", store:inbox_get("a", "other"))
    refused("not_found", "no event has this id", store:inbox_get("b"))
  end)

  it("knows repetitions by source and id", function()
    local body = envelope({ event("a"), event("b"), event("a") })
    assert.are.same({ events = 3, added = 2, duplicates = 1 }, accept(body))
    assert.are.same({ events = 3, added = 0, duplicates = 3 }, accept(body))
    assert.are.same({ events = 3, added = 2, duplicates = 1 }, accept(body, "other"))
    assert.are.equal(2, #store:inbox_get("a"))
  end)

  it("takes many requests in one call, each for itself", function()
    local list = assert(store:inbox_accept({
      { source = "zinrelo", body = envelope({ event("a") }, "2") },
      { source = "zinrelo", body = envelope({ event("b"), event("c", { id = 7 }) }) },
      { source = "hooks", body = '{"type":"order.paid","n":1}', scheme = "standard", id = "msg_1" },
      { source = "zinrelo", body = envelope({}), scheme = "zinrelo" },
    }, 1795000000000))
    assert.are.same({
      { events = 1, added = 1, duplicates = 0, total_count = "2" },
      { code = "invalid", message = "events[2]: id is not a string" },
      { events = 1, added = 1, duplicates = 0 },
      { events = 0, added = 0, duplicates = 0 },
    }, list)
    refused("not_found", "no event", store:inbox_get("b"))
    local found = store:inbox_get("msg_1")[1]
    assert.are.equal("order.paid", found.event_type)
    assert.are.equal('{"type":"order.paid","n":1}', found.data)
    assert.are.same({}, store:inbox_accept({}, 0))
  end)

  it("says what is wrong with a body", function()
    assert.are.same({ code = "invalid", message = "invalid JSON at byte 2: unexpected end" },
      accept("{"))
    assert.are.same({ code = "invalid", message = "events is missing" }, accept("{}"))
  end)

  it("filters and pages", function()
    for i = 1, 5 do
      accept(envelope({ event("e" .. i, { event_type = i % 2 == 0 and "even" or "odd" }) }),
        i < 3 and "first" or "second")
    end
    local function ids(filter)
      local found = {}
      local page = assert(store:inbox_list(filter))
      for _, row in ipairs(page.events) do found[#found + 1] = row.id end
      return table.concat(found, " "), page.next
    end
    assert.are.equal("e5 e4 e3 e2 e1", (ids({})))
    assert.are.equal("e4 e2", (ids({ event_type = "even" })))
    assert.are.equal("e2 e1", (ids({ source = "first" })))
    assert.are.equal("", (ids({ state = "pending" })))
    assert.are.equal("", (ids({ state = "failed" })))
    assert.are.equal("e5 e4 e3 e2 e1", (ids({ state = "done" })))
    assert.are.equal("", (ids({ handler = "email" })))
    assert.are.equal("", (ids({ since_ms = 1795000000001 })))
    assert.are.equal("e5 e4 e3 e2 e1", (ids({ since_ms = 1795000000000 })))
    local found, after = ids({ limit = 2 })
    assert.are.equal("e5 e4", found)
    found, after = ids({ limit = 2, after = after })
    assert.are.equal("e3 e2", found)
    found, after = ids({ limit = 2, after = after })
    assert.are.equal("e1", found)
    assert.is_nil(after)
  end)

  it("refuses what is no filter, source or request", function()
    refused("invalid", "^state: not one of pending, failed, done",
      store:inbox_list({ state = "x" }))
    refused("invalid", "^limit", store:inbox_list({ limit = 0 }))
    refused("invalid", "^after", store:inbox_list({ after = "x" }))
    refused("invalid", "^source", accept("{}", "a b"))
    refused("invalid", "NUL", store:inbox_get("a\0b"))
    refused("invalid", "^scheme", store:inbox_accept(
      { { source = "a", body = "{}", scheme = "hmac" } }, 0))
    assert.has_error(function() store:inbox_accept("x", 0) end)
    assert.has_error(function() store:inbox_accept({ {} }, 0) end)
    assert.has_error(function() store:inbox_accept({ 1 }, 0) end)
    assert.has_error(function() store:inbox_accept({ { source = "a", body = 1 } }, 0) end)
    assert.has_error(function()
      store:inbox_accept({ { source = "a", body = "{}", scheme = "standard" } }, 0)
    end)
    assert.has_error(function() store:inbox_accept({}) end)
    assert.has_error(function() store:inbox_get() end)
    local many = {}
    for i = 1, 257 do many[i] = { source = "a", body = "{}" } end
    refused("limit", "256", store:inbox_accept(many, 0))
    many[257] = nil
    assert.are.equal(256, #store:inbox_accept(many, 0))
    store:close()
    refused("closed", "closed", accept(envelope({ event("a") })))
    refused("closed", "closed", store:inbox_list({}))
    refused("closed", "closed", store:inbox_get("a"))
  end)

  it("counts what was received", function()
    assert.is_nil(store:stats().inbox)
    accept(envelope({ event("a"), event("b") }))
    assert.are.same({ events = 2, tasks = { pending = 0, running = 0, retrying = 0, done = 0,
      failed = 0 } }, store:stats().inbox)
  end)

  it("takes a body of many events with ids of all kinds", function()
    local events = {}
    for i = 1, 2000 do
      events[i] = event("id \195\169 \240\159\152\128" .. i,
        { data = { member_info = { id = i } } })
    end
    assert.are.same({ events = 2000, added = 2000, duplicates = 0 }, accept(envelope(events, 2000)))
    assert.are.equal("1999", store:inbox_get(events[1999].id)[1].member)
  end)
end)
