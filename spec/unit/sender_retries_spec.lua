-- Manual retry through the sender, on a real store whose requests failed at a port where nobody
-- listens. How jobs move is in spec/contract, what workers make of them in spec/scenarios.

local core = require("loyalhook.core")
local loyalhook = require("loyalhook")

local NOWHERE = "http://127.0.0.1:9/"

describe("sender", function()
  local sender, folder

  local function webhook(name, account)
    return assert(sender:create_webhook({ name = name, url = NOWHERE .. name, event_types = { "*" },
      batch_size = 1, retries_max = 0, pause_after = 0, retry_interval_s = 1, account = account }))
  end

  local function emit(count, account)
    local list = {}
    for index = 1, count do
      list[index] = { event_type = "event_points_earned", data = { number = index },
        account = account }
    end
    assert(sender:emit_many(list))
  end

  -- Attempts until nothing is unfinished; no later than a failing webhook's last back-off.
  local function work()
    local worker = assert(loyalhook.worker.new({ sender = sender, log = function() end }))
    repeat
      assert(worker:run({ until_idle = true, catch_signals = false }))
    until #sender:requests({ state = "failed" }) >= 2 or sender._store:pending_work().later == 0
    worker:close()
  end

  local function failed_ids(filter)
    filter = filter or {}
    filter.state = "failed"
    local ids = {}
    for index, request in ipairs(assert(sender:requests(filter))) do
      ids[index] = request.request_id
    end
    return ids
  end

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    sender = assert(loyalhook.sender.open({ store = "sqlite:" .. folder .. "/s.db", create = true,
      allow_http = true, allow_networks = { "127.0.0.0/8" } }))
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  describe("retry", function()
    it("says of each id what became of it, once and in order", function()
      webhook("crm")
      emit(2)
      work()
      local ids, unknown = failed_ids(), core.id()
      assert.are.equal(2, #ids)
      local outcomes = assert(sender:retry({ ids[2], unknown, ids[2], ids[1], unknown }))
      assert.are.same({ { request_id = ids[2], outcome = "retried" },
        { request_id = unknown, outcome = "unknown" },
        { request_id = ids[1], outcome = "retried" } }, outcomes)
      assert.are.equal("not_failed", assert(sender:retry({ ids[1] }))[1].outcome)
      assert.are.equal("retrying", sender:request(ids[1]).state)
    end)

    it("is refused with the command that enables", function()
      local hook = webhook("crm")
      emit(1)
      work()
      assert(sender:disable_webhook(hook.id))
      local outcome = assert(sender:retry(failed_ids()))[1]
      assert.are.equal("refused", outcome.outcome)
      assert.is_not_nil(outcome.message:find("loyalhook webhook enable " .. hook.id, 1, true))
      local nothing, message, code = sender:retry_failed({ webhook = "crm" })
      assert.is_nil(nothing)
      assert.are.equal(outcome.message, message)
      assert.are.equal("refused", code)
    end)

    it("takes any number of ids", function()
      local ids = {}
      for index = 1, 2 * core.limits.retry_many_max + 1 do
        ids[index] = ("%024x"):format(index)
      end
      assert.are.equal(#ids, #assert(sender:retry(ids)))
      assert.are.same({}, sender:retry({}))
    end)

    it("refuses what is no id before it does anything", function()
      webhook("crm")
      emit(1)
      work()
      local good = failed_ids()[1]
      for _, bad in ipairs({ "", "xyz", good:upper() .. "\n", 7, false }) do
        local nothing, message, code = sender:retry({ good, bad })
        assert.is_nil(nothing)
        assert.are.equal("invalid", code)
        assert.is_nil(message:find("%c"))
      end
      assert.are.equal(1, #failed_ids())
      assert.has_error(function() sender:retry(good) end,
        "retry: expected a list of request ids, got string")
    end)
  end)

  describe("retry_failed", function()
    it("counts, then makes a job that steps retry", function()
      webhook("crm")
      webhook("wallet", "shop-7")
      emit(1)
      emit(1, "shop-7")
      work()
      assert.are.same({ dry_run = true, total = 2 }, sender:retry_failed({ dry_run = true }))
      assert.are.equal(1, sender:retry_failed({ webhook = "crm", dry_run = true }).total)
      assert.are.equal(1, sender:retry_failed({ account = "shop-7", dry_run = true }).total)
      assert.are.equal(0, sender:retry_failed({ since = core.now_ms() + 60000,
        dry_run = true }).total)
      assert.are.equal(0, sender:retry_failed({ ["until"] = "1h", dry_run = true }).total)
      assert.are.equal(2, sender:retry_failed({ reason = "retries_exhausted",
        dry_run = true }).total)
      assert.are.equal(0, sender:retry_failed({ reason = "paused", dry_run = true }).total)
      assert.are.equal("invalid", select(3, sender:retry_failed({ reason = "no" })))
      assert.are.equal(2, #failed_ids())
      assert.are.equal("unknown", sender:retry(failed_ids(), { account = "nobody" })[1].outcome)

      local job = assert(sender:retry_failed({ account = "shop-7", since = "1h" }))
      assert.are.equal("shop-7", job.account)
      assert.is_nil(job.total)
      assert.is_nil(job.finished_at)
      assert.matches("^%d+%-%d+%-%d+T", job.since)
      while not job.finished_at do
        job = assert(sender:job_step(job.id))
      end
      assert.are.equal(1, job.total)
      assert.are.equal(1, job.retried)
      assert.are.equal(0, job.left_over)
      assert.are.same(job, sender:job(job.id))
      assert.are.same({ job }, sender:jobs())
      assert.are.equal(1, #failed_ids())
    end)

    it("is worked off by a worker, which tells", function()
      local said = {}
      webhook("crm")
      emit(2)
      work()
      local job = assert(sender:retry_failed())
      local worker = assert(loyalhook.worker.new({ sender = sender,
        log = function(level, message, fields) said[#said + 1] = { level, message, fields } end }))
      local seen
      assert(worker:run({ until_idle = true, catch_signals = false, on_report = function(report)
        seen = report.job or seen
      end }))
      worker:close()
      assert.are.equal(job.id, seen.id)
      assert.is_not_nil(sender:job(job.id).finished_at)
      local told = false
      for _, entry in ipairs(said) do
        told = told or entry[2] == "retry of failed requests finished" and entry[3].retried == 2
      end
      assert.is_true(told)
    end)

    it("refuses what it does not know", function()
      assert.are.equal("not_found", select(3, sender:retry_failed({ webhook = "crm" })))
      assert.are.equal("not_found", select(3, sender:retry_failed({ account = "nobody" })))
      assert.are.equal("invalid", select(3, sender:retry_failed({ since = "soon" })))
      assert.are.equal("not_found", select(3, sender:job(core.id())))
      assert.are.equal("not_found", select(3, sender:job_step(core.id())))
      assert.are.equal("invalid", select(3, sender:job("x")))
      assert.are.equal("invalid", select(3, sender:jobs({ limit = 0 })))
      assert.are.same({}, sender:jobs())
      assert.has_error(function() sender:retry_failed({ dryrun = true }) end)
      assert.has_error(function() sender:job() end)
    end)
  end)

  it("has a store that checks what it is given", function()
    local store = sender._store
    assert.are.equal("limit", select(3, store:retry({})))
    assert.are.equal("invalid", select(3, store:retry({ "x" })))
    assert.has_error(function() store:retry({ 7 }) end)
    assert.are.equal("invalid", select(3, store:job_create({ reason = "boredom" })))
    assert.are.equal("paused", assert(store:job_create({ reason = "paused",
      failed_from_ms = 5 })).reason)
    assert.are.equal("invalid", select(3, store:retry_count({ webhook = "crm" })))
  end)
end)
