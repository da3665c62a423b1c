-- Who changes something, and what the audit log is told of it.

local actor = require("loyalhook.actor")
local json = require("loyalhook.json")

local MOST = require("loyalhook.core").limits.audit_detail_max

describe("who changes something", function()
  it("is a program, unless it says so", function()
    assert.are.same({ who = "lua" }, actor.of())
    assert.are.same({ who = "user:anna" }, actor.of({ who = "user:anna" }))
  end)

  it("sets what is noted, unless something else is to be", function()
    assert.are.same({ who = "lua", detail = '{"batch_size":5}' }, actor.of(nil, { batch_size = 5 }))
    assert.are.same({ who = "a", detail = '{"why":"x"}' },
      actor.of({ who = "a", detail = '{"why":"x"}' }, { batch_size = 5 }))
  end)

  it("is noted with the names alone where the values are too long or no JSON", function()
    local long = actor.of(nil, { url = ("x"):rep(MOST), name = "crm" })
    assert.are.same({ set = { "name", "url" } }, json.decode(long.detail))
    local fits = actor.of(nil, { url = ("x"):rep(MOST - #'{"url":""}') })
    assert.are.equal(MOST, #fits.detail)
    assert.are.equal('{"set":["name"]}', actor.of(nil, { name = "\255" }).detail)
  end)
end)
