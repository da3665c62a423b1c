-- Sample events: valid for every type, the same for the same seed on every VM.

local events = require("loyalhook.events")
local json = require("loyalhook.json")
local payload = require("loyalhook.payload")
local samples = require("loyalhook.samples")

local function collect(seed, count)
  local list = {}
  for event in samples.stream(seed, count) do
    list[#list + 1] = event
  end
  return list
end

describe("samples.event", function()
  it("makes data of every type that the builders accept", function()
    for _, entry in ipairs(events.all()) do
      for seed = 1, 20 do
        local data = assert(samples.event(entry.name, seed))
        assert.is_true(payload.check(entry.name, data))
        for _, object in ipairs(entry.data) do
          assert.are.equal("table", type(data[object]), entry.name .. " " .. object)
        end
      end
    end
  end)

  it("is the same for the same seed and differs between seeds", function()
    local first = samples.json("event_points_earned", 7)
    assert.are.equal(first, samples.json("event_points_earned", 7))
    assert.are_not.equal(first, samples.json("event_points_earned", 8))
  end)

  it("is pinned, so that both VMs show the same", function()
    local data = samples.event("event_points_redeemed", 1)
    assert.are.equal("Amara Dubois 800",
      ("%s %s %d"):format(data.member_info.first_name, data.member_info.last_name,
        data.transaction_info.redeem_info.points))
  end)

  it("names the nearest for an unknown type, and takes custom ones", function()
    local data, message, code = samples.event("event_points_earnd")
    assert.is_nil(data)
    assert.are.equal("unknown_type", code)
    assert.is_truthy(message:find("event_points_earned", 1, true))
    local catalogue = events.new({ { name = "event_order_paid", category = "order" } })
    local custom = samples.event("event_order_paid", 1, { catalogue = catalogue })
    assert.are.equal("string", type(custom.member_info.member_id))
  end)

  it("lives in the time it is told", function()
    local data = samples.event("event_points_earned", 1, { now_ms = 1640796461000 })
    assert.are.equal("12/29/2021 16:47:41", data.transaction_info.created_date)
  end)
end)

describe("samples.stream", function()
  it("has every type and gives valid data", function()
    local seen, count = {}, 0
    for _, event in ipairs(collect(3, 400)) do
      assert.is_true(payload.check(event.event_type, event.data))
      count = count + (seen[event.event_type] and 0 or 1)
      seen[event.event_type] = true
    end
    assert.are.equal(20, count)
  end)

  it("is deterministic and of the length asked for", function()
    assert.are.equal(json.encode(collect(5, 60)), json.encode(collect(5, 60)))
    assert.are.equal(60, #collect(5, 60))
    assert.are.equal(0, #collect(5, 0))
  end)

  it("is the same bytes on every VM", function()
    assert.are.equal("c4ec31bcf3b2be61ff5b26171881f656efa2bd585d6832295a955bf266f4ef23",
      require("loyalhook.core").hmac("sha256", "k", json.encode(collect(11, 400))))
  end)

  it("lets members come back with moved balances", function()
    local balances, returned, moved = {}, 0, 0
    for _, event in ipairs(collect(9, 300)) do
      local member = event.data.member_info
      local before = balances[member.member_id]
      returned = returned + (before and 1 or 0)
      moved = moved + (before and before ~= member.available_points and 1 or 0)
      balances[member.member_id] = member.available_points
    end
    assert.is_true(returned > 100)
    assert.is_true(moved > 30)
  end)

  it("hands out tables that do not change afterwards", function()
    local list = collect(9, 200)
    local texts = {}
    local index = 0
    for event in samples.stream(9, 200) do
      index = index + 1
      texts[index] = json.encode(event.data)
    end
    for at, event in ipairs(list) do
      assert.are.equal(texts[at], json.encode(event.data))
    end
  end)
end)
