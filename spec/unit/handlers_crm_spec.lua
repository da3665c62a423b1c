-- HubSpot against prepared answers: what is asked of it, and what each answer means; and the
-- mapping of fields that all CRM handlers share.

local fake = require("harness.fake_context")
local hubspot = require("loyalhook.handlers.crm.hubspot")
local json = require("loyalhook.json")
local mapping = require("loyalhook.handlers.crm.mapping")

local answer = fake.answer

local function member(more)
  local info = { member_id = "m/1", first_name = "Zoë", last_name = "Brandt",
    email_address = "Zoe@Example.com", available_points = "360", birthdate = "12/29/1990",
    lifetime_points_earned = 1000 }
  for name, value in pairs(more or {}) do
    info[name] = value
  end
  return { member_info = info }
end

describe("a mapping", function()
  local DATA = { a = { text = "x", number = "0360.50", birth = "2/3/1990",
    at = "12/29/2021 16:47:41", tags = { "gold", "a;b" }, none = {}, yes = "Yes",
    mails = "subscribed", empty = "",
    null = json.null, odd = { b = 1 }, flag = true } }

  local function values(given, native)
    local lost = {}
    local got = mapping.values(assert(mapping.check(given, {}, "m")), DATA, native,
      function(target) lost[#lost + 1] = target end)
    return got, lost
  end

  it("converts what is set to be converted", function()
    assert.are.same({ t = "x", n = "360.50", d = "1990-02-03", at = "2021-12-29T16:47:41.000Z",
      l = "gold;a b", b = "true", e = "true", c = "fix", f = "true" },
      (values({ t = "a.text", n = { from = "a.number", as = "number" },
        d = { from = "a.birth", as = "date" }, at = { from = "a.at", as = "datetime" },
        l = { from = "a.tags", as = "list" }, b = { from = "a.yes", as = "boolean" },
        e = { from = "a.mails", equals = "subscribed" }, c = { constant = "fix" },
        f = "a.flag" })))
  end)

  it("has JSON's own values where they are wanted, with their digits", function()
    local got = values({ n = { from = "a.number", as = "number" },
      x = { from = "a.no", clear = true }, e = { from = "a.mails", equals = "no" } }, true)
    assert.are.equal('{"e":false,"n":360.50,"x":null}', json.encode(got))
  end)

  it("leaves out what is absent, or empties it on demand", function()
    assert.are.same({}, (values({ a = "a.no", b = "a.null", c = "a.empty",
      d = { from = "a.none", as = "list" } })))
    assert.are.same({ a = "" }, (values({ a = { from = "a.null", clear = true } })))
  end)

  it("leaves out what cannot be converted, and says which field", function()
    local got, lost = values({ a = { from = "a.text", as = "number" }, b = "a.odd",
      c = { from = "a.text", as = "date" }, d = { from = "a.text", as = "boolean" },
      e = { from = "a.birth", as = "datetime", clear = true } })
    assert.are.same({ e = "1990-02-03T00:00:00.000Z" }, got)
    assert.are.same({ "a", "b", "c", "d" }, lost)
  end)

  it("does not try long texts as numbers, which would take for ever", function()
    local mapped = assert(mapping.check({ n = { from = "v", as = "number" } }, {}, "m"))
    local lost = {}
    assert.are.same({}, mapping.values(mapped, { v = ("0"):rep(1000000) .. "x" }, false,
      function(target) lost[#lost + 1] = target end))
    assert.are.same({ "n" }, lost)
  end)

  it("names what is wrong with it", function()
    local function wrong(entry)
      return select(2, mapping.check({ f = entry }, {}, "m"))
    end
    assert.are.equal("m.f: expected a path, a table or false", wrong(7))
    assert.are.equal("m.f: expected either from or constant", wrong({}))
    assert.are.equal("m.f: unknown key form; did you mean \"from\"?", wrong({ form = "a" }))
    assert.is_truthy(wrong({ from = "a", as = "money" }):find("as: expected text", 1, true))
    assert.is_truthy(wrong({ from = 7 }):find("from: expected a string", 1, true))
    assert.are.equal("m: a-b is no name of a field",
      select(2, mapping.check({ ["a-b"] = "x" }, {}, "m")))
  end)
end)

describe("crm.hubspot", function()
  local function new(more)
    local given = { token = "pat-1", mapping = { phone = false } }
    for name, value in pairs(more or {}) do
      given[name] = value
    end
    return assert(hubspot.new(given))
  end

  local function run(handler, answers, event)
    local context = fake.new({ answers = answers })
    local ok, message, kind = handler.handle(event or fake.event("event_points_earned", member()),
      context)
    return ok, message, kind, context
  end

  it("says what it is", function()
    local handler = new()
    assert.are.equal("crm.hubspot", handler.name)
    assert.are.same({ "category:member", "category:transaction" }, handler.event_types)
    assert.are.equal("member", handler.serial)
    assert.are.equal(100, handler.batch_max)
    assert.is_true(handler.concurrency >= handler.batch_max)
    assert.is_nil(new({ batch_max = 1 }).batch_max)
    assert.is_nil(new({ batch_max = 1 }).handle_batch)
    assert.is_nil(new({ serial = false }).serial)
    assert.are.equal("crm.hubspot.two", new({ name = "crm.hubspot.two" }).name)
  end)

  it("upserts a contact by its e-mail address", function()
    local ok, _, _, context = run(new(), { answer(200, "{}") })
    assert.is_true(ok)
    local request = context.requests[1]
    assert.are.equal("POST", request.method)
    assert.are.equal("https://api.hubapi.com/crm/objects/2026-09/contacts/batch/upsert",
      request.url)
    assert.are.equal("Bearer pat-1", request.headers.Authorization)
    local input = json.decode(request.body).inputs[1]
    assert.are.equal("Zoe@Example.com", input.id)
    assert.are.equal("email", input.idProperty)
    assert.are.equal("1.e1", input.objectWriteTraceId)
    assert.are.same({ email = "Zoe@Example.com", firstname = "Zoë", lastname = "Brandt",
      loyalty_member_id = "m/1", loyalty_points = "360", loyalty_points_earned = "1000" },
      input.properties)
  end)

  it("upserts by another property, in another version of the API", function()
    local _, _, _, context = run(new({ id_property = "loyalty_member_id", api_version = "v3",
      id_from = "member_info.member_id" }), { answer(200) })
    assert.are.equal("https://api.hubapi.com/crm/v3/objects/contacts/batch/upsert",
      context.requests[1].url)
    assert.are.equal("m/1", json.decode(context.requests[1].body).inputs[1].id)
  end)

  it("says what an answer means", function()
    local refused = '{"status":"error","category":"VALIDATION_ERROR","message":"no\\u001b[1m such"}'
    for status, kind in pairs({ [400] = "fail", [404] = "fail", [401] = "retry", [403] = "retry",
      [409] = "retry", [423] = "retry", [429] = "retry", [500] = "retry", [477] = "retry" }) do
      local ok, message, got = run(new(), { answer(status, refused) })
      assert.is_nil(ok)
      assert.are.equal(("HubSpot answered %d: VALIDATION_ERROR: no[1m such"):format(status),
        message)
      assert.are.equal(kind, got, status)
    end
    local _, message = run(new(), { answer(429,
      '{"policyName":"TEN_SECONDLY_ROLLING","message":"You have reached your limit."}') })
    assert.are.equal("HubSpot answered 429: TEN_SECONDLY_ROLLING: You have reached your limit.",
      message)
  end)

  it("tries again what ended unknown, and fails what cannot be sent", function()
    local _, message, kind = run(new(), { { false, "timed out", "unknown" } })
    assert.are.equal("HubSpot: timed out", message)
    assert.are.equal("retry", kind)
    assert.are.equal("fail", (select(3, run(new(), { { false, "bad", "invalid" } }))))
  end)

  it("leaves a deleted member's contact alone, or marks it", function()
    local event = fake.event("event_member_delete", member())
    local ok, _, _, context = run(new(), {}, event)
    assert.is_true(ok)
    assert.are.equal(0, #context.requests)
    _, _, _, context = run(new({ on_delete = { loyalty_status = "deleted" } }),
      { answer(200) }, event)
    assert.are.same({ loyalty_status = "deleted" },
      json.decode(context.requests[1].body).inputs[1].properties)
  end)

  it("fails or skips an event that names no contact", function()
    local event = fake.event("event_points_earned", member({ email_address = "" }))
    local _, message, kind = run(new(), {}, event)
    assert.are.equal("member_info.email_address: absent in this event", message)
    assert.are.equal("fail", kind)
    assert.is_true((run(new({ without_id = "skip" }), {}, event)))
  end)

  it("logs the name of a property that a value does not fit, never the value", function()
    local _, _, _, context = run(new(), { answer(200) },
      fake.event("event_points_earned", member({ available_points = "secret" })))
    assert.are.equal("loyalty_points", context.lines[1].fields.field)
    assert.is_nil(json.encode(context.lines):find("secret", 1, true))
  end)

  it("reads its token from the file at each use", function()
    local path = os.tmpname()
    local function write(text)
      local file = assert(io.open(path, "wb"))
      file:write(text)
      file:close()
    end
    write("zero\n")
    local handler = assert(hubspot.new({ token_file = path }))
    for _, token in ipairs({ "one", "two" }) do
      write(token .. "\n")
      local _, _, _, context = run(handler, { answer(200) })
      assert.are.equal("Bearer " .. token, context.requests[1].headers.Authorization)
    end
    write("a\nb")
    local ok, message, kind = run(handler, {})
    assert.is_nil(ok)
    assert.is_truthy(message:find("expected one line with the secret", 1, true))
    assert.are.equal("retry", kind)
    os.remove(path)
  end)

  it("refuses a token's file that cannot be read", function()
    local handler, message, code = hubspot.new({ token_file = "/nowhere/token" })
    assert.is_nil(handler)
    assert.are.equal("crm.hubspot.token_file: /nowhere/token: No such file or directory", message)
    assert.are.equal("config", code)
  end)

  it("refuses wrong settings", function()
    for message, given in pairs({
      ["crm.hubspot: token or token_file: expected exactly one of them"] = {},
      ["crm.hubspot.url: expected https://host, without a path"] = { token = "x", url = "ftp://a" },
      ["crm.hubspot.id_from: missing, the path of what stands in id_property"] =
        { token = "x", id_property = "loyalty_member_id" },
      ['crm.hubspot.without_id: expected "fail" or "skip"'] = { token = "x", without_id = "no" },
      ["crm.hubspot.batch_max: expected 1 to 100"] = { token = "x", batch_max = 101 },
      ['crm.hubspot.on_delete: expected "ignore" or a table field = "text"'] =
        { token = "x", on_delete = { 7 } },
      ["crm.hubspot.token: expected a text on one line"] = { token = "x\ny" },
    }) do
      local handler, got, code = hubspot.new(given)
      assert.is_nil(handler)
      assert.are.equal(message, got)
      assert.are.equal("config", code)
    end
    assert.has_error(function() hubspot.new({ tokn = "x" }) end,
      'crm.hubspot.new: unknown option tokn; did you mean "token"?')
  end)

  describe("with several events", function()
    local function events(count, more)
      local list = {}
      for index = 1, count do
        list[index] = fake.event("event_points_earned", member({
          email_address = ("m%d@example.com"):format(index), available_points = index }),
          "e" .. index)
      end
      for index, info in pairs(more or {}) do
        list[index] = fake.event("event_points_earned", member(info), "e" .. index)
      end
      return list
    end

    it("sends them in one request", function()
      local context = fake.new({ answers = { answer(200) } })
      assert.are.same({ true, true, true }, new().handle_batch(events(3), context))
      assert.are.equal(3, #json.decode(context.requests[1].body).inputs)
    end)

    it("makes one input of one contact, the later event winning", function()
      local context = fake.new({ answers = { answer(200) } })
      local results = new().handle_batch(events(3, {
        [3] = { email_address = "M1@example.com", available_points = 99 } }), context)
      assert.are.same({ true, true, true }, results)
      local inputs = json.decode(context.requests[1].body).inputs
      assert.are.equal(2, #inputs)
      assert.are.equal("99", inputs[1].properties.loyalty_points)
    end)

    it("gives each event its own result of a 207", function()
      local context = fake.new({ answers = { answer(207, json.encode({ status = "COMPLETE",
        results = { { id = "1", objectWriteTraceId = "1.e1" } }, numErrors = 2, errors = {
          { status = "error", category = "VALIDATION_ERROR", message = "bad zip",
            context = { objectWriteTraceId = { "2.e2" } } },
          { status = "503", message = "later",
            context = { objectWriteTraceId = { "3.e3" } } } } })) } })
      assert.are.same({ true,
        { message = "HubSpot answered 400: VALIDATION_ERROR: bad zip", kind = "fail" },
        { message = "HubSpot answered 503: later", kind = "retry" },
        { message = "HubSpot did not say what became of the contact", kind = "retry" } },
        new().handle_batch(events(4), context))
    end)

    it("takes what no error names for done where the numbers add up", function()
      local context = fake.new({ answers = { answer(207, json.encode({ status = "COMPLETE",
        results = { { id = "1" }, { id = "2" } }, numErrors = 1, errors = { { status = "error",
          category = "CONFLICT", message = "exists", context = {
            objectWriteTraceId = { "2.e2" } } } } })) } })
      assert.are.same({ true,
        { message = "HubSpot answered 409: CONFLICT: exists", kind = "retry" }, true },
        new().handle_batch(events(3), context))
    end)

    it("does not count a contact twice that is named twice", function()
      local unsaid = { message = "HubSpot did not say what became of the contact", kind = "retry" }
      local function third_of(good, bad)
        local results, errors = {}, {}
        for index, trace in ipairs(good) do
          results[index] = { id = "1", objectWriteTraceId = trace }
        end
        for index, trace in ipairs(bad) do
          errors[index] = { message = "no", context = { objectWriteTraceId = { trace } } }
        end
        return new().handle_batch(events(3), fake.new({ answers = {
          answer(207, json.encode({ results = results, errors = errors })) } }))[3]
      end
      assert.are.same(unsaid, third_of({ "1.e1" }, { "2.e2", "2.e2" }))
      assert.are.same(unsaid, third_of({ "1.e1", "1.e1" }, { "2.e2" }))
      assert.are.same(unsaid, third_of({ "1.e1", "2.e2" }, { "2.e2" }))
    end)

    it("finds the bad one when the whole batch is refused", function()
      local function judge(request)
        for _, input in ipairs(json.decode(request.body).inputs) do
          if input.id == "m5@example.com" then
            return answer(400, '{"message":"bad"}')
          end
        end
        return answer(200)
      end
      local answers = {}
      for index = 1, 20 do
        answers[index] = judge
      end
      local context = fake.new({ answers = answers })
      local results = new().handle_batch(events(8), context)
      assert.are.equal(8, #results)
      for index = 1, 8 do
        assert.are.same(index ~= 5 or { message = "HubSpot answered 400: bad", kind = "fail" },
          results[index])
      end
      assert.are.equal(7, #context.requests)
    end)

    it("does not search for ever", function()
      local answers = {}
      for index = 1, 200 do
        answers[index] = answer(400, '{"message":"bad"}')
      end
      local context = fake.new({ answers = answers })
      local results = new().handle_batch(events(100), context)
      assert.are.equal(100, #results)
      assert.is_true(#context.requests <= 60, #context.requests)
    end)

    it("asks nothing if nothing is to be done", function()
      assert.are.same({ true }, new().handle_batch({ fake.event("event_member_delete", member()) },
        fake.new()))
    end)
  end)
end)
