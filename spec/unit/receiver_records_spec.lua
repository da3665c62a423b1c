-- What a receiver tells of its inbox, and what it retries and forgets: how rows are shown, and what
-- the store is asked.

local json = require("loyalhook.json")
local receiver = require("loyalhook.receiver")
local views = require("loyalhook.receiver.views")

local NOW_MS = 1795421624874

describe("views of the inbox", function()
  it("have the pinned names, and times as people write them", function()
    local view = views.event({ id = "e1", source = "zinrelo", event_type = "event_x",
      received_ms = NOW_MS, member = "m-1", state = "pending", tasks = {
        { handler = "email", state = "retrying", reason = "", attempts_made = 2,
          next_attempt_ms = NOW_MS + 1000, error = "timeout", waits = false },
        { handler = "crm", state = "done", attempts_made = 1, next_attempt_ms = 0, error = "" } },
      data = '{"a":[]}' })
    assert.are.equal("2026-11-23T08:13:44.874Z", view.received_at)
    assert.are.same({ "e1", "zinrelo", "event_x", "pending", "m-1", '{"a":[]}' }, { view.id,
      view.source, view.event_type, view.state, view.member_id, view.data_json })
    assert.are.same({ handler = "email", state = "retrying", attempts_made = 2, error = "timeout",
      next_attempt_at = "2026-11-23T08:13:45.874Z", waits = false }, view.tasks[1])
    assert.are.same({ handler = "crm", state = "done", attempts_made = 1 }, view.tasks[2])
    assert.are.equal('[]', json.encode(views.event({ id = "e" }).tasks))
  end)
end)

-- The methods of records.lua, against a store that only notes what it is asked.
describe("a receiver's records", function()
  local made, asked, answers, path

  before_each(function()
    path = os.tmpname() .. ".db"
    asked, answers = {}, {}
    made = assert(receiver.open({ store = "sqlite:" .. path, create = true }))
    made:close()
    made._store = setmetatable({}, { __index = function(_, name)
      return function(_, what, ...)
        if type(what) == "table" then
          local copy = {}
          for key, value in pairs(what) do
            copy[key] = value
          end
          what = copy
        end
        asked[#asked + 1] = { name, what, ... }
        return (table.unpack or unpack)(table.remove(answers, 1))
      end
    end })
  end)

  after_each(function()
    os.execute(("rm -f %s %s*"):format(path:gsub("%.db$", ""), path))
  end)

  it("lists pages", function()
    answers = { { { events = { { id = "e1", received_ms = NOW_MS } }, next = "c" } } }
    local list, following = made:events({ state = "failed", since = NOW_MS, limit = 7 })
    assert.are.same({ "e1", "c" }, { list[1].id, following })
    assert.are.same({ "inbox_list", { state = "failed", since_ms = NOW_MS, limit = 7 } }, asked[1])
    assert.are.equal("invalid", select(3, made:events({ state = "faild" })))
    assert.are.equal("invalid", select(3, made:events({ since = "soon" })))
    assert.has_error(function() made:events({ webhook = "x" }) end)
  end)

  it("shows one event of each source", function()
    answers = { { { { id = "e1", source = "a" }, { id = "e1", source = "b" } } },
      { nil, "no such event", "not_found" } }
    assert.are.equal("b", made:event("e1")[2].source)
    assert.are.equal("not_found", select(3, made:event("e2", "a")))
    assert.are.same({ "inbox_get", "e2", "a" }, asked[2])
    assert.has_error(function() made:event() end)
  end)

  it("retries chosen ones", function()
    answers = { { { { id = "e1", outcome = "retried" }, { id = "e2", outcome = "unknown" } } } }
    local outcomes = made:retry({ "e1", { id = "e2", handler = "email" } })
    assert.are.same({ "retried", "unknown" }, { outcomes[1].outcome, outcomes[2].outcome })
    assert.are.same({ { id = "e1" }, { id = "e2", handler = "email" } }, asked[1][2])
    assert.has_error(function() made:retry("e1") end)
    assert.has_error(function() made:retry({ { handler = "x" } }) end)
  end)

  it("retries all failed ones in steps, or only counts them", function()
    answers = { { { count = 1000, next = "c" } }, { { count = 7 } }, { { count = 3 } } }
    local steps = {}
    assert.are.same({ retried = 1007 }, made:retry_failed({ handler = "email",
      on_step = function(count) steps[#steps + 1] = count end }))
    assert.are.same({ 1000, 1007 }, steps)
    assert.are.equal("c", asked[2][2].after)
    assert.are.same({ dry_run = true, total = 3 }, made:retry_failed({ dry_run = true }))
  end)

  it("lists handlers and forgets one", function()
    answers = { { { { name = "email", event_types = { "*" }, loaded_ms = NOW_MS, behind = 0 } } },
      { nil, "it is loaded", "refused" } }
    assert.are.equal("2026-11-23T08:13:44.874Z", made:handlers()[1].loaded_at)
    assert.are.equal("refused", select(3, made:forget_handler("email")))
  end)
end)
