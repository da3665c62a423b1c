-- The log of requests, the inbox, notices, figures over the API, on a real store.

local core = require("loyalhook.core")
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

  describe("requests", function()
    local function fail(count)
      here:create("crm", { batch_size = 1 })
      for number = 1, count do
        here:post("events", { event_type = EARNED,
          data = { member_info = { member_id = "m" .. number } } }, 202)
      end
      here:work()
    end

    it("are listed by every filter, page by page", function()
      fail(3)
      local all = here:get("requests").requests
      assert.are.equal(3, #all)
      assert.are.equal(json.null, all[1].next_attempt_at)
      local page = here:get("requests?limit=2")
      assert.are.equal(2, #page.requests)
      assert.are.equal(all[3].request_id, here:get("requests?limit=2&after=" .. page.next)
        .requests[1].request_id)
      local function count(query)
        return #here:get("requests?" .. query).requests
      end
      assert.are.equal(3, count("state=failed&account=default"))
      assert.are.equal(0, count("state=delivered"))
      assert.are.equal(1, count("member=m2"))
      assert.are.equal(1, count("event=" .. all[1].event_ids[1]))
      assert.are.equal(3, count("event_type=" .. EARNED))
      assert.are.equal(0, count("event_type=event_member_enrol"))
      assert.are.equal(3, count("since=1h"))
      assert.are.equal(0, count("until=1h"))
      assert.are.equal(3, count("webhook=" .. all[1].webhook_id))
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/requests?webhook=" .. UNKNOWN)))
    end)

    it("are shown with attempts and their exact body", function()
      fail(1)
      local id = here:get("requests").requests[1].request_id
      local shown = here:get("requests/" .. id)
      assert.are.equal(1, #shown.attempts)
      assert.are.equal(json.null, shown.attempts[1].status)
      assert.is_string(shown.attempts[1].explanation)
      assert.is_false(shown.attempts[1].sent)
      local text = select(2, here:get("requests/" .. id)).body
      local signed = ('{"Content-Type":"application/json","nonce":"%s",'
        .. '"x-zinrelo-signature":"'):format(shown.attempts[1].nonce)
      assert.is_not_nil(text:find('"headers":' .. signed, 1, true), text)
      local _, response = here:get("requests/" .. id .. "/body")
      assert.are.equal(here.sender:request_body(id), response.body)
      for _, path in ipairs{ "", "/body" } do
        assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/requests/" .. UNKNOWN .. path)))
      end
    end)

    it("show the values of own headers to those who may set them", function()
      local webhook = here:webhook("crm", { retries_max = 0,
        headers = { Authorization = "Bearer hush", ["X-Shop"] = "hush-7" } })
      local event = here:post("events", { event_type = EARNED, data = {} }, 202).ids[1]
      here:work()
      local id = here:get("requests").requests[1].request_id
      here:user("anna", "admin")
      local readers = { reads, here:user("vera", "viewer") }
      local paths = { "webhooks", "webhooks/" .. webhook.id, "requests/" .. id,
        "events/" .. event .. "/explain" }
      for _, path in ipairs(paths) do
        local _, _, response = here:ask(writes, "GET", "/api/v1/" .. path)
        assert.is_not_nil(response.body:find('"Authorization":"Bearer hush"', 1, true), path)
        for _, reader in ipairs(readers) do
          _, _, response = here:ask(reader, "GET", "/api/v1/" .. path)
          assert.is_nil(response.body:find("hush", 1, true), path)
          assert.is_not_nil(response.body:find('"X-Shop":"***"', 1, true), path)
        end
      end
      local shown = select(2, here:ask(reads, "GET", "/api/v1/requests/" .. id)).attempts[1]
      assert.are.equal(shown.nonce, shown.headers.nonce)
      assert.matches("^%x+$", shown.headers["x-zinrelo-signature"])
      here:webhook("plain")
      local _, _, response = here:ask(reads, "GET", "/api/v1/webhooks")
      assert.is_not_nil(response.body:find('"headers":{}', 1, true), response.body)
    end)

    it("are retried, chosen or all that failed", function()
      fail(2)
      local rows = here:get("requests").requests
      local done = here:post("requests/retry", { request_ids = { rows[1].request_id, UNKNOWN,
        rows[1].request_id } }).requests
      assert.are.equal(2, #done)
      assert.are.equal("retried", done[1].outcome)
      assert.are.equal("unknown", done[2].outcome)
      assert.are.equal("request.retry", here:last_note().what)
      local dry = here:post("requests/retry-failed", { dry_run = true, since = "1h" })
      assert.are.same({ total = 1 }, dry)
      assert.are.same({ total = 0 }, here:post("requests/retry-failed", { dry_run = true,
        ["until"] = "2020-01-01T00:00:00Z" }))
      assert.are.same({ total = 0 }, here:post("requests/retry-failed", { dry_run = true,
        reason = "paused" }))
      here:work() -- so that the one retried has failed again: a job means what failed before it
      local job, response = here:post("requests/retry-failed", { webhook = rows[1].webhook_id,
        reason = "retries_exhausted" }, 202)
      assert.are.equal("/api/v1/jobs/" .. job.id, response.headers.Location)
      assert.are.equal("retries_exhausted", job.reason)
      here:work()
      assert.are.equal(2, here:get("jobs/" .. job.id).retried)
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/jobs/" .. UNKNOWN)))
      -- A page behind one that is gone is not the end of the list.
      assert.are.equal(400, (here:ask(reads, "GET", "/api/v1/jobs?after=" .. UNKNOWN)))
      assert.are.equal(404, (here:ask(writes, "POST", "/api/v1/requests/retry-failed",
        { webhook = UNKNOWN })))
      here:post("requests/retry-failed", { account = "nobody" }, 404)
      here:post("webhooks/" .. rows[1].webhook_id .. "/disable")
      assert.are.equal("refused", here:post("requests/retry",
        { request_ids = { rows[1].request_id } }).requests[1].outcome)
      here:post("requests/retry-failed", { webhook = rows[1].webhook_id }, 409)
    end)

    it("show answers that are no text without harm", function()
      local render = require("loyalhook.api.render")
      assert.are.equal('{"response":"a\239\191\189\\u0000<script>"}',
        render.text({ response = "a\255\0<script>" }))
    end)
  end)

  describe("the inbox", function()
    local function receive(ids)
      local events = {}
      for index, id in ipairs(ids) do
        events[index] = ('{"id":"%s","event_type":"%s","data":{"n":1.0}}'):format(id, EARNED)
      end
      local body = '{"events":[' .. table.concat(events, ",") .. "]}"
      local nonce = ("%d"):format(core.now_ms())
      local signature = require("loyalhook.signature").sign{ secret = "a secret of 16 bytes",
        body = body, nonce = nonce }
      assert.are.equal(200, (here.receiver:accept("zinrelo",
        { nonce = nonce, ["x-zinrelo-signature"] = signature }, body)))
    end

    it("is listed and shown", function()
      receive{ "e-1", "e/2 ä" }
      local page = here:get("inbox?limit=1")
      assert.are.equal("e/2 ä", page.events[1].id)
      assert.are.equal("done", page.events[1].state)
      assert.are.equal("e-1", here:get("inbox?limit=1&after=" .. page.next).events[1].id)
      assert.are.equal(0, #here:get("inbox?state=failed").events)
      assert.are.equal(2, #here:get("inbox?source=zinrelo&since=1h&event_type=" .. EARNED).events)
      local status, _, response = here:ask(reads, "GET",
        "/api/v1/inbox/e%2F2%20%C3%A4?source=zinrelo")
      assert.are.equal(200, status)
      assert.is_truthy(response.body:find('"data":{"n":1.0}', 1, true))
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/inbox/e-3")))
      assert.are.equal(400, (here:ask(reads, "GET", "/api/v1/inbox?state=paused")))
    end)

    it("has tasks that are retried, and handlers", function()
      receive{ "e-1" }
      assert.are.same({}, here:get("handlers").handlers)
      local done = here:post("inbox/retry", { tasks = { { id = "e-1", handler = "email" } } })
      assert.are.equal("unknown", done.tasks[1].outcome)
      here:post("inbox/retry", { tasks = { { source = "x" } } }, 422)
      local swept = here:post("inbox/retry-failed", { dry_run = true, since = "2h" })
      assert.are.equal(0, swept.count)
      assert.are.equal(json.null, swept.next)
      assert.matches("^%d%d%d%d%-", swept.failed_before)
      assert.are.equal(404, (here:ask(writes, "DELETE", "/api/v1/handlers/email")))
    end)

    it("may be missing", function()
      here.api.receiver = nil
      assert.are.equal(409, (here:ask(reads, "GET", "/api/v1/inbox")))
      assert.are.equal(200, (here:ask(reads, "GET", "/metrics")))
    end)
  end)

  describe("notices and accounts", function()
    it("are listed and set", function()
      here:create("crm", { pause_after = 1 })
      here:post("events", { event_type = EARNED, data = { a = 1 } }, 202)
      here:work()
      local notices = here:get("notices").notices
      assert.are.equal(2, #notices)
      assert.is_false(notices[1].mailed)
      assert.are.equal(1, #here:get("notices?limit=1&after=" .. notices[1].id).notices)
      local function set(notify)
        return here:ask(writes, "PATCH", "/api/v1/accounts/shop-7", { notify = notify })
      end
      local status, account = set({ "ops@example.com" })
      assert.are.equal(200, status)
      assert.are.same({ "ops@example.com" }, account.notify)
      assert.are.equal(422, (set({ "no address" })))
      assert.are.equal(422, (set({})))
      assert.are.equal(422, (set({ "a@b.example\r\nBcc: c@d.example" })))
      assert.are.equal(200, (set(json.null)))
      assert.are.equal(json.null, here:get("accounts/shop-7").notify)
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/accounts/nobody")))
      local page = here:get("accounts?limit=1")
      assert.are.equal("default", page.accounts[1].name)
      assert.are.equal("shop-7", here:get("accounts?after=" .. page.next).accounts[1].name)
    end)

    it("can be tried with a mail", function()
      assert.are.equal("unconfigured", here:post("notices/test-mail", nil, 409).code)
      local asked
      here.api.test_mail = function(to)
        asked = to
        return { verdict = "accepted", status = 250, duration_ms = 3, url = "smtp://mx",
          from = "a@b.example", to = json.array{ "c@d.example" } }
      end
      assert.are.equal("accepted",
        here:post("notices/test-mail", { to = { "c@d.example" } }).verdict)
      assert.are.same({ "c@d.example" }, asked)
      here.api.test_mail = function()
        return nil, "notices.to names nobody", "config"
      end
      assert.are.equal("unconfigured", here:post("notices/test-mail", nil, 409).code)
    end)
  end)

  describe("figures", function()
    it("are those of sender:stats", function()
      here:create("crm")
      here:post("events", { event_type = EARNED, data = { a = 1 } }, 202)
      here:work()
      local stats = here:get("stats")
      assert.are.equal(1, stats.requests.failed)
      assert.are.equal(1, stats.per_webhook[1].recent.failed)
      assert.are.equal(json.null, stats.per_webhook[1].last_delivered_at)
      local one = here:get("stats?webhook=" .. stats.per_webhook[1].webhook_id .. "&since=24h")
      assert.are.equal(json.null, one.per_webhook)
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/stats?webhook=" .. UNKNOWN)))
    end)

    it("come as points without gaps", function()
      here:create("crm")
      here:post("events", { event_type = EARNED, data = { a = 1 } }, 202)
      here:work()
      for query, most in pairs{ [""] = 290, ["?from=1h&step=60"] = 14, ["?from=7d"] = 1000,
        ["?from=7d&step=86400"] = 9, ["?from=365d"] = 1000, ["?from=2100-01-01"] = 1,
        ["?step=604800&from=1h"] = 1 } do
        local series = here:get("stats/series" .. query)
        local points, sum = series.points, 0
        assert.is_true(#points >= 1 and #points <= most, query .. " " .. #points)
        assert.are.equal(0, series.step % 300)
        for _, point in ipairs(points) do
          sum = sum + point.failed
        end
        assert.are.equal(1, sum)
        assert.are.equal(series.from, points[1].from)
      end
      assert.are.equal(404, (here:ask(reads, "GET", "/api/v1/stats/series?webhook=" .. UNKNOWN)))
    end)

    it("come as Prometheus wants them", function()
      here:create('we"ird\\name', { url = "http://127.0.0.1:1/" })
      here:post("events", { event_type = EARNED, data = { a = 1 } }, 202)
      here:work()
      local _, text, response = here:ask(reads, "GET", "/metrics")
      assert.are.equal("text/plain; version=0.0.4; charset=utf-8", response.headers["Content-Type"])
      for _, line in ipairs{ "loyalhook_events_emitted_total 1",
        'loyalhook_attempts_total{outcome="failure"} 1',
        'loyalhook_attempt_duration_seconds_bucket{le="+Inf"} 1',
        'loyalhook_requests{state="failed"} 1', 'loyalhook_webhooks{status="enabled"} 1',
        'name="we\\"ird\\\\name"} 0', "loyalhook_workers 0", "loyalhook_store_writable 1" } do
        assert.is_truthy(text:find(line, 1, true), line)
      end
      assert.are.equal(403, (here:ask(here:token("read", "default"), "GET", "/metrics")))
      assert.are.equal(401, (here:ask(false, "GET", "/metrics")))
      here.api.metrics_public = true
      assert.are.equal(200, (here:ask(false, "GET", "/metrics")))
      assert.are.equal(421, (here:ask(false, "GET", "/metrics", nil, { host = "evil.example" })))
    end)
  end)

  it("the catalogue has a sample of each type", function()
    local catalogue = here:get("catalogue")
    assert.are.equal(20, #catalogue.types)
    assert.are.equal(5, #catalogue.categories)
    for _, entry in ipairs(catalogue.types) do
      assert.is_table(entry.sample.member_info)
    end
    assert.is_nil(here:get("catalogue?samples=false").types[1].sample)
  end)

  it("settings have no secrets", function()
    here.api.settings = { webhooks_max = 3, notices = { smtp = { from = "a@b.example",
      password = "hidden" }, to = { "c@d.example" } },
      sources = { zinrelo = { secrets = { "hidden" } } } }
    local settings, response = here:get("settings")
    assert.are.equal(3, settings.webhooks_max)
    assert.are.equal(30, settings.retention_days)
    assert.are.same({ "zinrelo" }, settings.sources)
    assert.is_true(settings.notices.mail)
    assert.is_nil(response.body:find("hidden", 1, true))
  end)

  it("it is ready when a worker lives", function()
    local status, body = here:ask(false, "GET", "/healthz/ready")
    assert.are.equal(503, status)
    assert.matches("no worker", body.checks.worker)
    local worker = assert(require("loyalhook.worker").new{ sender = here.sender,
      log = function() end })
    worker:step(0)
    status, body = here:ask(false, "GET", "/healthz/ready")
    worker:close()
    assert.are.equal(200, status)
    assert.are.same({ status = "ok", checks = { store = "ok", key = "ok", worker = "ok" } }, body)
  end)
end)
