-- The catalogue: the twenty types, custom ones, selectors, and the nearest name.

local events = require("loyalhook.events")

describe("the catalogue", function()
  it("has the vendor's twenty types in five categories", function()
    assert.are.equal(20, #events.all())
    local sizes = {}
    for _, category in ipairs(events.categories()) do
      sizes[#sizes + 1] = category.name .. "=" .. #category.types
    end
    assert.are.same({ "transaction=5", "member=5", "referral=3", "system=5", "campaign=2" }, sizes)
  end)

  it("describes every type", function()
    for _, entry in ipairs(events.all()) do
      assert.is_truthy(entry.name:find("^event_[a-z_]+$"), entry.name)
      assert.is_true(#entry.title > 5 and #entry.description > 20, entry.name)
      assert.are.equal("member_info", entry.data[1])
      assert.is_true(entry.builtin)
    end
    assert.are.equal("When points are awarded (approved) to a user.",
      events.get("event_points_earned").description)
    assert.are.same({ "member_info", "transaction_info" }, events.get("event_points_earned").data)
  end)

  it("hands out copies", function()
    events.get("event_points_earned").category = "changed"
    assert.are.equal("transaction", events.category("event_points_earned"))
  end)

  it("names the nearest for a type that is not registered", function()
    for wrong, right in pairs({ event_points_earnd = "event_points_earned",
      points_earned = "event_points_earned", evt_points_awarded = "event_points_earned",
      event_member_enroll = "event_member_enrol",
      EVENT_CAMPAIGN_EXITED = "event_campaign_exited" }) do
      assert.are.equal(right, events.nearest(wrong)[1])
      local nothing, message, code = events.unknown(wrong)
      assert.is_nil(nothing)
      assert.are.equal("unknown_type", code)
      assert.is_truthy(message:find(right, 1, true))
    end
    assert.are.same({}, events.nearest("something_else_entirely"))
  end)
end)

describe("a catalogue of its own", function()
  it("takes custom types and leaves others alone", function()
    local mine = assert(events.new({
      { name = "event_order_paid", category = "order", description = "When an order is paid." },
      { name = "event_points_gifted", category = "transaction" },
    }))
    assert.are.equal("order", mine:category("event_order_paid"))
    assert.are.equal(22, #mine:all())
    assert.are.equal("Order events", mine:categories()[6].title)
    assert.are.equal(6, #mine:all("transaction"))
    assert.is_nil(events.get("event_order_paid"))
    assert.is_nil(events.new():get("event_order_paid"))
  end)

  it("starts from what the default one has", function()
    assert.is_true(events.register({ name = "event_spec_only", category = "spec" }))
    assert.are.equal("spec", events.new():category("event_spec_only"))
    assert.is_false(events.get("event_spec_only").builtin)
  end)

  it("takes the same type twice, but not in another category", function()
    local mine = events.new()
    assert.is_true(mine:register({ name = "event_x", category = "a" }))
    assert.is_true(mine:register({ name = "event_x", category = "a" }))
    local ok, message, code = mine:register({ name = "event_x", category = "b" })
    assert.is_nil(ok)
    assert.are.equal("conflict", code)
    assert.are.equal("event_x: already registered in category a", message)
    assert.are.equal("conflict",
      select(3, mine:register({ name = "event_points_earned", category = "member" })))
  end)

  it("refuses malformed entries and says which", function()
    for _, entry in ipairs({ {}, { name = "Event", category = "a" },
      { name = "a b", category = "a" }, { name = ("x"):rep(65), category = "a" }, { name = "x" },
      { name = "x", category = "A" },
      { name = "x", category = ("a"):rep(33) },
      { name = "x", category = "a", description = 5 } }) do
      local mine, message, code = events.new({ { name = "ok", category = "a" }, entry })
      assert.is_nil(mine)
      assert.are.equal("invalid", code)
      assert.is_truthy(message:find("^types%[2%]: "))
    end
    local _, message = events.new({ { name = "x", category = "a", desciption = "" } })
    assert.are.equal('types[1]: type: unknown key desciption; did you mean "description"?', message)
  end)

  it("has a limit", function()
    local mine, refused = events.new(), nil
    for index = 1, 1000 do
      local ok, _, code = mine:register({ name = "event_n" .. index, category = "many" })
      refused = refused or (not ok and { index, code })
    end
    assert.are.equal("limit", refused and refused[2])
    assert.is_true(#mine:all() <= 1000)
  end)
end)

describe("selectors", function()
  it("are a type, a category or everything", function()
    assert.is_true(events.check_selector("event_points_earned"))
    assert.is_true(events.check_selector("category:member"))
    assert.is_true(events.check_selector("*"))
  end)

  it("are refused with a hint otherwise", function()
    local function message_of(selector)
      local ok, message, code = events.check_selector(selector)
      assert.is_nil(ok)
      return message, code
    end
    assert.are.equal('unknown category "membr"; did you mean "member"?',
      (message_of("category:membr")))
    assert.are.equal('unknown event type "member"; did you mean "category:member"?',
      (message_of("member")))
    assert.are.equal("unknown_type", select(2, message_of("event_nothing_like_it_at_all")))
    assert.are.equal("invalid", select(2, message_of(5)))
    assert.is_truthy(message_of("event_*"))
  end)

  it("expand to types in catalogue order, each once", function()
    assert.are.same({ "event_points_earned", "event_campaign_entered", "event_campaign_exited" },
      events.expand({ "category:campaign", "event_points_earned", "event_campaign_exited" }))
    assert.are.equal(#events.all(), #events.expand({ "*", "category:member" }))
    assert.are.equal("unknown_type", select(3, events.expand({ "*", "nope" })))
  end)
end)
