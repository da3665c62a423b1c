-- A worker's rounds where the wall clock is set back meanwhile. With a real worker see
-- worker_spec.lua.

local core = require("loyalhook.core")
local loop = require("loyalhook.worker.loop")

local now_ms, monotonic_ms = core.now_ms, core.monotonic_ms
local at_ms, steps

-- luacheck: push ignore 122
before_each(function()
  at_ms, steps = 1000, 0
  core.monotonic_ms = function() return at_ms end
  core.now_ms = function() return 9000000 - at_ms end -- it runs backwards
end)

after_each(function()
  core.now_ms, core.monotonic_ms = now_ms, monotonic_ms
end)
-- luacheck: pop

-- step(self): what a round does.
local function worker(step)
  local self = { _log = function() end, _brake = function() end,
    _engine = { form_all = function() end } }
  function self.step()
    steps, at_ms = steps + 1, at_ms + 100
    assert(steps < 100, "it does not end")
    return step()
  end
  self.drain = function() end
  self.abort = function() return true end
  return self
end

describe("a worker's run", function()
  it("drains no longer than its grace", function()
    local self = worker(function()
      return { events = {}, in_flight = 1, started = 0, signal = steps == 1 and "TERM" or nil }
    end)
    assert.are.same({ "drained", "TERM" },
      { loop.run(self, { catch_signals = false, grace_ms = 500 }) })
    assert.is_true(steps <= 8, steps)
  end)

  it("bears a shortage no longer than its grace until it is idle", function()
    local self = worker(function()
      return nil, "disk full", "full"
    end)
    assert.are.same({ nil, "disk full", "full" },
      { loop.run(self, { catch_signals = false, until_idle = true, grace_ms = 500 }) })
    assert.is_true(steps <= 8, steps)
  end)
end)
