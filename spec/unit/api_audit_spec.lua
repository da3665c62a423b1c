-- The audit log of what is changed over the API: each change has its entry, with whom and what it
-- is about; what changes nothing has none, and no secret stands there. That an entry and its change
-- are one transaction is shown in spec/contract.

local core = require("loyalhook.core")
local harness = require("harness.api")
local json = require("loyalhook.json")
local loyalhook = require("loyalhook")

describe("over the API a change is noted", function()
  local here, anna

  before_each(function()
    here = harness.new()
    anna = here:user("anna", "admin")
  end)

  after_each(function()
    here:close()
  end)

  -- Asks as anna; it must be answered `wanted`.
  local function ask(method, path, body, wanted)
    local status, read = here:ask(anna, method, "/api/v1/" .. path, body)
    assert(status == (wanted or 200), ("%s: %d: %s"):format(path, status, tostring(read.detail)))
    return read
  end

  -- The entries of anna's since the last call, oldest first: { what, object, account, detail }.
  local seen = 0
  local function noted()
    local fresh = {}
    for _, entry in ipairs(assert(here.access:audit{ who = "user:anna" })) do
      if entry.id > seen and not entry.what:find("^login%.") then
        table.insert(fresh, 1, { entry.what, entry.object or false, entry.account or false,
          entry.detail or false })
      end
    end
    seen = assert(here.access:audit{ limit = 1 })[1].id
    return fresh
  end

  before_each(function()
    seen = 0
  end)

  it("of a webhook", function()
    local made = ask("POST", "webhooks", { name = "crm", account = "shop-7", event_types = { "*" },
      url = "http://127.0.0.1:1/crm?token=hidden", secret = "hidden secret of mine",
      headers = { Authorization = "hidden" } }, 201)
    local id, one = made.id, "webhooks/" .. made.id
    assert.are.same({ { "webhook.create", id, "shop-7", { name = "crm", account = "shop-7",
      event_types = { "*" }, url = "http://127.0.0.1:1/crm", headers = "set" } } }, noted())
    ask("PATCH", one, { batch_size = 5, headers = { ["X-Key"] = "hidden" },
      url = "http://127.0.0.1:1/b?key=hidden" })
    assert.are.same({ { "webhook.edit", id, "shop-7", { batch_size = 5, headers = "set",
      url = "http://127.0.0.1:1/b" } } }, noted())
    ask("POST", one .. "/rotate-secret", { secret = "another hidden one", overlap_s = 60 })
    ask("POST", one .. "/test", {})
    ask("POST", one .. "/disable", {})
    ask("POST", one .. "/enable", {})
    ask("DELETE", one)
    assert.are.same({ { "webhook.rotate_secret", id, "shop-7", { overlap_s = 60 } },
      { "webhook.test", id, "shop-7", { event_type = "event_points_earned" } },
      { "webhook.disable", id, "shop-7", false }, { "webhook.enable", id, "shop-7", false },
      { "webhook.delete", id, "shop-7", false } }, noted())
    for _, entry in ipairs(assert(here.access:audit{ limit = 100 })) do
      assert.is_nil(json.encode(entry.detail or {}):find("hidden", 1, true))
    end
  end)

  it("of requests that are retried", function()
    local webhook = ask("POST", "webhooks", { name = "crm", url = "http://127.0.0.1:1/",
      event_types = { "*" }, retries_max = 0, pause_after = 1 }, 201)
    assert(here.sender:emit_json("event_points_earned", "{}"))
    here:work()
    noted()
    local resumed = ask("POST", "webhooks/" .. webhook.id .. "/enable", { retry_failed = true })
    assert.are.equal("paused", resumed.job.reason)
    assert.are.same({ { "webhook.enable", webhook.id, "default", { retry_failed = true } } },
      noted())
    local request = assert(here.sender:requests{})[1].request_id
    ask("POST", "requests/retry", { request_ids = { request, core.id() } })
    assert.are.same({ { "request.retry", false, false, { asked = 2, retried = 1 } } }, noted())
    local job = ask("POST", "requests/retry-failed", { webhook = webhook.id,
      reason = "paused" }, 202)
    assert.are.same({ { "request.retry_failed", job.id, "default",
      { webhook = webhook.id, reason = "paused" } } }, noted())
  end)

  it("of an account", function()
    ask("PATCH", "accounts/shop-7", { notify = { "ops@example.com" } })
    ask("PATCH", "accounts/shop-7", { notify = json.null })
    assert.are.same({ { "account.edit", "shop-7", "shop-7", { notify = { "ops@example.com" } } },
      { "account.edit", "shop-7", "shop-7", { notify = json.null } } }, noted())
  end)

  -- An event whose task fails at once, whenever a worker runs.
  local function work()
    local worker = assert(loyalhook.worker.new{ receiver = here.receiver, log = function() end,
      handlers = { { name = "crm", event_types = { "*" }, tries = 1, from = "start",
        handle = function()
          return nil, "no", "refused"
        end } } })
    assert(worker:run{ until_idle = true, catch_signals = false })
    worker:close()
  end

  it("of tasks that are retried, and of a handler that is forgotten", function()
    local nonce = ("%d"):format(core.now_ms())
    local body = '{"id":"e-1","event_type":"event_points_earned","data":{}}'
    body = '{"events":[' .. body .. "]}"
    assert.are.equal(200, (here.receiver:accept("zinrelo", { nonce = nonce,
      ["x-zinrelo-signature"] = require("loyalhook.signature").sign{ body = body, nonce = nonce,
        secret = "a secret of 16 bytes" } }, body)))
    work()
    ask("POST", "inbox/retry", { tasks = { { id = "e-1" }, { id = "e-2" } } })
    work()
    assert.are.equal(1, ask("POST", "inbox/retry-failed", { handler = "crm",
      source = "zinrelo" }).count)
    work()
    ask("DELETE", "handlers/crm")
    assert.are.same({ { "inbox.retry", false, false, { asked = 2, retried = 1 } },
      { "inbox.retry_failed", false, false, { count = 1, handler = "crm", source = "zinrelo" } },
      { "handler.forget", "crm", false, false } }, noted())
  end)

  it("of a test mail, before it is sent", function()
    here.api.test_mail = function(_, before)
      assert(before({ "c@d.example" }))
      assert.are.same({ { "notices.test_mail", false, false, { to = { "c@d.example" } } } },
        noted())
      return { verdict = "refused", duration_ms = 3, url = "smtp://mx", from = "a@b.example",
        to = json.array{ "c@d.example" } }
    end
    ask("POST", "notices/test-mail", { to = { "c@d.example" } })
  end)

  it("and of a login that ends", function()
    assert.are.equal(204, (here:ask(anna, "DELETE", "/api/v1/session")))
    local entry = assert(here.access:audit{ what = "login.end" })[1]
    assert.are.equal("user:anna", entry.who)
  end)

  it("only if there is one", function()
    local made = ask("POST", "webhooks", { name = "crm", url = "http://127.0.0.1:1/",
      event_types = { "*" } }, 201)
    ask("PATCH", "accounts/default", { notify = { "ops@example.com" } })
    noted()
    local one = "webhooks/" .. made.id
    ask("POST", one .. "/enable", {})
    ask("POST", one .. "/enable", { retry_failed = true }, 409)
    ask("PATCH", one, { batch_size = 0 }, 422)
    ask("POST", "webhooks", { name = "crm", url = "http://127.0.0.1:1/2", event_types = { "*" } },
      409)
    ask("POST", one .. "/rotate-secret", { secret = "short" }, 422)
    ask("POST", "requests/retry", { request_ids = { core.id() } })
    ask("POST", "requests/retry-failed", { account = "nobody" }, 404)
    ask("POST", "requests/retry-failed", { dry_run = true })
    ask("PATCH", "accounts/default", { notify = { "ops@example.com" } })
    ask("POST", "inbox/retry", { tasks = { { id = "e-1" } } })
    ask("POST", "inbox/retry-failed", {})
    ask("DELETE", "handlers/crm", nil, 404)
    assert.are.same({}, noted())
  end)
end)
