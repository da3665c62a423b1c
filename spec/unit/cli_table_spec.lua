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

  it("shows pairs", function()
    assert.are.same({ "id      7", "status  enabled" },
      columns.pairs{ { "id", 7 }, { "status", "enabled" } })
  end)
end)
