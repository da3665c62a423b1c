-- The sender on a real SQLite store: webhooks, every form of emit, the log, refusals.

local json = require("loyalhook.json")
local loyalhook = require("loyalhook")
local payload = loyalhook.payload

local MEMBER = { member_info = { member_id = "m-1" } }

-- A new sender on a store in a folder of its own.
local function open(given)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local wanted = { store = "sqlite:" .. folder .. "/s.db", create = true }
  for name, value in pairs(given or {}) do
    wanted[name] = value
  end
  local sender = assert(loyalhook.sender.open(wanted))
  return sender, folder
end

local function hook(changes)
  local fields = { name = "crm", url = "https://example.com/hook", event_types = { "*" } }
  for name, value in pairs(changes or {}) do
    fields[name] = value
  end
  return fields
end

describe("sender", function()
  local sender, folder

  before_each(function()
    sender, folder = open({ types = { { name = "event_order_paid", category = "order" } } })
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  describe("open", function()
    it("refuses a store that is not there, and one that is", function()
      local nothing, message, code = loyalhook.sender.open({ store = "sqlite:/nowhere/x.db" })
      assert.is_nil(nothing)
      assert.are.equal("string", type(message))
      assert.are.equal("store_missing", code)
      assert.are.equal("store_exists", select(3, loyalhook.sender.open({
        store = "sqlite:" .. folder .. "/s.db", create_only = true, create = true })))
    end)

    it("refuses wrong custom types", function()
      assert.are.equal("invalid", select(3, loyalhook.sender.open({ types = { {} } })))
    end)

    it("raises for a misspelt or wrong option", function()
      local ok, message = pcall(function()
        local _ = loyalhook.sender.open({ stor = "x" })
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find('sender_spec.lua:%d+: .*did you mean "store"'))
      assert.has_error(function()
        loyalhook.sender.open({ create = "yes" })
      end)
    end)

    it("gives every sender its own catalogue", function()
      local other, other_folder = open()
      assert.are.equal("unknown_type", select(3, other:emit_json("event_order_paid", "{}")))
      assert.is_truthy(sender:emit_json("event_order_paid", "{}"))
      other:close()
      os.execute("rm -rf " .. other_folder)
    end)
  end)

  describe("webhooks", function()
    it("are created with defaults, the secret shown once", function()
      local made = assert(sender:create_webhook(hook()))
      assert.is_truthy(made.id:find("^%x+$") and #made.id == 24)
      assert.is_truthy(made.secret:find("^whsec_"))
      assert.are.same({ "default", "enabled", 100, 5, 300, 5, 4, 30000, "zinrelo", "200", false },
        { made.account, made.status, made.batch_size, made.retries_max, made.retry_interval_s,
          made.pause_after, made.max_in_flight, made.timeout_ms, made.scheme, made.success,
          made.ordered })
      assert.is_truthy(made.created_at:find("^20%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"))
      for key in pairs(made) do
        assert.is_nil(key:find("_ms$") and key ~= "batch_wait_ms" and key ~= "timeout_ms" or nil)
      end
      local shown = assert(sender:webhook("crm"))
      assert.is_nil(shown.secret)
      made.secret = nil
      assert.are.same(made, shown)
      assert.are.same({ shown }, sender:webhooks())
      assert.are.equal("[]", json.encode(sender:webhooks({ account = "other" })))
    end)

    it("keep what they were given", function()
      local made = assert(sender:create_webhook(hook({ account = "shop-7", batch_size = 7,
        secret = "0123456789abcdef", event_types = { "category:member", "event_order_paid" },
        headers = { ["X-Shop"] = "7" }, retries_max = 0, scheme = "zinrelo" })))
      assert.are.equal("0123456789abcdef", made.secret)
      assert.are.same({ "category:member", "event_order_paid" }, made.event_types)
      assert.are.same({ ["X-Shop"] = "7" }, made.headers)
      assert.are.equal(7, sender:webhook(made.id).batch_size)
      assert.are.equal("shop-7", sender:webhook("crm", "shop-7").account)
      assert.are.equal("not_found", select(3, sender:webhook("crm", "other")))
    end)

    it("may want types that only an emitter elsewhere knows, once one is stored", function()
      local other = assert(loyalhook.sender.open({ store = "sqlite:" .. folder .. "/s.db" }))
      for _, selector in ipairs({ "event_order_paid", "category:order" }) do
        local wanted = hook({ name = selector, event_types = { selector, "*" },
          url = "https://example.com/" .. selector:gsub(":", "-") })
        assert.are.equal("unknown_type", select(3, other:create_webhook(wanted)))
      end
      assert(sender:emit_json("event_order_paid", "{}"))
      for _, selector in ipairs({ "event_order_paid", "category:order" }) do
        local wanted = hook({ name = selector, event_types = { selector, "*" },
          url = "https://example.com/" .. selector:gsub(":", "-") })
        assert.are.same({ selector, "*" }, assert(other:create_webhook(wanted)).event_types)
      end
      for _, selector in ipairs({ "order", "category:event_order_paid", "event_order_pay" }) do
        assert.are.equal("unknown_type",
          select(3, other:create_webhook(hook({ event_types = { selector } }))))
      end
      other:close()
    end)

    it("are refused with the field and what is wrong, and leave no trace", function()
      local function refused(changes, code, words)
        local nothing, message, got = sender:create_webhook(hook(changes))
        assert.is_nil(nothing)
        assert.are.equal(code, got)
        assert.is_truthy(message:find(words, 1, true), message)
      end
      refused({ bach_size = 5 }, "invalid", 'unknown field bach_size; did you mean "batch_size"')
      refused({ batch_size = "5" }, "invalid", "batch_size: expected a whole number, got string")
      refused({ batch_size = 1.5 }, "invalid", "batch_size: expected a whole number, got 1.5")
      refused({ batch_size = 0 }, "invalid", "batch_size")
      refused({ event_types = {} }, "invalid", "event_types: at least one")
      refused({ event_types = "x" }, "invalid", "event_types: expected a list of strings")
      refused({ event_types = { "*", 5 } }, "invalid", "event_types: expected a list of strings")
      refused({ event_types = { "event_points_earnd" } }, "unknown_type",
        'event_types: unknown event type "event_points_earnd"; did you mean "event_points_earned"')
      refused({ headers = { "x" } }, "invalid", "headers: expected a table of strings by name")
      refused({ url = 5 }, "invalid", "url: expected a string")
      refused({ url = "http://example.com/" }, "invalid", "allow_http")
      refused({ secret = "short" }, "secret_invalid", "secret")
      refused({ ordered = 1 }, "invalid", "ordered: expected true or false")
      assert.are.equal("name: missing",
        select(2, sender:create_webhook({ url = "https://example.com", event_types = { "*" } })))
      assert.are.same({}, sender:webhooks())
    end)

    it("are unique, and limited", function()
      assert(sender:create_webhook(hook()))
      assert.are.equal("conflict",
        select(3, sender:create_webhook(hook({ url = "https://b.com" }))))
      assert.are.equal("conflict", select(3, sender:create_webhook(hook({ name = "other",
        url = "HTTPS://EXAMPLE.com:443/hook" }))))
      for number = 2, 10 do
        assert(sender:create_webhook(hook({ name = "n" .. number,
          url = "https://example.com/" .. number })))
      end
      assert.are.equal("limit", select(3, sender:create_webhook(hook({ name = "eleven",
        url = "https://example.com/11" }))))
    end)
  end)

  describe("emit", function()
    it("stores a payload and gives its id", function()
      local id = assert(sender:emit(payload.member_enrol(MEMBER), { account = "shop-7" }))
      local event = assert(sender:event(id))
      assert.are.equal("event_member_enrol", event.event_type)
      assert.are.equal("shop-7", event.account)
      assert.are.equal('{"member_info":{"member_id":"m-1"}}', event.data_json)
      assert.are.same(MEMBER, event.data)
      assert.is_truthy(event.created_at:find("Z$"))
    end)

    it("returns what a payload could not be made of", function()
      local id, message, code = sender:emit(payload.member_enrol({ member_info = { aov = {} } }))
      assert.is_nil(id)
      assert.are.equal("member_info.aov: expected a number or a string of digits, got table",
        message)
      assert.are.equal("invalid", code)
    end)

    it("takes tables with data or JSON text, kept byte for byte", function()
      local text = '{ "b" : 1.0e2,\n"a":"\\u00e9\\/", "n": 12345678901234567890 }'
      local id = assert(sender:emit_json("event_order_paid", text))
      assert.are.equal(text, sender:event(id).data_json)
      id = assert(sender:emit({ event_type = "event_order_paid", data = { a = { 1 } } }))
      assert.are.equal('{"a":[1]}', sender:event(id).data_json)
    end)

    it("refuses what is no event, with one line", function()
      local function refused(event, code, words, place)
        local id, message, got = sender:emit(event, place)
        assert.is_nil(id)
        assert.are.equal(code, got)
        assert.is_truthy(message:find(words, 1, true), message)
        assert.is_nil(message:find("\n", 1, true))
      end
      refused({ event_type = "event_point_earned", data = {} }, "unknown_type",
        'did you mean "event_points_earned"')
      refused({ event_type = "event_order_paid", data_json = "[]" }, "invalid", "object")
      refused({ event_type = "event_order_paid", data_json = '{"a":1' }, "invalid", "byte")
      refused({ event_type = "event_order_paid", data_json = '{"a":"\255"}' }, "invalid", "UTF-8")
      refused({ event_type = "event_order_paid", data = { 1 } }, "invalid", "object")
      refused({ event_type = "event_order_paid", data = { a = 0 / 0 } }, "invalid", "a: NaN")
      refused({ event_type = "event_order_paid" }, "invalid", "data: expected a table")
      refused({ data = {} }, "invalid", "event_type: expected a string")
      refused({ event_type = "event_order_paid", data = { a = ("x"):rep(1024 * 1024) } },
        "too_large", "")
      refused({ event_type = "event_order_paid", data_json = "{}" }, "invalid", "account",
        { account = "no spaces" })
      refused({ event_type = "event_order_paid", data_json = "{}" }, "invalid", "id",
        { id = "ABC" })
      assert.are.equal(0, sender:stats().events)
    end)

    it("knows a repeated key, and a conflict", function()
      local function emit(data)
        return sender:emit(payload.raw("event_order_paid", data), { idempotency_key = "order-1" })
      end
      local id = assert(emit({ a = 1 }))
      assert.are.same({ id, nil, "duplicate" }, { emit({ a = 1 }) })
      local nothing, _, code = emit({ a = 2 })
      assert.is_nil(nothing)
      assert.are.equal("conflict", code)
      local given = "61f11851bdfb9aac526d0c70"
      assert.are.equal(given, sender:emit_json("event_order_paid", "{}", { id = given }))
    end)

    it("raises at the caller's line for a wrong call", function()
      local ok, message = pcall(function()
        local _ = sender:emit("event_order_paid", {})
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("sender_spec.lua:%d+: emit: expected a payload"))
      ok, message = pcall(function()
        local _ = sender:emit(payload.raw("event_order_paid", {}), { acount = "x" })
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find('sender_spec.lua:%d+: .*did you mean "account"'))
    end)
  end)

  describe("emit_many", function()
    it("takes payloads and tables in every form, in order", function()
      local ids = assert(sender:emit_many({
        payload.member_enrol(MEMBER),
        { payload.member_update(MEMBER), account = "shop-7", idempotency_key = "k" },
        { payload = payload.raw("event_order_paid", {}) },
        { event_type = "event_order_paid", data = { n = 4 } },
        { event_type = "event_order_paid", data_json = '{"n":5}', account = "shop-8" },
      }))
      assert.are.equal(5, #ids)
      assert.are.equal("event_member_enrol", sender:event(ids[1]).event_type)
      assert.are.equal("shop-7", sender:event(ids[2]).account)
      assert.are.same({ n = 4 }, sender:event(ids[4]).data)
      assert.are.equal("shop-8", sender:event(ids[5]).account)
      assert.are.same({}, sender:emit_many({}))
    end)

    it("names the bad one and stores none", function()
      local function refused(list, index, code, words)
        local ids, message, got, at = sender:emit_many(list)
        assert.is_nil(ids)
        assert.are.equal(code, got)
        assert.are.equal(index, at)
        assert.is_truthy(message:find("event " .. index .. ": ", 1, true), message)
        assert.is_truthy(message:find(words, 1, true), message)
      end
      local good = { event_type = "event_order_paid", data_json = "{}" }
      refused({ good, good, { event_type = "event_order_payd", data = {} } }, 3, "unknown_type",
        "event_order_paid")
      refused({ good, payload.member_enrol({}) }, 2, "invalid", "member_info: missing")
      refused({ good, { event_type = "event_order_paid", data_json = "{" } }, 2, "invalid", "byte")
      refused({ good, 5 }, 2, "invalid", "expected a payload or a table")
      refused({ { good, acount = "x" } }, 1, "invalid", 'did you mean "account"')
      refused({ good, { good, account = 5 } }, 2, "invalid", "account: expected a string")
      refused({ good, { event_type = "event_order_paid", data_json = '{"a":1}',
        idempotency_key = "same" }, { event_type = "event_order_paid", data_json = '{"a":2}',
        idempotency_key = "same" } }, 3, "conflict", "")
      assert.are.equal(0, sender:stats().events)
    end)

    it("has a limit per call", function()
      local list = {}
      for index = 1, 10001 do
        list[index] = { event_type = "event_order_paid", data_json = "{}" }
      end
      assert.are.equal("limit", select(3, sender:emit_many(list)))
      list[10001] = nil
      assert.are.equal(10000, #assert(sender:emit_many(list)))
      assert.are.equal(10000, sender:stats().events)
    end)
  end)

  describe("emit_each", function()
    it("stores the good ones and says what is wrong with the others", function()
      local results = assert(sender:emit_each({
        { event_type = "event_order_paid", data_json = "{}", idempotency_key = "k" },
        { event_type = "event_nope_nope", data_json = "{}" },
        { event_type = "event_order_paid", data_json = "{}", idempotency_key = "k" },
        { event_type = "event_order_paid", data_json = "[1]" },
        { event_type = "event_order_paid", data_json = '{"a":1}' },
      }))
      assert.are.equal(results[1].id, results[3].id)
      assert.is_true(results[3].duplicate)
      assert.are.equal("unknown_type", results[2].code)
      assert.are.equal("invalid", results[4].code)
      assert.are.equal("string", type(results[4].message))
      assert.is_truthy(results[5].id)
      assert.are.equal(2, sender:stats().events)
      assert.are.equal("unknown_type",
        sender:emit_each({ { event_type = "x", data_json = "{}" } })[1].code)
    end)
  end)

  describe("the log", function()
    it("is empty at first, and filters are checked", function()
      local made = assert(sender:create_webhook(hook()))
      local list, following = sender:requests({ state = "failed", webhook = "crm", since = "2h",
        member = "m-1", limit = 5, account = "default" })
      assert.are.equal("[]", json.encode(list))
      assert.is_nil(following)
      assert.are.same({}, sender:requests({ webhook = made.id }))
      local function refused(filter, code, words)
        local nothing, message, got = sender:requests(filter)
        assert.is_nil(nothing)
        assert.are.equal(code, got)
        assert.is_truthy(message:find(words, 1, true), message)
      end
      refused({ state = "faild" }, "invalid", 'did you mean "failed"')
      refused({ webhook = "nobody" }, "not_found", "")
      refused({ since = "yesterday" }, "invalid", "since: ")
      refused({ limit = 0 }, "invalid", "limit")
      refused({ after = "x" }, "invalid", "after")
      refused({ event = "x" }, "invalid", "event")
      assert.has_error(function()
        sender:requests({ stat = "failed" })
      end)
    end)

    it("says what is not there", function()
      assert.are.equal("not_found", select(3, sender:request("61f11851bdfb9aac526d0c70")))
      assert.are.equal("not_found", select(3, sender:event("61f11851bdfb9aac526d0c70")))
      assert.are.equal("invalid", select(3, sender:request("nonsense")))
      assert.has_error(function()
        sender:request(nil)
      end, "request: expected an id, got nil")
    end)

    it("has figures of all and of one webhook", function()
      assert(sender:create_webhook(hook({ event_types = { "event_order_paid" } })))
      assert(sender:emit_json("event_order_paid", "{}"))
      assert(sender:emit(payload.member_enrol(MEMBER)))
      local stats = assert(sender:stats())
      assert.are.equal(2, stats.events)
      assert.are.equal(1, stats.webhooks)
      assert.are.same({ pending = 0, sending = 0, retrying = 0, delivered = 0, failed = 0 },
        stats.requests)
      assert.is_nil(stats.oldest_undelivered_ms)
      assert.are.equal(1, sender:stats("crm").waiting)
      assert.are.equal("not_found", select(3, sender:stats("nobody")))
    end)
  end)

  describe("care", function()
    it("checks health and key, and copies the store", function()
      assert.are.equal("ok", sender:health(true).integrity)
      assert.is_true(sender:key_check())
      assert(sender:emit_json("event_order_paid", "{}"))
      assert.is_true(sender:backup(folder .. "/copy.db"))
      assert.are.equal("refused", select(3, sender:backup(folder .. "/copy.db")))
      local copy = assert(loyalhook.sender.open({ store = folder .. "/copy.db",
        key_file = folder .. "/s.db.key" }))
      assert.are.equal(1, copy:stats().events)
      copy:close()
    end)

    it("answers closed after close, and close again does nothing", function()
      sender:close()
      sender:close()
      assert.are.equal("closed", select(3, sender:emit_json("event_order_paid", "{}")))
      assert.are.equal("closed", select(3, sender:webhooks()))
      assert.are.equal("closed", select(3, sender:requests()))
      assert.are.equal("closed", select(3, sender:create_webhook(hook())))
      assert.is_truthy(tostring(sender):find("closed", 1, true))
    end)
  end)
end)
