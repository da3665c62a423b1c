-- Builders check what is known, say where a value is wrong, and pass the rest through.

local events = require("loyalhook.events")
local json = require("loyalhook.json")
local payload = require("loyalhook.payload")

local function earned(points)
  return payload.points_earned({ member_info = { member_id = "7203332525" },
    transaction_info = { transaction_type = "award", award_info = { points = points } } })
end

local function wrong(built)
  assert.is_nil(built.data_json)
  assert.are.equal("invalid", built.code)
  return built.error
end

describe("payload builders", function()
  it("exist for every type of the catalogue", function()
    for _, entry in ipairs(events.all()) do
      local data = { member_info = { id = "1" }, transaction_info = {} }
      local built = payload[entry.name:gsub("^event_", "")](data)
      assert.is_nil(built.error)
      assert.are.equal(entry.name, built.event_type)
    end
  end)

  it("write the data once, numbers as they were given", function()
    assert.are.equal('{"member_info":{"member_id":"7203332525"},"transaction_info":'
      .. '{"award_info":{"points":"360"},"transaction_type":"award"}}', earned("360").data_json)
    assert.is_truthy(earned(360).data_json:find('"points":360', 1, true))
    assert.is_truthy(earned(-12.5).data_json:find('"points":-12.5', 1, true))
  end)

  it("say where a value is wrong", function()
    local place = "transaction_info.award_info.points: "
      .. "expected a number or a string of digits, got "
    assert.are.equal(place .. "table", wrong(earned({})))
    assert.are.equal(place .. '"many"', wrong(earned("many")))
    assert.are.equal(place .. "true", wrong(earned(true)))
    assert.are.equal("transaction_info.award_info.points: NaN and infinity are not JSON",
      wrong(earned(0 / 0)))
  end)

  it("check dates as dates of the calendar", function()
    local function enrol(member)
      member.id = 1
      return payload.member_enrol({ member_info = member })
    end
    assert.is_nil(enrol({ birthdate = "02/29/2000" }).error)
    assert.are.equal('member_info.birthdate: expected a date as MM/DD/YYYY, got "02/29/1999"',
      wrong(enrol({ birthdate = "02/29/1999" })))
    assert.are.equal('member_info.birthdate: expected a date as MM/DD/YYYY, got "1999-02-01"',
      wrong(enrol({ birthdate = "1999-02-01" })))
    assert.are.equal("member_info.enrollment_date: expected a time as MM/DD/YYYY HH:MM:SS, "
      .. 'got "12/29/2021"', wrong(enrol({ enrollment_date = "12/29/2021" })))
    assert.is_nil(enrol({ enrollment_date = "12/29/2021 16:47:41" }).error)
  end)

  it("check lists entry by entry and write empty ones as []", function()
    local function tagged(tags)
      return payload.member_update({ member_info = { id = "1", member_tags = tags } })
    end
    assert.are.equal('{"member_info":{"id":"1","member_tags":[]}}', tagged({}).data_json)
    assert.are.equal("member_info.member_tags[2]: expected a string or a number, got table",
      wrong(tagged({ "a", {} })))
    assert.are.equal("member_info.member_tags: expected a list, got a table with named entries",
      wrong(tagged({ a = 1 })):gsub('"', ""), nil)
  end)

  it("demand what every event of the type carries", function()
    assert.are.equal("member_info: missing; event_member_enrol carries it",
      wrong(payload.member_enrol({})))
    assert.are.equal("transaction_info: missing; event_points_earned carries it",
      wrong(payload.points_earned({ member_info = { id = "1" } })))
    assert.are.equal("member_info: one of member_id, id is required",
      wrong(payload.member_enrol({ member_info = { first_name = "Ann" } })))
    assert.are.equal("member_info: missing; event_member_enrol carries it",
      wrong(payload.member_enrol({ member_info = json.null })))
    assert.are.equal("member_info: expected an object, got a list",
      wrong(payload.member_enrol({ member_info = { "a" } })):gsub('"', ""), nil)
  end)

  it("pass everything that is not published through", function()
    local built = payload.referral_success({ member_info = { id = "1", shoe_size = 42 },
      referral_info = { anything = { 1, 2 } }, extra = json.null })
    assert.are.equal('{"extra":null,"member_info":{"id":"1","shoe_size":42},'
      .. '"referral_info":{"anything":[1,2]}}', built.data_json)
  end)

  it("let null stand for absent", function()
    local member = { id = "1", birthdate = json.null }
    assert.is_nil(payload.member_update({ member_info = member }).error)
  end)

  it("leave the caller's table as it was", function()
    local data = { member_info = { id = "1", member_tags = {} } }
    payload.member_update(data)
    assert.are.same({ member_info = { id = "1", member_tags = {} } }, data)
    assert.is_nil(getmetatable(data.member_info.member_tags))
  end)

  it("name always the same one of several wrong values", function()
    for _ = 1, 20 do
      assert.is_truthy(wrong(payload.member_enrol({ member_info = { id = "1", aov = {},
        birthdate = 1, revenue = {} } })):find("^member_info.aov"))
    end
  end)

  it("raise at the caller's line for a wrong call", function()
    local ok, message = pcall(function()
      local _ = payload.points_earned("x")
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("payload_spec.lua:%d+: payload.points_earned: expected a table"))
    ok, message = pcall(function()
      return payload.points_earnd
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find('did you mean "points_earned"', 1, true))
  end)
end)

describe("payload.check", function()
  it("answers without building", function()
    assert.is_true(payload.check("event_member_enrol", { member_info = { id = "1" } }))
    local ok, message, code = payload.check("event_member_enrol", { member_info = 5 })
    assert.is_nil(ok)
    assert.are.equal("member_info: expected an object, got 5", message)
    assert.are.equal("invalid", code)
    assert.are.equal("unknown_type", select(3, payload.check("event_nope", {})))
    assert.are.equal("invalid", select(3, payload.check("event_member_enrol", "x")))
  end)
end)

describe("payload.raw", function()
  it("takes tables and text without looking into them", function()
    assert.are.equal('{"a":1}', payload.raw("event_any", { a = 1 }).data_json)
    assert.are.equal('{ "a": 1 }', payload.raw("event_any", '{ "a": 1 }').data_json)
    assert.are.equal("{}", payload.raw("event_any", {}).data_json)
  end)

  it("carries its error", function()
    assert.are.equal("data: expected an object, got a list", wrong(payload.raw("event_any", { 1 })))
    assert.are.equal("data: expected an object, got a list",
      wrong(payload.raw("event_any", json.array())))
    assert.are.equal("a: a function cannot be written as JSON",
      wrong(payload.raw("event_any", { a = print })))
    assert.is_truthy(tostring(payload.raw("event_any", { 1 })):find("invalid: ", 1, true))
  end)
end)

describe("payload.build", function()
  it("builds by the type's full name", function()
    assert.is_nil(payload.build("event_member_enrol", { member_info = { id = "1" } }).error)
    local built = payload.build("event_member_enroll", {})
    assert.are.equal("unknown_type", built.code)
    assert.is_true(payload.is_payload(built))
    assert.is_false(payload.is_payload({ event_type = "x" }))
  end)
end)
