-- Explanations: each situation has a verdict, a sentence that says what holds, and the command that
-- helps, if one does.

local explain = require("loyalhook.explain")
local commands = require("loyalhook.explain.commands")
local words = require("loyalhook.explain.words")

local NOW = 1767348000000 -- 2026-01-02 10:00:00 UTC
local ID = "61f11851bdfb9aac526d0c70"

local function row(changes)
  local made = { covered = true, mode = "deliver", reason = "", event_types = { "*" },
    subscribed = true, passed = false, in_flight = 0, failing = 0, next_start_ms = 0,
    due_ms = NOW, webhook = { id = "w", name = "crm", account = "default", status = "enabled",
      status_reason = "", batch_size = 100, batch_wait_ms = 0, max_in_flight = 4, ordered = false,
      created_ms = NOW - 5000 } }
  for name, value in pairs(changes or {}) do
    if name == "webhook" then
      for key, setting in pairs(value) do
        made.webhook[key] = setting
      end
    else
      made[name] = value
    end
  end
  return made
end

local function request(state, changes)
  local made = { request_id = ID, state = state, reason = "", total_count = 1, attempts_made = 1,
    attempts = { { number = 1, started_ms = NOW - 60000, duration_ms = 12, status = 500,
      outcome = "answered", response = "Internal\nServer Error" } } }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

local function about(changes)
  local made = { event_type = "event_points_earned", created_ms = NOW - 90000, now_ms = NOW,
    workers = 1 }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

-- Every situation: row, what is known beside it, verdict, what the sentence must say, hint.
local SITUATIONS = {
  { row { request = request("delivered", { finished_ms = NOW, attempts_made = 2, attempts = {
      { number = 1, status = 500, outcome = "answered" },
      { number = 2, status = 200, outcome = "answered" } } }) },
    "delivered", "delivered by attempt 2 of request " .. ID, "1 min 30 s after" },
  { row { request = request("delivered", { finished_ms = NOW, total_count = 3, attempts = {
      { number = 1, status = 200, outcome = "answered" },
      { number = 2, status = 500, outcome = "answered" } } }) },
    "delivered", "by attempt 1 of", ID .. " (with 2 other events), at" },
  { row { request = request("failed", { reason = "retries_exhausted", finished_ms = NOW - 3000,
      attempts_made = 6 }) },
    "failed", "(3 s ago), after 6 attempts: every attempt of its budget failed",
    hint = "loyalhook retry " .. ID },
  { row { webhook = { status = "paused" }, request = request("failed", { reason = "paused",
      finished_ms = NOW, attempts_made = 0 }) },
    "failed", "without an attempt: its webhook was paused",
    hint = "loyalhook webhook enable crm && loyalhook retry " .. ID },
  { row { webhook = { status = "deleted" }, request = request("failed", { reason = "deleted",
      finished_ms = NOW }) },
    "failed", "cannot be retried" },
  { row { request = request("retrying", { next_attempt_ms = NOW + 240000 }) },
    "retrying", "attempted once without success; attempt 2 is due at",
    "2026-01-02 10:04:00 UTC (in 4 min)" },
  { row { request = request("retrying", { next_attempt_ms = NOW - 1000 }) },
    "retrying", "attempt 2 is due now" },
  { row { failing = 3, next_start_ms = NOW + 8000,
      request = request("retrying", { next_attempt_ms = NOW - 1000 }) },
    "retrying", "due at 2026-01-02 10:00:08 UTC" },
  { row { request = request("retrying", { next_attempt_ms = NOW }) }, { workers = 0 },
    "retrying", "no worker is running", hint = "loyalhook work" },
  { row { stopped = true, webhook = { status = "paused" },
      request = request("retrying", { next_attempt_ms = NOW }) },
    "retrying", "will list it as failed",
    hint = "loyalhook webhook enable crm && loyalhook retry --failed --webhook crm" },
  { row { request = request("pending", { attempts_made = 0, next_attempt_ms = NOW + 1000 }) },
    "waiting", "ran short of something" },
  { row { request = request("sending", { attempts_made = 2 }) }, "sending", "attempt 2 of" },
  { row { request = request("sending") }, { workers = 0 }, "sending", "its worker is gone",
    hint = "loyalhook work" },
  { row { covered = false }, "created_later", "created at 2026-01-02 09:59:55 UTC (5 s ago)" },
  { row { mode = "skip", webhook = { status = "disabled" } }, "disabled", "it was disabled when",
    hint = "loyalhook webhook enable crm", enabling_helps = true },
  { row { mode = "skip" }, "disabled", "it was disabled when the event was emitted" },
  { row { mode = "skip", webhook = { status = "deleted" } }, "disabled",
    "it was disabled when the event was emitted" },
  { row { subscribed = false, event_types = { "category:member", "event_tier_changed" } },
    "not_subscribed", "wanted only category:member, event_tier_changed, not event_points_earned",
    hint = "loyalhook webhook show crm" },
  { row { passed = true }, "expired", "retention_days" },
  { row(), "waiting", "in a worker's next turn" },
  { row(), { workers = 0 }, "waiting", "no worker is running", hint = "loyalhook work" },
  { row { failing = 2, next_start_ms = NOW + 2000 }, "waiting",
    "last attempt failed, so it gets one at a time, the next not before 2026-01-02 10:00:02" },
  { row { in_flight = 4 }, "waiting", "4 requests are being sent", "max_in_flight" },
  { row { in_flight = 1, webhook = { ordered = true } }, "waiting", "1 request is being sent",
    "ordered" },
  { row { due_ms = NOW + 500, webhook = { batch_wait_ms = 1000 } }, "waiting",
    "fill its batch (batch_wait_ms 1000)" },
  { row { due_ms = NOW + 60000, webhook = { ordered = true } }, "waiting",
    "an earlier request of this webhook goes first" },
  -- an ordered webhook whose earlier request waits for its retry longer than the back-off lasts
  { row { failing = 1, next_start_ms = NOW - 2000, due_ms = NOW + 60000,
      webhook = { ordered = true } },
    "waiting", "an earlier request of this webhook goes first, at 2026-01-02 10:01:00 UTC" },
  { row { failing = 1, next_start_ms = NOW + 500, due_ms = NOW + 60000,
      webhook = { ordered = true } },
    "waiting", "an earlier request of this webhook goes first, at 2026-01-02 10:01:00 UTC" },
  { row { failing = 1, next_start_ms = NOW - 2000 }, "waiting", "in a worker's next turn" },
  { row { mode = "fail", reason = "paused", next_start_ms = NOW + 30000,
      webhook = { status = "paused", status_reason = "failures" } },
    "waiting", "paused (failures)", "(in 30 s) or when 100 are there",
    hint = "loyalhook webhook enable crm && loyalhook retry --failed --webhook crm" },
  { row { mode = "fail", reason = "disabled", webhook = { status = "enabled" } },
    "waiting", "waiting when the webhook was disabled",
    hint = "loyalhook retry --failed --webhook crm" },
}

