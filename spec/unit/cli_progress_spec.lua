-- The progress bar, drawn into a table and with a clock of its own.

local progress = require "loyalhook.cli.progress"

local function screen()
  local drawn = {}
  return drawn, {
    write = function(_, ...)
      drawn[#drawn + 1] = table.concat({ ... })
    end,
  }
end

describe("progress", function()
  local now
  local function clock() return now end

  before_each(function() now = 1000 end)

  it("shows share, count and rate", function()
    local bar = progress.new(200, clock, select(2, screen()))
    bar:read(100)
    now = 2000
    bar:stored(50)
    assert.are.equal("[####################....................]  50% 50 events, 50/s",
      bar:text(80, now))
    assert.are.equal(" 50% 50 events, 50/s", bar:text(20, now))
  end)

  it("shows no share of a pipe", function()
    local bar = progress.new(nil, clock, select(2, screen()))
    now = 1500
    bar:stored(10)
    assert.are.equal("10 events, 20/s", bar:text(80, now))
  end)

  it("draws a few times a second and wipes what it drew", function()
    local drawn, stream = screen()
    local bar = progress.new(100, clock, stream)
    bar:stored(1)
    bar:stored(1)
    assert.are.equal(1, #drawn)
    now = 1200
    bar:stored(1)
    assert.are.equal(2, #drawn)
    bar:wipe()
    bar:wipe()
    assert.are.equal("\r\27[K", drawn[3])
    assert.are.equal(3, #drawn)
  end)

  it("counts other things, of a sum that is known later", function()
    local drawn, stream = screen()
    local bar = progress.new(nil, clock, stream, "requests")
    now = 2000
    bar:reached(50, 200, 40)
    assert.are.equal("\r\27[K[##########..............................]  25% 40 requests, 40/s",
      drawn[1])
  end)

  it("is silent without a terminal", function()
    local bar = progress.new(100, clock)
    bar:read(50)
    bar:stored(5)
    bar:wipe()
    assert.are.equal(5, bar.count)
  end)
end)
