-- Aligned columns.

local columns = require "loyalhook.cli.table"

describe("a table", function()
  it("is aligned, numbers to the right, without trailing spaces", function()
    assert.are.same({
      "NAME  COUNT  STATE",
      "a         7  ok",
      "Zoë    1000  -",
    }, columns.lines({ "NAME", ">COUNT", "STATE" }, { { "a", 7, "ok" }, { "Zoë", 1000, false } }))
  end)

  it("keeps foreign text on its line", function()
    local lines = columns.lines({ "NAME", "URL" }, { { "a\nb", "\27[2Jhttps://x" }, { "", nil } })
    assert.are.same({ "NAME  URL", "a b   [2Jhttps://x", "-     -" }, lines)
  end)

  it("lines up wide and combining characters", function()
    assert.are.same({ "NAME   N", "会員   1", "Zoe\204\136    2", "crm-a  3" },
      columns.lines({ "NAME", "N" }, { { "会員", 1 }, { "Zoe\204\136", 2 }, { "crm-a", 3 } }))
  end)

  it("shows pairs", function()
    assert.are.same({ "id      7", "status  enabled" },
      columns.pairs{ { "id", 7 }, { "status", "enabled" } })
  end)

  it("colours states, and nothing else, without moving a column", function()
    local terminal = require "loyalhook.cli.terminal"
    local before = terminal.colour
    terminal.colour = function(name, text) return "<" .. name .. ">" .. text .. "</>" end
    local done, problem = pcall(function()
      assert.are.same({
        "NAME    STATE      REASON",
        "failed  <red>failed</>     failed",
        "a       <green>delivered</>  -",
        "b       <yellow>retrying</>   -",
        "c       pending    -",
      }, columns.lines({ "NAME", "STATE", "REASON" }, { { "failed", "failed", "failed" },
        { "a", "delivered" }, { "b", "retrying" }, { "c", "pending" } }))
      assert.are.same({ "name    enabled", "status  <yellow>paused</>" },
        columns.pairs{ { "name", "enabled" }, { "status", "paused" } })
    end)
    terminal.colour = before
    assert.is_true(done, problem)
  end)
end)
