-- Webhooks of the log by account and name.

local names = require "loyalhook.cli.names"

describe("names of webhooks", function()
  it("are looked up once each", function()
    local asked = 0
    local named = names.of{ webhook = function(_, id)
      asked = asked + 1
      return { id = id, account = "shop-7", name = "crm", url = "https://x.example/" }
    end }
    assert.are.same({ account = "shop-7", name = "crm" }, named("a"))
    assert.are.same(named("a"), named("a"))
    assert.are.equal(1, asked)
    named("b")
    assert.are.equal(2, asked)
  end)

  it("fall back to the id of a webhook that is gone", function()
    local named = names.of{ webhook = function() return nil, "no webhook", "not_found" end }
    assert.are.same({ name = "61f1dfbd0c709aac1851b526" }, named("61f1dfbd0c709aac1851b526"))
  end)
end)
