-- Webhooks and events over the API, on a real store.

local harness = require("harness.api")
local json = require("loyalhook.json")

local UNKNOWN = "61f11851bdfb9aac526d0c70"
local EARNED = "event_points_earned"

describe("over the API", function()
  local here, writes, reads

  before_each(function()
    here = harness.new()
    writes, reads = here:token("write"), here:token("read")
  end)

  after_each(function()
    here:close()
  end)

  describe("webhooks", function()
    it("are created, with their secret this once", function()
      local made, response = here:create("crm", { batch_size = 7 })
      assert.matches("^whsec_", made.secret)
      assert.are.equal("/api/v1/webhooks/" .. made.id, response.headers.Location)
      assert.are.equal('"r1"', response.headers.ETag)
      local note = here:last_note()
      local shown = here:get("webhooks/" .. made.id)
      assert.is_nil(shown.secret)
      assert.are.equal(7, shown.batch_size)
      assert.are.equal(json.null, shown.retry_schedule)
      assert.are.equal("webhook.create", note.what)
      assert.are.equal(made.id, note.object)
      assert.is_nil(json.encode(note.detail):find("whsec_", 1, true))
    end)

    it("are refused at the field that is wrong", function()
      for field, value in pairs{ name = 5, url = "ftp://x", event_types = {}, batch_size = 0,
        retries_max = 1.5, headers = { "x" }, ordered = "yes", scheme = "md5", secret = "short",
        retry_schedule = { 0 }, account = "a b", nmae = "x", timeout_ms = 1e300 } do
        local status, body = here:ask(writes, "POST", "/api/v1/webhooks", { name = "crm",
          url = "http://127.0.0.1:1/x", event_types = { "*" }, [field] = value })
        assert.are.equal(422, status, field)
        assert.is_string(body.detail)
        local named = body.errors and body.errors[1].field or body.detail
        assert.is_truthy(named:find(field, 1, true), field .. ": " .. body.detail)
      end
      local status, body = here:ask(writes, "POST", "/api/v1/webhooks", '{"name":null}')
      assert.are.equal(422, status)
      assert.are.equal("name", body.errors[1].field)
      status, body = here:ask(writes, "POST", "/api/v1/webhooks", { name = "crm",
        url = "http://x.example", event_types = { "event_point_earned" } })
      assert.are.equal(422, status)
      assert.are.equal("unknown_type", body.code)
      assert.is_truthy(body.detail:find("event_points_earned", 1, true))
      here:create("crm")
      status, body = here:ask(writes, "POST", "/api/v1/webhooks", { name = "crm",
        url = "http://127.0.0.1:1/other", event_types = { "*" } })
      assert.are.equal(409, status)
      assert.are.equal("conflict", body.code)
    end)

    it("are edited by whoever was first", function()
      local made = here:create("crm")
      local path = "/api/v1/webhooks/" .. made.id
      local status, body, response = here:ask(writes, "PATCH", path, { batch_size = 5 },
        { ["if-match"] = '"r1"' })
      assert.are.equal(200, status)
      assert.are.equal(('"r%d"'):format(body.revision), response.headers.ETag)
      for _, method in ipairs{ "PATCH", "DELETE" } do
        status, body, response = here:ask(writes, method, path, method == "PATCH"
          and { batch_size = 6 } or nil, { ["if-match"] = '"r1"' })
        assert.are.equal(412, status)
        assert.are.equal("revision", body.code)
        assert.are.equal(5, body.current.batch_size)
        assert.are.equal(('"r%d"'):format(body.current.revision), response.headers.ETag)
      end
      for _, action in ipairs{ "enable", "disable", "rotate-secret" } do
        status = here:ask(writes, "POST", path .. "/" .. action, "{}", { ["if-match"] = '"r1"' })
        assert.are.equal(412, status, action)
      end
      assert.are.equal(200, (here:ask(writes, "PATCH", path, { batch_size = 6 },
        { ["if-match"] = "*" })))
      assert.are.equal(200, (here:ask(writes, "PATCH", path, { batch_size = 7 })))
      for _, etag in ipairs{ "r1", 'W/"r1"', '"r"', '"r0"', '"r01"',
        '"r1", "r2"', '"r99999999999999999"', "" } do
        assert.are.equal(400, (here:ask(writes, "PATCH", path, { batch_size = 8 },
          { ["if-match"] = etag })))
      end
      assert.are.equal(422, (here:ask(writes, "PATCH", path, {})))
      assert.are.equal(422, (here:ask(writes, "PATCH", path, { secret = "x" })))
      assert.are.equal(7, here.sender:webhook(made.id).batch_size)
      local note = here:last_note()
      assert.are.equal("webhook.edit", note.what)
      assert.are.equal(7, note.detail.batch_size)
    end)

    it("leave an entry in the audit log however much is set", function()
      local types = {}
      for number = 1, 200 do
        types[number] = "event_rewards_within_reach_reminder"
      end
      local made = here:create("crm", { event_types = types, retry_schedule = { 60, 3600, 86400 },
        url = "https://a.example/" .. ("%22"):rep(600) })
      local note = here:last_note()
      assert.are.same({ "webhook.create", made.id }, { note.what, note.object })
      assert.are.equal(200, #note.detail.event_types)
    end)

    it("are not sent again to who has them", function()
      local made = here:create("crm")
      local path = "/api/v1/webhooks/" .. made.id
      for _, tags in ipairs{ '"r1"', 'W/"r1"', '"r9", W/"r1"', "*" } do
        local status, _, response = here:ask(reads, "GET", path, nil, { ["if-none-match"] = tags })
        assert.are.equal(304, status, tags)
        assert.are.equal("", response.body)
      end
      for _, tags in ipairs{ '"r2"', "r1", "" } do
        assert.are.equal(200, (here:ask(reads, "GET", path, nil, { ["if-none-match"] = tags })))
      end
    end)

    it("are disabled, enabled, rotated, tried, deleted", function()
      local made = here:create("crm")
      local path = "webhooks/" .. made.id
      assert.are.equal("disabled", here:post(path .. "/disable", nil).status)
      local enabled = here:post(path .. "/enable", nil)
      assert.are.equal("enabled", enabled.webhook.status)
      assert.are.equal(json.null, enabled.job)
      assert.are.equal("refused", here:post(path .. "/enable", { retry_failed = true }, 409).code)
      local rotated = here:post(path .. "/rotate-secret", { overlap_s = 60 })
      assert.matches("^whsec_", rotated.secret)
      assert.is_string(rotated.secret_rotates_at)
      assert.is_nil(here:post(path .. "/rotate-secret", { now = true }).secret_rotates_at)
      assert.are.equal("secret_invalid",
        here:post(path .. "/rotate-secret", { secret = "x" }, 422).code)
      here:post(path .. "/rotate-secret", { overlap_s = -1 }, 422)
      local probe = here:post(path .. "/test", { event_type = "event_member_enrol" })
      assert.is_false(probe.delivered)
      assert.are.equal("event_member_enrol", probe.event_type)
      here:post(path .. "/test", { event_type = "event_none" }, 422)
      local status, gone = here:ask(writes, "DELETE", "/api/v1/" .. path)
      assert.are.equal(200, status)
      assert.are.equal("deleted", gone.status)
      assert.are.equal("refused", here:post(path .. "/enable", nil, 409).code)
      assert.are.equal(0, #here:get("webhooks").webhooks)
      assert.are.equal(1, #here:get("webhooks?deleted=true").webhooks)
    end)

    it("are made up for after a pause", function()
      local made = here:create("crm", { pause_after = 1 })
      here:post("events", { event_type = EARNED, data = json.decode("{}") }, 202)
      here:work()
      assert.are.equal("paused", here:get("webhooks/" .. made.id).status)
      local enabled = here:post("webhooks/" .. made.id .. "/enable", { retry_failed = true })
      assert.are.equal("paused", enabled.job.reason)
      assert.are.equal(enabled.job.id, here:get("jobs").jobs[1].id)
    end)

    it("are listed page by page", function()
      for number = 1, 5 do
        here:create("w" .. number)
      end
      local names, after = {}, ""
      repeat
        local page = here:get("webhooks?limit=2" .. after)
        for _, row in ipairs(page.webhooks) do
          names[#names + 1] = row.name
        end
        after = "&after=" .. tostring(page.next)
      until page.next == json.null
      assert.are.same({ "w1", "w2", "w3", "w4", "w5" }, names)
    end)

    it("are listed to the end by whoever deletes them on the way", function()
      for number = 1, 3 do
        here:create("w" .. number)
      end
      local page = here:get("webhooks?limit=1")
      assert.are.equal(200, (here:ask(writes, "DELETE", "/api/v1/webhooks/" .. page.next)))
      page = here:get("webhooks?limit=1&after=" .. page.next)
      assert.are.equal("w2", page.webhooks[1].name)
      assert.are.equal("w3", here:get("webhooks?limit=1&after=" .. page.next).webhooks[1].name)
      assert.are.equal(3, #here:get("webhooks?deleted=true").webhooks)
    end)

    it("are not at their end after a cursor that is none", function()
      here:create("w1")
      local status, body = here:ask(reads, "GET", "/api/v1/webhooks?after=" .. UNKNOWN)
      assert.are.equal(400, status)
      assert.are.equal("after", body.errors[1].field)
    end)

    it("are tested, and the audit log says of which account", function()
      local made = here:create("crm", { account = "shop-7" })
      here:post("webhooks/" .. made.id .. "/test", {})
      local note = here:last_note()
      assert.are.equal("webhook.test", note.what)
      assert.are.equal("shop-7", note.account)
    end)
  end)

  describe("events", function()
    it("are stored byte for byte", function()
      local data = '{"a" : 1.50, "big":12345678901234567890, "\\u00e9": "\\/", "e":1E+2}'
      local body = here:post("events",
        '{"event_type":"event_points_earned", "data":' .. data .. "}", 202)
      local status, _, response = here:ask(reads, "GET", "/api/v1/events/" .. body.ids[1])
      assert.are.equal(200, status)
      assert.is_truthy(response.body:find(data, 1, true))
      local many = here:post("events", '{"events":[{"data":' .. data .. ',"event_type":"' .. EARNED
        .. '"},{"data":{},"event_type":"' .. EARNED .. '"}]}', 202)
      assert.are.equal(2, #many.ids)
      assert.are.equal(data, here.sender:event(many.ids[1]).data_json)
    end)

    it("are stored all or none, and every bad one is named", function()
      local body = here:post("events", [[{"events":[
        {"event_type":"event_points_earned","data":{}},
        {"event_type":"event_point_earned","data":{}},
        {"event_type":"event_points_earned","data":[]},
        {"event_type":"event_points_earned"},
        {"event_type":"event_points_earned","data":{},"idd":"x"},
        {"event_type":7,"data":{}}, null, [],
        {"event_type":"event_points_earned","data":{},"id":"x"},
        {"event_type":"event_points_earned","data":{},"account":"a b"},
        {"event_type":"event_points_earned","data":{},"idempotency_key":""}]}]], 422)
      local indexes = {}
      for place, wrong in ipairs(body.errors) do
        indexes[place] = wrong.index
        assert.is_string(wrong.detail)
      end
      assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, indexes)
      assert.are.equal("unknown_type", body.errors[1].code)
      assert.are.equal(0, here.sender:stats().events)
    end)

    it("are refused where they are no list, or too many", function()
      for _, text in ipairs{ '{"events":[]}', '{"events":{}}', '{"events":[],"x":1}', "{}",
        '{"event_type":"' .. EARNED .. '","data":null}', '{"events":null}' } do
        here:post("events", text, 422)
      end
      here:post("events", "[]", 400)
      local item = '{"event_type":"event_points_earned","data":{}}'
      here:post("events", '{"events":[' .. (item .. ","):rep(10000) .. item .. "]}", 422)
      local big = '{"event_type":"event_points_earned","data":{"a":"' .. ("x"):rep(1048576) .. '"}}'
      local large = here:post("events", big, 422)
      assert.are.equal("too_large", large.code)
      assert.matches("^data: %d+ bytes are more than", large.detail) -- named once
      local deep = ('{"event_type":"%s","data":{"a":%s%s}}'):format(EARNED, ("["):rep(70),
        ("]"):rep(70))
      assert.is_truthy(here:post("events", deep, 400))
      local status, body = here:ask(writes, "POST", "/api/v1/events",
        ("x"):rep(16 * 1024 * 1024 + 1))
      assert.are.equal(413, status)
      assert.are.equal("too_large", body.code)
    end)

    it("with a key are stored once", function()
      local function emit(body, key)
        local status, read = here:ask(writes, "POST", "/api/v1/events", body,
          { ["idempotency-key"] = key })
        return status, read
      end
      local one = { event_type = EARNED, data = { a = 1 } }
      local _, first = emit(one, "order-1")
      local _, second = emit(one, "order-1")
      assert.are.same(first.ids, second.ids)
      local status, body = emit({ event_type = EARNED, data = { a = 2 } }, "order-1")
      assert.are.equal(409, status)
      assert.are.equal("conflict", body.code)
      local list = { events = { one, { event_type = EARNED, data = { a = 3 } } } }
      _, first = emit(list, "batch")
      _, second = emit(list, "batch")
      assert.are.same(first.ids, second.ids)
      assert.are_not.equal(first.ids[1], first.ids[2])
      list.events[2].data.a = 4
      status, body = emit(list, "batch")
      assert.are.equal(409, status)
      assert.are.equal(1, body.errors[1].index)
      for _, key in ipairs{ "", "a b", ("x"):rep(241), "\195\169", "a\nb" } do
        assert.are.equal(400, (emit(one, key)))
      end
    end)

    it("tell their way to every webhook", function()
      here:create("crm")
      here:create("members", { event_types = { "category:member" } })
      local id = here:post("events", { event_type = EARNED, data = { a = 1 } }, 202).ids[1]
      here:work()
      local found = here:get("events/" .. id .. "/explain")
      assert.are.equal(id, found.event.id)
      assert.are.equal("failed", found.webhooks[1].verdict)
      assert.is_string(found.webhooks[1].request.attempts[1].explanation)
      assert.are.equal("not_subscribed", found.webhooks[2].verdict)
      assert.are.equal(json.null, found.webhooks[2].request)
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/events/" .. UNKNOWN)))
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/events/" .. UNKNOWN .. "/explain")))
    end)
  end)
end)
