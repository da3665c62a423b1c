-- The pure module: ids, JSON, UTF-8, events, batches, envelopes, the state machine, addresses, and
-- that nothing a script passes in can crash it.

local cjson = require("cjson")
local core = require("loyalhook.core")

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.is_nil(message:find("\n", 1, true))
  assert.are.equal(wanted, code)
end

describe("core", function()
  it("shows its version and limits as whole numbers", function()
    assert.matches("^%d+%.%d+%.%d+$", core._VERSION)
    assert.are.equal("64", tostring(core.limits.json_depth_max))
    for name, value in pairs(core.limits) do
      assert.matches("^%d+$", tostring(value), name)
    end
  end)

  it("tells the time in whole milliseconds", function()
    local now_ms = core.now_ms()
    assert.matches("^%d%d%d%d%d%d%d%d%d%d%d%d%d$", ("%d"):format(now_ms))
    assert.are.equal(now_ms, math.floor(now_ms))
    assert.is_true(core.now_ms() >= now_ms)
    assert.is_true(math.abs(now_ms / 1000 - os.time()) < 5)
  end)
end)

describe("core.id", function()
  it("makes distinct ids that begin with the second", function()
    local seen, now_ms = {}, 1640796461000
    for _ = 1, 10000 do
      local id = core.id(now_ms)
      assert.are.equal(24, #id)
      assert.is_nil(seen[id])
      seen[id] = true
    end
    for id in pairs(seen) do
      assert.matches("^61cc912d[0-9a-f]+$", id)
    end
    local second = ("%08x"):format(math.floor(core.now_ms() / 1000))
    assert.are.equal(second:sub(1, 6), core.id():sub(1, 6))
  end)

  it("raises for what is no time", function()
    for _, wrong in ipairs({ "1", -1, 1.5, 2 ^ 60, 0 / 0, 1 / 0, {}, true }) do
      assert.has_error(function() core.id(wrong) end)
    end
  end)
end)

describe("core.utf8_check", function()
  it("finds the first bad byte", function()
    assert.is_true(core.utf8_check(""))
    assert.is_true(core.utf8_check("Zoë ☃ 😀\0"))
    for text, at in pairs({ ["\255"] = 1, ["ab\192\128"] = 3, ["a\237\160\128"] = 2,
      ["\244\144\128\128"] = 1, ["aé\195"] = 4 }) do
      local ok, offset = core.utf8_check(text)
      assert.is_nil(ok)
      assert.are.equal(tostring(at), tostring(offset))
    end
  end)
end)

describe("core.event", function()
  it("takes one JSON object", function()
    assert.is_true(core.event.check('{"a":[1,2,{"b":null}]}'))
    for _, data in ipairs({ "[]", '"x"', "1", "null", "", "{", '{"a":"\255"}' }) do
      assert_refused("invalid", core.event.check(data))
    end
    local filler = ("x"):rep(core.limits.event_bytes_max - 8)
    assert.is_true(core.event.check('{"a":"' .. filler .. '"}'))
    assert_refused("too_large", core.event.check('{"a":"' .. filler .. 'x"}'))
  end)

  it("finds the member", function()
    assert.are.equal("m1", core.event.member('{"member_info":{"id":"x","member_id":"m1"}}'))
    assert.are.equal("x", core.event.member('{"member_info":{"id":"x"}}'))
    assert.are.equal("7203332525", core.event.member('{"member_info":{"member_id":7203332525}}'))
    for _, data in ipairs({ "{}", '{"member_info":1}', "[", '{"member_info":{"id":{}}}',
      '{"member_info":{"id":"' .. ("x"):rep(core.limits.member_max + 1) .. '"}}' }) do
      assert.is_nil(core.event.member(data))
    end
  end)
end)

describe("core.batch.split", function()
  it("fills batches up to a count", function()
    local lengths = {}
    for index = 1, 10007 do lengths[index] = 100 end
    local counts = core.batch.split(lengths, 7)
    assert.are.equal(1430, #counts)
    assert.are.equal("4", tostring(counts[1430]))
    local sum = 0
    for _, count in ipairs(counts) do sum = sum + count end
    assert.are.equal(10007, sum)
  end)

  it("keeps bodies under the byte limit, but for a first event that is larger", function()
    local counts = core.batch.split({ { 20, 400000 }, { 20, 400000 }, { 20, 400000 }, 1048576, 10 })
    assert.are.same({ 2, 1, 1, 1 }, { tonumber(counts[1]), tonumber(counts[2]),
      tonumber(counts[3]), tonumber(counts[4]) })
    assert.are.same({}, core.batch.split({}))
  end)

  it("agrees with the envelopes that are built", function()
    local events, lengths = {}, {}
    for index = 1, 40 do
      local data = '{"n":"' .. ("x"):rep((index * 37) % 200) .. '"}'
      events[index] = { id = core.id(), event_type = "event_x", data = data }
      lengths[index] = { #"event_x", #data }
    end
    local from = 1
    for _, count in ipairs(core.batch.split(lengths, 1000, 2000)) do
      local part = {}
      for index = from, from + count - 1 do part[#part + 1] = events[index] end
      from = from + count
      local body = core.envelope.build({ request_id = core.id(), created_ms = 0, events = part })
      assert.is_true(#body <= 2000)
    end
    assert.are.equal(41, from)
  end)

  it("raises for what is no list of lengths", function()
    for _, wrong in ipairs({ { -1 }, { 1.5 }, { "1" }, { {} }, { { 1 } }, { { 1, -1 } }, { 2 ^ 53 },
      { true } }) do
      assert.has_error(function() core.batch.split(wrong) end)
    end
    for _, size in ipairs({ 0, -1, 1001, 1.5, "7", 2 ^ 40 }) do
      assert.has_error(function() core.batch.split({ 1 }, size) end)
    end
    assert.has_error(function() core.batch.split({ 1 }, 1, 0) end)
    assert.has_error(function() core.batch.split(1) end)
  end)
end)

describe("core.envelope.build", function()
  local function input(changes)
    local good = { request_id = "61f11851bdfb9aac526d0c70", created_ms = 1640796461000, events = {
      { id = "61f1dfbd0c709aac1851b526", event_type = "event_points_earned", data = '{"a": 1e2 }' },
      { id = "507f1f77bcf86cd799439011", event_type = "event_x", data = '{"é":"\\u00e9"}' } } }
    for name, value in pairs(changes or {}) do good[name] = value end
    return good
  end

  it("writes the documented bytes and keeps data's own", function()
    assert.are.equal('{"request_id":"61f11851bdfb9aac526d0c70","total_count":"2",'
      .. '"created_date":"12/29/2021 16:47:41","events":['
      .. '{"id":"61f1dfbd0c709aac1851b526","event_type":"event_points_earned","data":{"a": 1e2 }},'
      .. '{"id":"507f1f77bcf86cd799439011","event_type":"event_x","data":{"é":"\\u00e9"}}]}',
      core.envelope.build(input()))
    local empty = core.envelope.build(input({ events = {} }))
    assert.are.equal("0", cjson.decode(empty).total_count)
  end)

  it("takes a thousand events", function()
    local events = {}
    for index = 1, 1001 do
      events[index] = { id = core.id(), event_type = "event_x", data = ('{"n":%d}'):format(index) }
    end
    assert_refused("limit", core.envelope.build(input({ events = events })))
    events[1001] = nil
    local decoded = cjson.decode(core.envelope.build(input({ events = events })))
    assert.are.equal("1000", decoded.total_count)
    assert.are.equal(1000, decoded.events[1000].data.n)
  end)

  it("refuses wrong values", function()
    assert_refused("invalid", core.envelope.build(input({ request_id = ("A"):rep(24) })))
    assert_refused("invalid", core.envelope.build(input({ created_ms = -1 })))
    assert_refused("invalid", core.envelope.build(input({ created_ms = 2 ^ 60 })))
    for field, value in pairs({ id = "x", event_type = 'a"b', data = "[]" }) do
      local bad = input()
      bad.events[2][field] = value
      local body, message, code = core.envelope.build(bad)
      assert_refused("invalid", body, message, code)
      assert.matches("events[2]", message, 1, true)
    end
  end)

  it("raises for wrong types", function()
    for _, changes in ipairs({ { request_id = 1 }, { created_ms = "1" }, { events = "x" },
      { events = { 1 } }, { events = { {} } }, { events = { { id = 1 } } } }) do
      assert.has_error(function() core.envelope.build(input(changes)) end)
    end
    assert.has_error(function() core.envelope.build({}) end)
    assert.has_error(function() core.envelope.build() end)
  end)
end)

describe("core.delivery.step", function()
  local policy = { status = "enabled", retry = { retries_max = 2, interval_ms = 300000 } }

  local function step(delivery, kind, now_ms, changes)
    local input = { kind = kind }
    for name, value in pairs(changes or {}) do input[name] = value end
    return core.delivery.step(delivery, input, policy, now_ms)
  end

  it("leads a request through its attempts to failed, and back", function()
    local request, effects = step({}, "lease", 1000)
    assert.are.equal("sending", request.state)
    assert.are.same({ send = true }, effects)
    request, effects = step(request, "failure", 2000)
    assert.are.equal("retrying", request.state)
    assert.are.equal(302000, request.next_attempt_ms)
    assert.is_true(effects.log_attempt and effects.failing_start)
    assert.is_true(select(2, step(request, "lease", 301999)).refused)
    for hour = 1, 2 do
      request = step(request, "lease", hour * 3600000)
      request, effects = step(request, "failure", hour * 3600000)
    end
    assert.are.equal("failed", request.state)
    assert.are.equal("retries_exhausted", request.reason)
    assert.are.equal("3", tostring(request.attempts_made))
    assert.is_true(effects.failed and effects.count_failure)
    request = step(request, "retry", 10 ^ 9 + 1)
    assert.are.equal("retrying", request.state)
    assert.is_nil(request.reason)
    request, effects = step(step(request, "lease", 2 * 10 ^ 9), "success", 2 * 10 ^ 9)
    assert.are.equal("delivered", request.state)
    assert.is_true(effects.delivered)
    assert.are.same({ refused = true }, select(2, step(request, "failure", 2 * 10 ^ 9)))
  end)

  it("reads schedules and reasons", function()
    local scheduled = { retry = { retries_max = 5, interval_ms = 1, schedule_s = { 10, 60 } } }
    local request = core.delivery.step({ state = "sending", attempts_made = 1 },
      { kind = "failure", jitter_ppm = 0 }, scheduled, 0)
    assert.are.equal(10000, request.next_attempt_ms)
    local paused = core.delivery.step({ state = "pending" }, { kind = "stop" },
      { status = "paused", epoch = 1, epoch_reason = "paused" }, 5)
    assert.are.equal("paused", paused.reason)
    assert.are.equal(5, paused.finished_ms)
  end)

  it("answers for impossible combinations", function()
    assert_refused("invalid", step({ state = "failed" }, "lease", 0))
    assert_refused("invalid", step({ state = "pending", reason = "paused" }, "lease", 0))
    assert_refused("invalid", step({ state = "sending" }, "success", 0))
    assert_refused("invalid", step({ attempts_made = 1, budget_start = 2 }, "lease", 0))
    assert_refused("invalid", step({ epoch = 3 }, "lease", 0))
  end)

  it("is total: any state with any input answers", function()
    local kinds = { "lease", "success", "failure", "lost", "given_back", "late_success",
      "late_failure", "stop", "retry" }
    local states = { { state = "pending" }, { state = "sending", attempts_made = 1 },
      { state = "retrying", attempts_made = 1 }, { state = "delivered", attempts_made = 1 },
      { state = "failed", reason = "worker_lost", attempts_made = 3 } }
    for _, status in ipairs({ "enabled", "paused", "disabled", "deleted" }) do
      for _, kind in ipairs(kinds) do
        for _, state in ipairs(states) do
          local after, effects = core.delivery.step(state, { kind = kind }, { status = status,
            epoch = 1, epoch_reason = "disabled", retry = { retries_max = 5, interval_ms = 1 } }, 9)
          assert.is_string(after.state)
          assert.is_table(effects)
        end
      end
    end
  end)

  it("raises for wrong names, types and numbers", function()
    for _, call in ipairs({
      function() core.delivery.step({}, {}, {}, 0) end,
      function() core.delivery.step({}, { kind = "explode" }, {}, 0) end,
      function() core.delivery.step({ state = "lost" }, { kind = "lease" }, {}, 0) end,
      function() core.delivery.step({ attempts_made = 2 ^ 31 }, { kind = "lease" }, {}, 0) end,
      function() core.delivery.step({ attempts_made = "1" }, { kind = "lease" }, {}, 0) end,
      function() core.delivery.step({}, { kind = "lease" }, { retry = 1 }, 0) end,
      function() core.delivery.step({}, { kind = "lease" }, { retry = { schedule_s = 1 } }, 0) end,
      function()
        core.delivery.step({}, { kind = "lease" }, { retry = { schedule_s = { "1" } } }, 0)
      end,
      function() core.delivery.step({}, { kind = "lease" }, {}, -1) end,
      function() core.delivery.step({}, { kind = "lease" }, {}) end,
      function() core.delivery.step() end,
    }) do
      assert.has_error(call)
    end
  end)
end)

describe("core.address_refused", function()
  it("names the range, or nothing for a public address", function()
    assert.is_nil(core.address_refused("93.184.216.34"))
    assert.is_nil(core.address_refused("2606:2800:220:1:248:1893:25c8:1946", nil))
    for ip, range in pairs({ ["127.0.0.1"] = "loopback", ["::1"] = "loopback",
      ["10.1.2.3"] = "private", ["::ffff:10.1.2.3"] = "private", ["169.254.169.254"] = "link-local",
    }) do
      assert.matches(range, core.address_refused(ip), 1, true)
    end
  end)

  it("lets allowed networks through", function()
    assert.is_nil(core.address_refused("127.0.0.1", { "10.0.0.0/8", "127.0.0.0/8" }))
    assert.is_string(core.address_refused("192.168.0.1", { "10.0.0.0/8" }))
  end)

  it("refuses what is not an address", function()
    for _, text in ipairs({ "", "localhost", "127.1", "10.0.0.0/8", "1.2.3.4\0", "0x7f.0.0.1" }) do
      assert.are.equal("not an address", core.address_refused(text, { "0.0.0.0/0" }))
    end
  end)

  it("raises for wrong networks", function()
    assert.has_error(function() core.address_refused("127.0.0.1", { "10.0.0.0/33" }) end)
    assert.has_error(function() core.address_refused("127.0.0.1", { 1 }) end)
    assert.has_error(function() core.address_refused("127.0.0.1", "10.0.0.0/8") end)
    assert.has_error(function() core.address_refused(1) end)
  end)
end)

describe("any function of core", function()
  it("survives any kind of argument", function()
    local values = { false, true, 0, -1, 1.5, 2 ^ 31, 2 ^ 53, 2 ^ 63, -2 ^ 63, 1 / 0, 0 / 0, "",
      "x", "\0", ("x"):rep(70000), {}, { {} }, { 1, 2, 3 }, setmetatable({}, { __index = error }),
      print, io.stdout, coroutine.create(print) }
    local functions = { core.hmac, core.sign, core.verify, core.verifier, core.id, core.utf8_check,
      core.json.check, core.batch.split, core.envelope.build, core.delivery.step, core.event.check,
      core.event.member, core.secret.check, core.address_refused, core.mailbox_check }
    local calls = 0
    for _, call in ipairs(functions) do
      pcall(call)
      for _, first in ipairs(values) do
        for _, second in ipairs(values) do
          pcall(call, first, second, first, second)
          calls = calls + 1
        end
      end
    end
    collectgarbage()
    assert.are.equal(#functions * #values * #values, calls)
  end)
end)
