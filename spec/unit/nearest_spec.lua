-- Edit distance and the words "did you mean".

local nearest = require("loyalhook.nearest")

describe("nearest", function()
  it("counts insertions, deletions, changes and swapped neighbours as one edit each", function()
    assert.are.equal(0, nearest.distance("emit", "emit"))
    assert.are.equal(1, nearest.distance("emit", "emmit"))
    assert.are.equal(1, nearest.distance("emit", "eit"))
    assert.are.equal(1, nearest.distance("emit", "exit"))
    assert.are.equal(1, nearest.distance("emit", "emti"))
    assert.are.equal(4, nearest.distance("", "emit"))
    assert.are.equal(3, nearest.distance("kitten", "sitting"))
  end)

  it("names the nearest candidates, best first, and none for something else", function()
    local names = { "webhook", "work", "version", "verify" }
    assert.are.same({ "work" }, nearest.of("wrok", names))
    assert.are.same({ "verify" }, nearest.of("verfy", names))
    assert.are.same({}, nearest.of("quantum", names))
    assert.are.same({}, nearest.of("", names))
  end)

  it("names at most three", function()
    assert.are.equal(3, #nearest.of("aaaa", { "aaab", "aaac", "aaad", "aaae" }))
  end)

  it("puts the question into words, or says nothing", function()
    assert.are.equal('; did you mean "work"?', nearest.hint("wrok", { "work", "emit" }))
    assert.are.equal("", nearest.hint("zzzzzz", { "work", "emit" }))
    assert.are.equal('; did you mean "ab" or "ac"?', nearest.hint("aa", { "ac", "ab" }))
  end)

  it("compares what the simplifier leaves", function()
    local function bare(name)
      return (name:gsub("^event_", ""))
    end
    assert.are.same({ "event_points_earned" },
      nearest.of("points_earned", { "event_points_earned", "event_campaign_exited" }, bare))
  end)

  it("stays quick with absurdly long input", function()
    assert.are.equal(100, nearest.distance(("a"):rep(1e6), ("b"):rep(1e6)))
  end)
end)
