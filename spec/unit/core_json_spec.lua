-- The JSON scanner of the pure module: what it refuses, and the parts it takes out of a text.

local core = require("loyalhook.core")

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.is_nil(message:find("\n", 1, true))
  assert.are.equal(wanted, code)
end

describe("core.json.members", function()
  it("takes an object apart without changing a byte", function()
    assert.are.same({ a = "[1.0, {}]", ["k\"é"] = [["\\u0041}"]], n = "null" },
      core.json.members([[ { "a" : [1.0, {}], "k\"\u00e9":"\\u0041}" ,"n":null} ]]))
    assert.are.same({}, core.json.members("{ }"))
  end)

  it("gives the last of a repeated member", function()
    assert.are.same({ a = "2" }, core.json.members([[{"a":1,"\u0061":2}]]))
  end)

  it("refuses what check refuses, and other values than objects", function()
    assert_refused("invalid", core.json.members('{"a":1,}'))
    assert_refused("invalid", core.json.members("[1]"))
    assert_refused("invalid", core.json.members('{"a":{}}', 1))
    assert.has_error(function() core.json.members({}) end)
  end)
end)

describe("core.json.items", function()
  it("gives each item's text as it stands", function()
    assert.are.same({ "1.0", '{"a": 1e3}', '"\\u0041"', "[ ]", "null" },
      core.json.items([[ [1.0, {"a": 1e3},"\u0041" , [ ],null] ]]))
    assert.are.same({}, core.json.items("[ ]"))
  end)

  it("refuses what is no array", function()
    assert_refused("invalid", core.json.items("[1,]"))
    assert_refused("invalid", core.json.items("{}"))
    assert_refused("invalid", core.json.items("[[1]]", 1))
    assert.has_error(function() core.json.items({}) end)
  end)
end)

describe("core.json.check", function()
  it("names the kind of value", function()
    for text, kind in pairs({ ["{}"] = "object", [' [1, "x"] '] = "array", ['"a\\n"'] = "string",
      ["-0.5e+3"] = "number", ["true"] = "true", ["false"] = "false", ["null"] = "null" }) do
      assert.are.equal(kind, core.json.check(text))
    end
  end)

  it("refuses what is not strict JSON, with the place", function()
    for _, text in ipairs({ "", " ", "{", "[1,]", "{'a':1}", '{"a":1,}', "01", "+1", "1.", ".5",
      "NaN", "Infinity", "0x10", '"\\ud800"', '"\n"', '"\255"', '{"a":1} x', "\239\187\191{}",
      "[1 2]", '{"a" 1}', "nul", '"\\x"', "{}\0" }) do
      local kind, message, code = core.json.check(text)
      assert.is_nil(kind, text)
      assert.matches("byte %d+", message)
      assert.are.equal("invalid", code)
    end
  end)

  it("limits depth as asked", function()
    local function nested(depth) return ("["):rep(depth) .. ("]"):rep(depth) end
    assert.are.equal("array", core.json.check(nested(64)))
    assert_refused("invalid", core.json.check(nested(65)))
    assert.are.equal("array", core.json.check(nested(70), 70))
    assert_refused("invalid", core.json.check(nested(2), 1))
    assert_refused("invalid", core.json.check(("["):rep(1000000)))
    for _, depth in ipairs({ 0, -1, 1.5, 10 ^ 9, "64", {} }) do
      assert.has_error(function() core.json.check("{}", depth) end)
    end
  end)

  it("takes strings only", function()
    assert.has_error(function() core.json.check(1) end)
    assert.has_error(function() core.json.check() end)
    assert.has_error(function() core.utf8_check(1) end)
  end)
end)
