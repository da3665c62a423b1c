-- What the scripts of the shells get as an answer. The shells themselves are driven in
-- spec/blackbox/test_completion.py.

local shells = require "loyalhook.cli.shells"

local FOUND = { { "category:member", "Member events" }, { "a\\b", "" } }

describe("an answer", function()
  it("is filtered for bash, without descriptions", function()
    assert.are.same({ "words", "category:member", "a\\b" },
      shells.answer("bash", "words", FOUND, ""))
    assert.are.same({ "words", "category:member" }, shells.answer("bash", "words", FOUND, "cat"))
  end)

  it("is escaped for zsh", function()
    assert.are.same({ "words", "category\\:member:Member events", "a\\\\b" },
      shells.answer("zsh", "words", FOUND, "x"))
  end)

  it("has a tab for fish", function()
    assert.are.same({ "words", "category:member\tMember events", "a\\b\t" },
      shells.answer("fish", "words", FOUND, "x"))
  end)

  it("says that files are wanted", function()
    assert.are.same({ "files" }, shells.answer("bash", "files", {}, ""))
  end)

  it("has a script for each of them", function()
    for _, shell in ipairs{ "bash", "zsh", "fish" } do
      assert.matches("completion " .. shell .. " %-%-", shells.scripts[shell])
    end
  end)
end)
