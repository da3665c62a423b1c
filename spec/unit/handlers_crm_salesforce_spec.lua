-- Salesforce against prepared answers: tokens, upserts, and what each answer means.

local core = require("loyalhook.core")
local fake = require("harness.fake_context")
local salesforce = require("loyalhook.handlers.crm.salesforce")

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

describe("crm.salesforce", function()
  local GIVEN = { url = "https://shop.my.salesforce.com", client_id = "3MVG9.x",
    client_secret = "s e&c" }

  local function new(more)
    local given = {}
    for _, part in ipairs({ GIVEN, more or {} }) do
      for name, value in pairs(part) do
        given[name] = value
      end
    end
    return assert(salesforce.new(given))
  end

  local function token(text)
    return answer(200, ('{"access_token":"%s","instance_url":"https://elsewhere.example"}')
      :format(text))
  end

  local function run(handler, answers, event)
    local context = fake.new({ answers = answers })
    local ok, message, kind = handler.handle(event or fake.event("event_points_earned", member()),
      context)
    return ok, message, kind, context
  end

  it("fetches a token, then upserts by the external id", function()
    local handler = new()
    local ok, _, _, context = run(handler, { token("t1"), answer(201) })
    assert.is_true(ok)
    local first, second = context.requests[1], context.requests[2]
    assert.are.equal("https://shop.my.salesforce.com/services/oauth2/token", first.url)
    assert.are.equal("grant_type=client_credentials&client_id=3MVG9.x&client_secret=s%20e%26c",
      first.body)
    assert.are.equal("PATCH", second.method)
    assert.are.equal("https://shop.my.salesforce.com/services/data/v66.0/sobjects/Contact/"
      .. "Loyalty_Member_Id__c/m%2F1", second.url)
    assert.are.equal("Bearer t1", second.headers.Authorization)
    assert.are.equal('{"Birthdate":"1990-12-29","Email":"Zoe@Example.com","FirstName":"Zoë",'
      .. '"LastName":"Brandt","Loyalty_Points__c":360}', second.body)
    ok, _, _, context = run(handler, { answer(204) })
    assert.is_true(ok)
    assert.are.equal("Bearer t1", context.requests[1].headers.Authorization)
  end)

  it("renews a token that is refused, once", function()
    local handler = new()
    local expired = answer(401, '[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]')
    run(handler, { token("t1"), answer(200) })
    local ok, _, _, context = run(handler, { expired, token("t2"), answer(200) })
    assert.is_true(ok)
    assert.are.equal("Bearer t2", context.requests[3].headers.Authorization)
    local message, kind
    ok, message, kind = run(handler, { expired, token("t3"), expired })
    assert.is_nil(ok)
    assert.are.equal("Salesforce answered 401: INVALID_SESSION_ID: Session expired", message)
    assert.are.equal("retry", kind)
  end)

  it("fetches one token for many that run at once", function()
    local handler, fetched, done = new(), 0, 0
    local function http(request)
      coroutine.yield()
      if request.url:find("oauth2/token", 1, true) then
        fetched = fetched + 1
        return token("t" .. fetched)
      end
      return answer(204)
    end
    local threads = {}
    for index = 1, 20 do
      threads[index] = coroutine.create(function()
        local context = fake.new()
        context.http = http
        function context.wait(ready)
          while not ready() do
            coroutine.yield()
          end
          return true
        end
        assert(handler.handle(fake.event("event_member_update", member()), context))
        done = done + 1
      end)
    end
    for _ = 1, 50 do
      for _, thread in ipairs(threads) do
        if coroutine.status(thread) ~= "dead" then
          assert(coroutine.resume(thread))
        end
      end
    end
    assert.are.equal(20, done)
    assert.are.equal(1, fetched)
  end)

  it("takes over from a fetch that never ended, whatever becomes of the wall clock", function()
    local handler, monotonic_ms, at_ms = new(), core.monotonic_ms, 1000
    finally(function()
      core.monotonic_ms = monotonic_ms
    end)
    core.monotonic_ms = function() return at_ms end -- luacheck: ignore 122
    local dropped = coroutine.create(function()
      local context = fake.new({ now_ms = 5000000 })
      context.http = function() coroutine.yield() end
      handler.handle(fake.event("event_member_update", member()), context)
    end)
    coroutine.resume(dropped)
    local event = fake.event("event_member_update", member())
    at_ms = 20000
    local ok, message = handler.handle(event, fake.new({ now_ms = 9000000 })) -- an hour ahead
    assert.is_nil(ok)
    assert.are.equal("Salesforce: waited too long for an access token", message)
    at_ms = 40000
    assert.is_true(handler.handle(event, fake.new({ now_ms = 1000, -- and an hour behind
      answers = { token("t"), answer(204) } })))
  end)

  it("says why there is no token, without the secret", function()
    local _, message, kind = run(new(), { answer(400,
      '{"error":"invalid_client","error_description":"invalid client credentials"}') })
    assert.are.equal("Salesforce: the token endpoint answered 400: invalid_client: "
      .. "invalid client credentials", message)
    assert.is_nil(kind)
  end)

  it("says what an answer means", function()
    local handler = new()
    run(handler, { token("t"), answer(204) })
    for code, expected in pairs({
      REQUEST_LIMIT_EXCEEDED = { 403, "retry" }, DUPLICATES_DETECTED = { 400, "fail" },
      REQUIRED_FIELD_MISSING = { 400, "fail" }, UNABLE_TO_LOCK_ROW = { 400, "retry" },
      INSUFFICIENT_ACCESS_OR_READONLY = { 403, "fail" }, API_DISABLED_FOR_ORG = { 403, "retry" },
      NOT_FOUND = { 404, "fail" }, SERVER_UNAVAILABLE = { 503, "retry" } }) do
      local _, message, kind = run(handler, { answer(expected[1],
        ('[{"message":"why","errorCode":"%s"}]'):format(code)) })
      assert.are.equal(("Salesforce answered %d: %s: why"):format(expected[1], code), message)
      assert.are.equal(expected[2], kind, code)
    end
    local _, message, kind = run(handler, { answer(300, '["/services/data/…"]') })
    assert.are.equal("Salesforce has several records with this external id", message)
    assert.are.equal("fail", kind)
    assert.are.equal("Salesforce: reset",
      (select(2, run(handler, { { false, "reset", "unknown" } }))))
  end)

  it("does not let an id lead elsewhere", function()
    local _, message, kind, context = run(new(), {}, fake.event("event_member_update",
      member({ member_id = ".." })))
    assert.is_truthy(message:find("would lead to another path", 1, true))
    assert.are.equal("fail", kind)
    assert.are.equal(0, #context.requests)
  end)

  it("refuses wrong settings", function()
    for message, given in pairs({
      ["crm.salesforce.url: expected the My Domain, https://NAME.my.salesforce.com"] =
        { url = "x" },
      ["crm.salesforce.client_id: expected the consumer key of the app"] = { client_id = "a b" },
      ["crm.salesforce.object: expected an API name"] = { object = "Contact/x" },
      ['crm.salesforce.api_version: expected a version like "v66.0"'] = { api_version = "66" },
      ["crm.salesforce.mapping.Loyalty_Member_Id__c: the id stands in the URL; Salesforce refuses "
        .. "it in the fields"] = { mapping = { Loyalty_Member_Id__c = "member_info.member_id" } },
    }) do
      local all = {}
      for _, part in ipairs({ GIVEN, given }) do
        for name, value in pairs(part) do
          all[name] = value
        end
      end
      local handler, got, code = salesforce.new(all)
      assert.is_nil(handler)
      assert.are.equal(message, got)
      assert.are.equal("config", code)
    end
  end)
end)
