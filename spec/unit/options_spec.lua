-- Misspelt options raise at the caller's line and name the nearest.

local options = require("loyalhook.options")

local KNOWN = { store = "string", create = "boolean", key_file = "string",
  since = "string or number" }

local function open(given)
  local checked = options.check(given, KNOWN, "open")
  return checked
end

describe("options", function()
  it("let known names pass and make nothing an empty table", function()
    local given = { store = "x" }
    assert.are.equal(given, open(given))
    assert.are.same({}, open(nil))
  end)

  it("raise for a misspelt one at the line that called the public function", function()
    local ok, message = pcall(function()
      local _ = open({ stor = "x" })
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find(
      'options_spec.lua:%d+: open: unknown option stor; did you mean "store"%?'))
    ok, message = pcall(function()
      local _ = open(5)
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("open: expected a table of options, got number", 1, true))
  end)

  it("raise for a value of another kind", function()
    local ok, message = pcall(function()
      local _ = open({ store = "x", create = "yes" })
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find(
      "options_spec.lua:%d+: open: create: expected a boolean, got string"))
    assert.has_no.errors(function()
      open({ since = 5 })
      open({ since = "2h", store = nil })
    end)
  end)

  it("raise for what is no text", function()
    local function show(id)
      options.text(id, "show", "an id")
      return id
    end
    local ok, message = pcall(function()
      local _ = show(5)
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("options_spec.lua:%d+: show: expected an id, got number"))
    assert.are.equal("5", show("5"))
  end)

  it("can be asked without raising", function()
    assert.is_nil(options.unknown({ create = true }, KNOWN, "field"))
    assert.are.equal("unknown field aaa", options.unknown({ zzz = 1, aaa = 1 }, KNOWN, "field"))
  end)
end)
