-- Templates: what a tag becomes, and how each mistake is named.

local json = require("loyalhook.json")
local template = require("loyalhook.handlers.template")

local DATA = {
  member_info = { first_name = "Zoë", points = 360, ratio = 0.5, nobody = json.null, quiet = false,
    blank = "", tags = { "a", "b" }, none = {}, first = { { name = "x" }, { name = "y" } } },
}

local function fill(text, data, escape, given)
  return assert(template.parse(text, "t", given)):render(data or DATA, escape)
end

local function refusal(text, given)
  local value, message, code = template.parse(text, "t", given)
  assert.is_nil(value)
  assert.are.equal("config", code)
  return message
end

describe("a value", function()
  it("is put where its tag stands", function()
    assert.are.equal("Hi Zoë: 360 points, 0.5, false.", fill("Hi {{member_info.first_name}}: "
      .. "{{ member_info.points }} points, {{member_info.ratio}}, {{member_info.quiet}}."))
    assert.are.equal("", fill(""))
    assert.are.equal("} }} {a}", fill("} }} {a}"))
  end)

  it("that is an integer has no point on either VM", function()
    assert.are.equal("2 -7 9007199254740993",
      fill("{{a}} {{b}} {{c}}", { a = 2.0, b = -7, c = "9007199254740993" }))
  end)

  it("that is absent, null or a path through a text is empty, or its default", function()
    assert.are.equal("<>", fill("<{{member_info.nobody}}{{x.y}}{{member_info.first_name.len}}>"))
    assert.are.equal("friend, you",
      fill("{{member_info.nobody|friend}}, {{member_info.blank|you}}"))
    assert.are.equal("a b|c", fill("{{x|a b|c}}"))
  end)

  it("that is absent is refused where the caller says so", function()
    local text, message, code = fill("one\n{{x.y}}", DATA, nil, { missing = "refuse" })
    assert.is_nil(text)
    assert.are.equal("t:2: x.y: absent in this event", message)
    assert.are.equal("invalid", code)
    assert.are.equal("", fill("{{x.y|}}", DATA, nil, { missing = "refuse" }))
  end)

  it("that is a list or an object is refused", function()
    local text, message = fill("{{member_info.tags}}")
    assert.is_nil(text)
    assert.are.equal("t:1: member_info.tags: not a text or a number", message)
  end)

  it("is escaped, its default too, and never read as a template", function()
    local function escape(text)
      return "<" .. text .. ">"
    end
    assert.are.equal("<{{b}}> <d>", fill("{{a}} {{x|d}}", { a = "{{b}}", b = "no" }, escape))
  end)

  it("that cannot be escaped is refused with its name", function()
    local _, message = fill("\n{{a}}", { a = "b" }, function()
      return nil, "a control character"
    end)
    assert.are.equal("t:2: a: a control character", message)
  end)

  it("of a list is found by its number", function()
    assert.are.equal("b y", fill("{{member_info.tags.2}} {{member_info.first.2.name}}"))
  end)
end)

describe("a section", function()
  it("stands if there is something, an inverted one if there is nothing", function()
    for name, there in pairs({ points = true, tags = true, nobody = false, quiet = false,
      blank = false, none = false, unheard = false }) do
      local path = "member_info." .. name
      local text = fill(("{{#%s}}yes{{/%s}}{{^%s}}no{{/%s}}"):format(path, path, path, path))
      assert.are.equal(there and "yes" or "no", text:sub(1, there and 3 or 2), name)
    end
  end)

  it("of a list is repeated, and finds names outside too", function()
    assert.are.equal("a, b, ", fill("{{#member_info.tags}}{{.}}, {{/member_info.tags}}"))
    assert.are.equal("xZoë yZoë ", fill("{{#member_info.first}}{{name}}"
      .. "{{member_info.first_name}} {{/member_info.first}}"))
  end)

  it("takes its line with it when it has it to itself", function()
    assert.are.equal("a\nb\nc\n",
      fill("a\n  {{#member_info.points}}  \r\nb\n{{/member_info.points}}\nc\n"))
    assert.are.equal("a\nc", fill("a\n{{#x}}\nb\n{{/x}}\nc"))
    assert.are.equal("a\n", fill("a\n{{#x}}\nb\n{{/x}}"))
    assert.are.equal(" b \nc", fill("{{#member_info.points}} b {{/member_info.points}}\nc"))
  end)

  it("does not make more than a megabyte", function()
    local list = {}
    for index = 1, 1100 do
      list[index] = ("x"):rep(1000)
    end
    local text, message = fill("{{#a}}{{.}}{{/a}}", { a = list })
    assert.is_nil(text)
    assert.are.equal("t:1: more than 1048576 bytes", message)
  end)
end)

