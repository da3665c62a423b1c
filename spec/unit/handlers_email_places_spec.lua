-- Where tags of a template stand in HTML, and what that means for their values.

local places = require("loyalhook.handlers.email.places")

-- The place behind literals; between them stand values.
local function place(...)
  local at = places.begin
  for index, literal in ipairs({ ... }) do
    if index > 1 then
      at = places.behind_value(at)
    end
    at = assert(places.behind_text(at, literal))
  end
  return at
end

describe("a place in HTML", function()
  local cases = {
    { "text", "text", "" }, { "text", "text", "<p>Hi " }, { "text", "text", "a < b, 1<2 & <3 " },
    { "text", "text", "<!DOCTYPE html><html lang=en><br/>" },
    { "text", "text", "<!-- a > b --><p title='>'>" },
    { "text", "text", "<!--[if mso]><p><![endif]--><!--[if !mso]><!--><p><!--<![endif]-->" },
    { "text", "text", "<!-- a --!><p>" },
    { "text", "text", "<style>a{}</style><script>if (a<b) {}</script >" },
    { "text", "text", "<STYLE>a</sTyLe\n>" }, { "text", "text", "<p hidden><b class = 'x'>" },
    { '<p title="…', "attribute", '<p title="' }, { "<p title='…", "attribute", "<P TITLE='a " },
    { '<a href="', "url", '<a href="' }, { '<a href="', "url", '<a class="x" href= " ' },
    { '<a href="…', "url_part", '<a href="https://x/?m=' },
    { '<img src="…', "url_part", '<img src="', "" },
    { '<a href="…', "url_part", '<a href="', '?m=' },
  }
  for _, case in ipairs(cases) do
    it(table.concat({ unpack and unpack(case, 3) or table.unpack(case, 3) }, "{{}}"), function()
      local at = place(case[3], case[4])
      assert.are.equal(case[1]:lower(), at:lower())
      assert.is_nil(places.refuse(at))
      assert.are.equal(case[2], places.form(at))
    end)
  end

  local refused = {
    { "not inside <a", "<a " }, { "not inside <a", "<a hr" }, { "not inside <", "<" },
    { "not inside <", "x</" }, { "not inside <", "<!" }, { "not inside <p", "<p" },
    { "quotes around the value of href", "<a href=" },
    { "quotes around the value of href", "<a href=https://" },
    { "code", '<p style="' }, { "code", '<p onclick="' }, { "code", '<img srcset="a ' },
    { "code", '<iframe srcdoc="' }, { "code", "<style>p { color: " },
    { "code", "<script>var a = '" }, { "comment", "<!-- " },
    { "comment", "<!--[if mso]><p>" }, { "code", "<style>a</styl" },
  }
  for _, case in ipairs(refused) do
    it("that takes no value: " .. case[2], function()
      local problem = places.refuse(place(case[2]))
      assert.is_string(problem)
      assert.is_truthy(problem:find(case[1], 1, true), problem)
    end)
  end

  it("is not guessed at where the markup is broken", function()
    for _, literal in ipairs({ '<a "x">', "<a href='x'=>", "<a ='x'>", "<?xml ", "</ ", "<![if x]>",
      "<!-->", "<!--->", "</1>" }) do
      local at, problem = places.behind_text("text", literal)
      assert.is_nil(at, literal)
      assert.is_truthy(problem:find("cannot be read as HTML", 1, true))
    end
    for literal, words in pairs({ ["<SVG>"] = "<SVG> cannot stand", ["<math "] = "<math> cannot",
      ["a\0"] = "control", ["<p\11title"] = "control" }) do
      local at, problem = places.behind_text("text", literal)
      assert.is_nil(at)
      assert.is_truthy(problem:find(words, 1, true), problem)
    end
    assert.is_nil((places.behind_text("<!--", ">")))
  end)

  it("is the same however the text is cut", function()
    local page = '<p title="a>b"><a href="https://x/y">z</a><!-- c --><style>d</style><b class=e>'
    for cut = 1, #page do
      local whole = places.behind_text("text", page)
      local first = places.behind_text("text", page:sub(1, cut))
      local second = places.behind_text(first, page:sub(cut + 1))
      -- Inside of words and marks nothing may be cut: there no tag can stand either.
      if not places.refuse(first) then
        assert.are.equal(whole, second, page:sub(1, cut))
      end
    end
  end)
end)
