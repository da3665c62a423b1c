-- What a command opens is closed, whatever happens.

local scope = require "loyalhook.cli.scope"

describe("a scope", function()
  local log

  before_each(function() log = {} end)

  local function thing(name)
    return { close = function() log[#log + 1] = name end }
  end

  it("closes in the reverse order and hands on what came out", function()
    local one, two, three = scope.run(function(keep)
      keep(thing("a"))
      keep("a path", nil, nil, function() log[#log + 1] = "path" end)
      keep(thing("b"))
      return 1, nil, 3
    end)
    assert.are.same({ 1, 3 }, { one, three })
    assert.is_nil(two)
    assert.are.same({ "b", "path", "a" }, log)
  end)

  it("closes what was open before an error, and raises it on", function()
    local done, raised = pcall(scope.run, function(keep)
      keep(thing("a"))
      keep(nil, "no such store", "store_missing")
    end)
    assert.is_false(done)
    assert.are.same({ stop = "failure", message = "no such store", code = "store_missing" }, raised)
    assert.are.same({ "a" }, log)
    done, raised = pcall(scope.run, function(keep)
      keep(thing("b"))
      error("interrupted!", 0)
    end)
    assert.are.same({ false, "interrupted!" }, { done, raised })
    assert.are.same({ "a", "b" }, log)
  end)
end)