describe("a remark", function()
  it("leaves nothing behind, not even its line", function()
    assert.are.equal("a\nb", fill("a\n{{! nobody reads this }}\nb"))
    assert.are.equal("ab", fill("a{{!x.y}}b"))
  end)
end)

describe("a template", function()
  it("tells its names, and what they stand in", function()
    local seen = {}
    assert(template.parse("{{a}}\n{{#b}}{{c.d}}{{^e}}{{.}}{{/e}}{{/b}}", "t")):each_name(
      function(name, line, is_section, sections)
        seen[#seen + 1] = ("%s %d %s %s"):format(name, line, is_section,
          table.concat(sections, ">"))
      end)
    assert.are.same({ "a 1 false ", "b 2 true ", "c.d 2 false b", "e 2 true b", ". 2 false b>e" },
      seen)
  end)
end)

describe("a mistake", function()
  it("is named with its line", function()
    assert.are.equal("t:2: {{a: no }} on this line", refusal("x\n{{a\n}}"))
    assert.are.equal("t:3: {{#a}}: never closed", refusal("\n\n{{#a}}"))
    assert.are.equal("t:2: {{/a}}: nothing is open here", refusal("\n{{/a}}"))
    assert.are.equal("t:3: {{/b}}: {{#a}} of line 2 is still open", refusal("\n{{#a}}\n{{/b}}"))
    assert.are.equal("t:1: {{a b}}: expected a name like member_info.first_name",
      refusal("{{a b}}"))
    assert.are.equal("t:1: {{}}: expected a name like member_info.first_name", refusal("{{}}"))
    assert.are.equal("t:1: {{a..b}}: expected a name like member_info.first_name",
      refusal("{{a..b}}"))
    assert.is_truthy(refusal("{{{a}}}"):find("one { too many", 1, true))
    assert.is_truthy(refusal(("{{#a}}"):rep(20)):find("more than 16 sections", 1, true))
  end)

  it("of the program raises", function()
    assert.has_error(function() template.parse(7, "t") end,
      "template.parse: expected a string, got number")
  end)
end)

describe("contexts", function()
  -- Where a tag stands: in quotes or outside of them.
  local given = {
    context = "outside",
    contexts = function(context, literal)
      local _, count = literal:gsub('"', "")
      local inside = (context == "inside") ~= (count % 2 == 1)
      return inside and "inside" or "outside"
    end,
    refuse_tag = function(context)
      return context == "inside" and "not in quotes" or nil
    end,
  }

  it("reach escape, which then may have lists", function()
    local seen = {}
    fill("{{a}}", { a = { 1 } }, function(text, context, value, name)
      seen = { text, context, value, name }
      return ""
    end, given)
    assert.are.same({ nil, "outside", { 1 }, "a" }, seen)
  end)

  it("can be another one behind a value", function()
    local out = fill("{{a}}{{a}}", { a = "x" }, function(text, context)
      return context .. text
    end, { context = "first", contexts = function(context) return context end,
      behind = function() return "second" end })
    assert.are.equal("firstxsecondx", out)
  end)

  it("forbid a tag", function()
    assert.are.equal("t:1: {{a}}: not in quotes", refusal('"{{a}}"', given))
  end)

  it("are the same at both ends of a section", function()
    assert.are.equal("t:1: {{#a}} of line 1: must end where it began (outside), not in inside",
      refusal('{{#a}}"{{/a}}', given))
  end)

  it("show in the outline", function()
    assert.are.equal('outside:a "" outside:b', assert(template.parse('{{a}} "" {{#x}}{{b}}{{/x}}',
      "t", given)):outline(function(context, name) return context .. ":" .. name end))
  end)
end)

describe("template.value", function()
  it("finds by path", function()
    assert.are.equal(360, template.value(DATA, "member_info.points"))
    assert.are.equal(false, template.value(DATA, "member_info.quiet"))
    assert.is_nil(template.value(DATA, "member_info.nobody"))
    assert.is_nil(template.value(DATA, "member_info..points"))
    assert.is_nil(template.value("text", "len"))
  end)
end)