describe("explain.webhook", function()
  for number, situation in ipairs(SITUATIONS) do
    local given, known, first = situation[1], nil, 2
    if type(situation[2]) == "table" then
      known, first = situation[2], 3
    end
    it(("knows situation %d: %s"):format(number, situation[first + 1]), function()
      local result = explain.webhook(given, about(known))
      assert.are.equal(situation[first], result.verdict)
      assert.are.equal(situation.enabling_helps or false,
        result.explanation:find("enabling it", 1, true) ~= nil)
      for index = first + 1, #situation do
        assert.is_truthy(result.explanation:find(situation[index], 1, true), result.explanation)
      end
      assert.are.equal(situation.hint, result.hint)
    end)
  end
end)

describe("explain.event", function()
  it("says when nobody wanted it", function()
    assert.is_truthy(explain.event({}, about()):find("existed"))
    assert.is_truthy(explain.event({ row { covered = false } }, about()):find("existed"))
    assert.is_truthy(explain.event({ row { covered = false }, row { subscribed = false } },
      about()):find("wanted it"))
    assert.is_nil(explain.event({ row { covered = false }, row() }, about()))
  end)
end)

describe("words", function()
  it("has lengths of time in their two largest units", function()
    assert.are.equal("0 ms", words.length(0))
    assert.are.equal("999 ms", words.length(999))
    assert.are.equal("1 s", words.length(1999))
    assert.are.equal("4 min 12 s", words.length(252000))
    assert.are.equal("1 h", words.length(3600000))
    assert.are.equal("3 d 2 h", words.length(3 * 86400000 + 2 * 3600000 + 5))
  end)

  it("has moments and how far they are", function()
    assert.are.equal("2026-01-02 10:00:00 UTC (now)", words.when(NOW, NOW + 999))
    assert.are.equal("2026-01-02 10:00:00 UTC (in 1 s)", words.when(NOW, NOW - 1000))
    assert.are.equal("2026-01-02 10:00:00 UTC (2 h ago)", words.when(NOW, NOW + 7200000))
  end)

  it("has attempts, each outcome in its own words", function()
    local function attempt(changes)
      local made = request("failed").attempts[1]
      for name, value in pairs(changes) do
        made[name] = value
      end
      return words.attempt(made)
    end
    assert.are.equal("attempt 1, 2026-01-02 09:59:00 UTC: was answered 500 after 12 ms"
      .. " (Internal Server Error)", attempt{})
    assert.are.equal("attempt 1, 2026-01-02 09:59:00 UTC: was answered 200 after 12 ms",
      attempt{ status = 200, response = "thanks" })
    assert.is_truthy(attempt{ status = 200, error = "answered before the whole body was sent" }
      :find("(answered before", 1, true))
    for outcome, said in pairs{ timeout = "no answer in time", connect = "could not connect",
      dns = "could not find", tls = "secure connection", blocked = "not allowed",
      protocol = "not HTTP", secret = "secret cannot be used" } do
      local text = attempt{ outcome = outcome, status = 0, error = "the detail" }
      assert.is_truthy(text:find(said, 1, true), text)
      assert.is_truthy(text:find("(the detail)", 1, true), text)
    end
    assert.is_truthy(attempt{ outcome = "lost", status = 0, duration_ms = -1, error = "gone" }
      :find("no known end: its worker ended before$"))
  end)

  it("cuts foreign text at a character", function()
    local text = words.snippet(("é"):rep(100))
    assert.are.equal(("é"):rep(60) .. "…", text)
    assert.are.equal("a b c", words.snippet("  a\r\n\tb   c"))
  end)
end)

describe("commands", function()
  it("can be typed as they are", function()
    assert.are.equal("loyalhook webhook enable 'my shop' --account shop-7",
      commands.webhook("enable", { name = "my shop", account = "shop-7" }))
    assert.are.equal([[loyalhook webhook show 'it'\''s']],
      commands.webhook("show", { name = "it's", account = "default" }))
  end)

  it("name a webhook by its id where its name would not do", function()
    -- taken for an option, not shown as it is, free for another one
    for _, odd in ipairs{ { name = "--failed" }, { name = "a\226\128\174b" },
      { name = "crm", status = "deleted" } } do
      odd.id, odd.account = ID, "shop-7"
      assert.are.equal("loyalhook request list --state failed --webhook " .. ID,
        commands.list_failed(odd))
    end
    assert.are.equal("loyalhook webhook show " .. ID,
      commands.webhook("show", { id = ID, name = "crm", account = "-shop" }))
  end)
end)
