-- What `work` and `serve` share, with a worker that plays its rounds.

local output = require "loyalhook.cli.output"
local working = require "loyalhook.cli.working"

describe("working", function()
  local out, err, settings, context

  before_each(function()
    out, err = {}, {}
    local function stream(list)
      return { flush = function() return true end, write = function(_, ...)
        for _, part in ipairs{ ... } do list[#list + 1] = part end
        return true
      end }
    end
    settings = { drain_grace_s = 7, log_level = "error" }
    context = { json = true, output = output.new(true, stream(out), stream(err)),
      settings = function() return settings end }
  end)

  -- A worker whose run plays these reports and ends so.
  local function worker(reports, ...)
    local ending, seen = { ... }, {}
    return { run = function(_, given)
      seen.given = given
      for _, report in ipairs(reports) do
        seen.stopped = given.on_report(report)
      end
      return (table.unpack or unpack)(ending)
    end, close = function() seen.closed = true end }, seen
  end

  local function report(events, tasks)
    return { failed_unsent = 1, events = events, tasks = tasks }
  end

  it("counts what happened and says it at the end", function()
    local one, seen = worker({ report{ { state = "delivered" }, { state = "retrying" } },
      report({}, { { state = "done" }, { state = "failed" }, { state = "pending" } }) },
      "drained", "TERM")
    local code = working.run(one, { parts = { sender = {}, handlers = { {} } } }, context,
      working.voice(context))
    assert.are.equal(0, code)
    assert.is_true(seen.closed)
    assert.are.equal(7000, seen.given.grace_ms)
    assert.are.equal('{"result":"drained","attempts":2,"delivered":1,"retrying":1,"failed":2,'
      .. '"tasks_done":1,"tasks_retrying":0,"tasks_failed":1}\n', table.concat(out))
  end)

  it("ends with 130 for an interrupt, and hands on who wants to stop", function()
    local one, seen = worker({ report{} }, "drained", "INT")
    assert.are.equal(130, (working.run(one, { parts = { sender = {} },
      on_report = function() return "stop" end }, context, working.voice(context))))
    assert.are.equal("stop", seen.stopped)
  end)

  it("hands on an error", function()
    local one = worker({}, nil, "disk full", "full")
    local code, message, kind = working.run(one, { parts = {} }, context, working.voice(context))
    assert.are.same({ nil, "disk full", "full" }, { code, message, kind })
  end)
end)
