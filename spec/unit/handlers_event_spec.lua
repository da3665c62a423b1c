-- What a handler sees of an event, the same on both VMs; and the key that tells its task from
-- others.

local event = require("loyalhook.handlers.event")
local json = require("loyalhook.json")

local function lease(data)
  return { id = "e1", source = "zinrelo", event_type = "event_points_earned",
    received_ms = 1640796461000, member = "m1", data = data }
end

describe("an event", function()
  it("has what was received, decoded and as the bytes that came", function()
    local text = '{"points": 2 ,"rate":1.50,"none":null,"name":"\\u00e4","list":[],"map":{}}'
    local made = event.of(lease(text))
    assert.are.equal(text, made.data_json)
    assert.are.same({ "e1", "zinrelo", "event_points_earned", 1640796461000,
      "2021-12-29T16:47:41.000Z", "m1" }, { made.id, made.source, made.event_type,
      made.received_ms, made.received_at, made.member_id })
    assert.are.equal("2", tostring(made.data.points))
    assert.are.equal(1.5, made.data.rate)
    assert.are.equal(json.null, made.data.none)
    assert.are.equal("ä", made.data.name)
    assert.are.equal('{"list":[],"map":{},"name":"ä","none":null,"points":2,"rate":1.5}',
      (json.encode(made.data)))
  end)

  it("is a plain table: a copy by pairs has everything", function()
    local copy = {}
    for name, value in pairs(event.of(lease('{"a":1}'))) do
      copy[name] = value
    end
    assert.are.equal(1, copy.data.a)
    assert.is_nil(getmetatable(copy))
  end)

  it("is refused if its data cannot be read", function()
    assert.are.equal("data: ", select(2, event.of(lease("{"))):sub(1, 6))
  end)
end)

describe("an idempotency key", function()
  local function key(id, source, name)
    return event.idempotency_key({ id = id, source = source }, name)
  end

  it("is the event's id, its source and the handler's name", function()
    assert.are.equal("61f11851.zinrelo.crm.hubspot", key("61f11851", "zinrelo", "crm.hubspot"))
  end)

  it("has only bytes that fit into a header or a message id", function()
    assert.are.equal("a%20b%0D%0A%C3%A4%2F.s.email", key("a b\r\nä/", "s", "email"))
  end)

  it("is another one for each task, wherever the dots are", function()
    assert.are_not.equal(key("a.b", "c", "d"), key("a", "b.c", "d"))
    assert.are_not.equal(key("a", "b.c", "d"), key("a", "b", "c.d"))
    assert.are_not.equal(key("a%2Eb", "c", "d"), key("a.b", "c", "d"))
  end)
end)
