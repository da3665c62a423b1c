-- What a handler must be: each mistake is named, with what was probably meant.

local contract = require("loyalhook.handlers.contract")
local events = require("loyalhook.events")

local function handler(changes)
  local made = { name = "points", event_types = { "*" }, handle = function() end }
  for name, value in pairs(changes or {}) do
    made[name] = value ~= "none" and value or nil
  end
  return made
end

local function check(changes)
  return contract.check(handler(changes), "points.lua", events.default())
end

local function refused(changes, wanted)
  local checked, message, code = check(changes)
  assert.is_nil(checked)
  assert.are.same({ wanted, "config" }, { message, code })
end

describe("a handler", function()
  it("gets what it leaves out", function()
    local given = handler()
    local checked, warnings = contract.check(given, "points.lua", events.default())
    assert.are.same({}, warnings)
    assert.are.same({ name = "points", event_types = { "*" }, handle = given.handle,
      when_unknown = "retry", concurrency = 16, tries = 10, timeout_s = 300, from = "head" },
      checked)
  end)

  it("keeps what it says", function()
    local function batch() end
    local checked = assert(check({ when_unknown = "fail", serial = "member", concurrency = 1024,
      rate = { count = 1, per_s = 2 }, tries = 1, timeout_s = 0.5, from = "start", batch_max = 100,
      handle_batch = batch }))
    assert.are.same({ "fail", "member", 1024, 2000000, 1, 1, 0.5, "start", 100, batch },
      { checked.when_unknown, checked.serial, checked.concurrency, checked.interval_us,
        checked.burst, checked.tries, checked.timeout_s, checked.from, checked.batch_max,
        checked.handle_batch })
  end)

  it("never starts more than its rate in any stretch of time", function()
    for _, rate in ipairs({ { 100, 10 }, { 7, 1 }, { 1000, 60 }, { 10, 0.5 } }) do
      local checked = assert(check({ rate = { count = rate[1], per_s = rate[2] } }))
      local inside = checked.burst - 1 + math.ceil(rate[2] * 1000000 / checked.interval_us)
      assert.is_true(inside <= rate[1] and inside >= rate[1] * 0.9, inside)
    end
  end)

  it("may name types, categories and all", function()
    assert.are.same({ "event_points_earned", "evt_x" }, (check({ event_types = {
      "event_points_earned", "evt_x", "event_points_earned" } })).event_types)
    local category = check({ event_types = { "category:member", "event_points_earned" } })
    assert.is_true(#category.event_types > 2)
    assert.are.same({ "*" }, check({ event_types = { "event_points_earned", "*" } }).event_types)
  end)

  it("may wait for a type that nobody registered, with a warning", function()
    local checked, warnings = check({ event_types = { "event_points_earnd" } })
    assert.are.same({ "event_points_earnd" }, checked.event_types)
    assert.are.same({ 'points.lua (points): event_types: unknown event type "event_points_earnd"; '
      .. 'did you mean "event_points_earned"? (it is waited for all the same; own types are listed '
      .. "in the setting types)" }, warnings)
  end)

  it("says in its message which field is wrong, and what was meant", function()
    refused({ evnt_types = {} },
      'points.lua: unknown field evnt_types; did you mean "event_types"?')
    refused({ handle = "none" }, "points.lua: handle: missing; a handler is { name =, event_types "
      .. "= { … }, handle = function(event, context) … end }")
    refused({ handle = "text" }, 'points.lua: handle: expected a function, got "text"')
    refused({ tries = "5" }, 'points.lua: tries: expected a number, got "5"')
    refused({ event_types = "*" }, 'points.lua: event_types: expected a table, got "*"')
    refused({ name = "Points!" },
      'points.lua: name: expected 1 to 64 of a-z 0-9 _ . - and got "Points!"')
    refused({ name = ("x"):rep(65) }, "points.lua: name: expected 1 to 64 of a-z 0-9 _ . - and got "
      .. '"' .. ("x"):rep(60) .. '"')
    refused({ when_unknown = "fial" }, 'points.lua (points): when_unknown: expected "retry" or '
      .. '"fail", got "fial"; did you mean "fail"?')
    refused({ serial = "event" },
      'points.lua (points): serial: expected "member", got "event"')
    refused({ from = "now" }, 'points.lua (points): from: expected "head" or "start", got "now"')
    refused({ concurrency = 0 },
      "points.lua (points): concurrency: expected a whole number from 1 to 1024, got 0")
    refused({ tries = 2.5 },
      "points.lua (points): tries: expected a whole number from 1 to 100, got 2.5")
    refused({ timeout_s = 0 },
      "points.lua (points): timeout_s: expected seconds, more than 0 and at most 86400, got 0")
    refused({ timeout_s = 0 / 0 }, "points.lua (points): timeout_s: expected seconds, more than 0 "
      .. "and at most 86400, got " .. tostring(0 / 0))
    refused({ batch_max = 10 },
      "points.lua (points): batch_max and handle_batch: the one needs the other")
    refused({ rate = { per_s = 1, cuont = 1 } },
      'points.lua (points): rate: unknown field cuont; did you mean "count"?')
    refused({ rate = { count = 1 } }, "points.lua (points): rate.per_s: expected seconds, more "
      .. "than 0 and at most 86400, got nothing")
    refused({ event_types = {} },
      "points.lua (points): event_types: expected 1 to 1000 event types")
    refused({ event_types = { "category:membr" } }, 'points.lua (points): event_types: unknown '
      .. 'category "membr"; did you mean "member"?')
    refused({ event_types = { "a\nb" } },
      'points.lua (points): event_types: "a b" is no name of an event type')
    refused({ event_types = { 5 } }, "points.lua (points): event_types: expected texts, got 5")
  end)

  it("may be made of another one, whose fields are read once", function()
    local base = handler({ event_types = { "event_points_earned" } })
    assert.are.equal(base.handle, assert(contract.check(setmetatable({ name = "heir" },
      { __index = base }), "points.lua", events.default())).handle)
    local reads = 0
    assert(contract.check(setmetatable({}, { __index = function(_, name)
      reads = reads + (name == "tries" and 1 or 0)
      return name == "tries" and reads or base[name]
    end }), "points.lua", events.default()))
    assert.are.equal(1, reads)
  end)

  it("is refused by name if reading it raises, or does not end", function()
    local function endless() while true do end end
    if jit then
      jit.off(endless) -- as the whole of a handler's file
    end
    for raised, index in pairs({ ["points.lua: its fields cannot be read: mine"] = function()
      error("mine", 0)
    end, ["points.lua: its fields cannot be read: a table was raised"] = function()
      error({})
    end, ["points.lua: its fields cannot be read: still running after 10000000 instructions, does "
      .. "it ever end?"] = endless }) do
      local broken = setmetatable({}, { __index = index, __pairs = index, __len = index })
      assert.are.same({ nil, raised, "config" },
        { contract.check(broken, "points.lua", events.default()) })
      for _, name in ipairs({ "event_types", "rate" }) do
        assert.are.same({ nil, raised, "config" }, { check({ [name] = broken }) })
      end
    end
    refused({ event_types = { nil, "a" } }, "points.lua (points): event_types: expected 1 to 1000 "
      .. "event types")
    refused({ [{}] = 1 }, "points.lua: unknown field (a table)")
  end)

  it("is a table", function()
    assert.are.equal("points.lua: expected a handler, got nothing",
      select(2, contract.check(nil, "points.lua", events.default())))
  end)
end)

describe("handlers", function()
  it("have different names", function()
    local checked = assert(contract.check_all({ handler(), handler({ name = "other" }) },
      events.default()))
    assert.are.equal(2, #checked)
    local none, message, code = contract.check_all({ handler(), handler() }, events.default())
    assert.is_nil(none)
    assert.are.same({ 'handlers[2]: a handler is named "points" already (handlers[1]); names are '
      .. "unique in a worker", "config" }, { message, code })
  end)

  it("are numbered in messages", function()
    assert.are.equal("handlers[2]: expected a handler, got 5",
      select(2, contract.check_all({ handler(), 5 }, events.default())))
  end)

  it("give their warnings together", function()
    local _, warnings = contract.check_all({ handler({ event_types = { "a" } }),
      handler({ name = "other", event_types = { "b" } }) }, events.default())
    assert.are.equal(2, #warnings)
  end)
end)
