-- A page of a list, for people and as a document.

local output = require "loyalhook.cli.output"
local page = require "loyalhook.cli.page"

local FORM = { heads = { "NAME", ">COUNT" },
  shape = function(item) return item end,
  row = function(item) return { item.name, item.count } end }

-- Shows a page; returns stdout and stderr.
local function shown(json, list, following)
  local out, err = {}, {}
  local function stream(lines)
    return { flush = function() return true end, write = function(_, ...)
      for _, part in ipairs{ ... } do lines[#lines + 1] = part end
      return true
    end }
  end
  page.show({ json = json, output = output.new(json, stream(out), stream(err)) }, "things", list,
    following, FORM)
  return table.concat(out), table.concat(err)
end

describe("a page", function()
  it("is a table, and says where the next one begins", function()
    assert.are.same({ "NAME  COUNT\na         1\n", "" },
      { shown(false, { { name = "a", count = 1 } }) })
    assert.are.same({ "NAME  COUNT\na         1\n", "more: --after c1\n" },
      { shown(false, { { name = "a", count = 1 } }, "c1") })
  end)

  it("that is empty tells whether it is the last one", function()
    assert.are.same({ "", "no things\n" }, { shown(false, {}) })
    assert.are.same({ "", "none so far; more: --after c1\n" }, { shown(false, {}, "c1") })
  end)

  it("is a document", function()
    assert.are.same({ '{"things":[],"next":null}\n', "" }, { shown(true, {}) })
    assert.are.equal('{"things":[],"next":"c1"}\n', (shown(true, {}, "c1")))
  end)

  it("is asked for by the arguments that are a filter's", function()
    local args = { state = "failed", limit = 5, json = true }
    assert.are.same({ state = "failed", limit = 5 }, page.filter(args, { "state", "limit",
      "after" }))
  end)
end)
