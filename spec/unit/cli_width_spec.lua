-- Columns of a terminal.

local width = require "loyalhook.cli.width"

describe("the width of a text", function()
  local cases = {
    { "", 0 }, { "crm", 3 }, { "Zoë", 3 }, { "Zoe\204\136", 3 }, { "会員", 4 }, { "한국어", 6 },
    { "ｶﾀｶﾅ", 4 }, { "ＡＢ", 4 }, { "🎉", 2 }, { "a\226\128\141b", 2 }, { "\239\191\189", 1 },
    { "สวัสดี", 4 }, { "\224\164\149\224\165\141", 1 }, { "\240\160\128\128", 2 }, { "→ … ü", 5 },
  }
  for _, case in ipairs(cases) do
    it("of '" .. case[1] .. "' is " .. case[2], function()
      assert.are.equal(case[2], width.of(case[1]))
    end)
  end
end)
