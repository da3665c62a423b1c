-- What a mail about notices says.

local content = require("loyalhook.notices.content")

local AT_MS = 1767348005000 -- 2026-01-02 10:00:05

local function sum(kind, reason, count, first_ms, last_ms)
  return { kind = kind, reason = reason, count = count, first_ms = first_ms or AT_MS,
    last_ms = last_ms or AT_MS }
end

local function entry(changes)
  local made = { request_id = "61f11851bdfb9aac526d0c70", state = "failed",
    reason = "retries_exhausted", failed_ms = AT_MS, total_count = 50, attempts_made = 6,
    outcome = "answered", status = 500, response = "out of order" }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

local function said(changes)
  local mailing = { sums = { sum("failed", "retries_exhausted", 1) }, entries = { entry() },
    webhook = { id = "61f11851bdfb9aac526d0c71", name = "crm", account = "default",
      url = "https://user:secret@example.com/hook?token=secret", status = "enabled",
      status_since_ms = AT_MS } }
  for name, value in pairs(changes or {}) do
    if name == "webhook" then
      for field, inner in pairs(value) do
        mailing.webhook[field] = inner
      end
    else
      mailing[name] = value
    end
  end
  return content.of(mailing)
end

local function commands(about)
  local list = {}
  for index, step in ipairs(about.steps) do
    list[index] = step[2]
  end
  return list
end

describe("content.of", function()
  it("says what failed, of what, why, and which commands help", function()
    local about = said()
    assert.are.equal("Webhook crm: 1 request failed", about.subject)
    assert.are.same({ "1 request failed at 2026-01-02 10:00:05 UTC. Nothing is lost: what failed"
      .. " can be sent again." }, about.sentences)
    assert.are.same({ { "Webhook", "crm" }, { "URL", "https://example.com/hook" },
      { "Account", "default" }, { "Status now",
        "enabled: new events are being sent (since 2026-01-02 10:00:05 UTC)" } }, about.facts)
    assert.are.same({ { count = "1", text = "every attempt of its budget failed",
      name = "retries_exhausted" } }, about.reasons)
    assert.are.same({ { id = "61f11851bdfb9aac526d0c70", text = "50 events, 6 attempts, failed at"
      .. " 2026-01-02 10:00:05 UTC (retries_exhausted)",
      last = "last attempt was answered 500 (out of order)" } }, about.requests)
    assert.are.equal(0, about.more)
    assert.are.same({ "loyalhook request list --state failed --webhook crm",
      "loyalhook retry --failed --webhook crm" }, commands(about))
  end)

  it("tells of a pause first, and to enable before retrying", function()
    local about = said({ sums = { sum("failed", "paused", 9995, AT_MS, AT_MS + 60000),
      sum("failed", "retries_exhausted", 5, AT_MS - 60000, AT_MS), sum("paused", "failures", 1) },
      webhook = { status = "paused", account = "shop-7" } })
    assert.are.equal("Webhook crm was paused: 10,000 requests failed", about.subject)
    assert.are.equal("It was paused at 2026-01-02 10:00:05 UTC, because too many of its requests"
      .. " failed in a row.", about.sentences[1])
    assert.is_truthy(about.sentences[2]:find("^10,000 requests failed between 2026%-01%-02 09:59:05"
      .. " and 2026%-01%-02 10:01:05 UTC"))
    assert.are.equal(9999, about.more)
    assert.are.same({ "9,995", "5" }, { about.reasons[1].count, about.reasons[2].count })
    assert.are.same({ "loyalhook request list --state failed --webhook crm --account shop-7",
      "loyalhook webhook enable crm --account shop-7",
      "loyalhook retry --failed --webhook crm --account shop-7" }, commands(about))
  end)

  it("tells of an unreadable secret", function()
    local about = said({ sums = { sum("paused", "secret_unreadable", 1) }, entries = {},
      webhook = { status = "paused" } })
    assert.are.equal("Webhook crm was paused", about.subject)
    assert.is_truthy(about.sentences[1]:find("its secret does not decrypt", 1, true))
    -- enabling it alone would be refused
    assert.are.same({ "loyalhook webhook rotate-secret crm --now", "loyalhook webhook enable crm" },
      commands(about))
    assert.is_truthy(about.steps[1][1]:find("key file", 1, true))
    assert.is_nil(about.steps[2][1]:find("endpoint", 1, true))
  end)

  it("counts the pauses of one mail", function()
    local about = said({ sums = { sum("paused", "failures", 3) }, entries = {} })
    assert.are.equal("It was paused 3 times, last at 2026-01-02 10:00:05 UTC, because too many of"
      .. " its requests failed in a row.", about.sentences[1])
  end)

  it("promises and offers nothing for a webhook that was deleted since", function()
    local about = said({ webhook = { status = "deleted" } })
    -- its name is free: another webhook may have it by now
    assert.are.same({ "loyalhook request list --state failed --webhook 61f11851bdfb9aac526d0c71" },
      commands(about))
    assert.are.same({ "1 request failed at 2026-01-02 10:00:05 UTC. The webhook was deleted since,"
      .. " so what failed cannot be sent again." }, about.sentences)
  end)

  it("says what has become of a request since, and names it once", function()
    local about = said({ entries = { entry({ state = "delivered" }), entry({ state = "delivered" }),
      entry({ request_id = "61f11851bdfb9aac526d0c72", attempts_made = 0, reason = "paused" }) },
      sums = { sum("failed", "retries_exhausted", 3) } })
    assert.are.equal(2, #about.requests)
    assert.is_truthy(about.requests[1].text:find("; meanwhile it is delivered", 1, true))
    assert.is_nil(about.requests[2].last)
    assert.are.equal(0, about.more)
  end)

  it("makes foreign text harmless", function()
    local about = said({
      webhook = { name = "c\226\128\174rm\27[31m", url = "https://h.example/\27]0;x\7" },
      entries = { entry({ response = "click\r\nhttps://u:pw@evil.example/x?token=1 \27[2J now" }),
        entry({ request_id = "61f11851bdfb9aac526d0c72", status = 0, outcome = "connect",
          error = "no such https://evil.example?q=1 \226\128\174" }) } })
    assert.are.equal("last attempt was answered 500 (click https: //evil.example/x [2J now)",
      about.requests[1].last)
    assert.are.equal("last attempt could not connect (no such https: //evil.example)",
      (about.requests[2].last:gsub("%s+%)", " )")))
    assert.are.equal("crm[31m", about.facts[1][2])
    assert.are.equal("https://h.example/]0;x", about.facts[2][2])
    -- such a name cannot be typed: the id stands for it
    assert.are.equal("loyalhook retry --failed --webhook 61f11851bdfb9aac526d0c71",
      commands(about)[2])
  end)

  it("quotes a name for the shell", function()
    local list = commands(said({ webhook = { name = "it's $(reboot)" } }))
    assert.are.equal("loyalhook retry --failed --webhook 'it'\\''s $(reboot)'", list[2])
  end)

  it("is not impressed by per cent signs", function()
    assert.are.equal("Webhook 100%1 %s: 1 request failed",
      said({ webhook = { name = "100%1 %s" } }).subject)
  end)
end)
