-- The HTML part of a mail: everything foreign is escaped, nothing is fetched.

local html = require("loyalhook.notices.html")

local EVIL = [["><script>alert('x')</script><img src=x onerror=y>&amp;<!-- %1 ]]

local function said(word)
  return {
    title = word, sentences = { word }, facts = { { word, word } },
    reasons = { { count = "3", text = word, name = word } },
    requests = { { id = "61f1", text = word, last = word } }, more = 3,
    steps = { { word, word } }, footer = word,
  }
end

-- Every tag that is opened is closed, in order.
local function check_balanced(page)
  local open = {}
  for slash, name, rest in page:gmatch("<(/?)([%a][%w]*)([^>]*)>") do
    local void = name == "meta" or name == "br"
    if slash == "/" then
      assert.are.equal(name, table.remove(open), page)
    elseif not void then
      open[#open + 1] = name
    end
    assert.is_nil(rest:find("<", 1, true))
  end
  assert.are.same({}, open)
end

describe("html.render", function()
  it("escapes whatever is put in", function()
    local page = html.render(said(EVIL))
    check_balanced(page)
    for _, tag in ipairs{ "script", "img", "!%-%-" } do
      assert.is_nil(page:find("<" .. tag), tag)
    end
    local _, times = page:gsub("&lt;script&gt;alert%(&#39;x&#39;%)&lt;/script&gt;", "")
    assert.are.equal(12, times) -- each place once, none forgotten
    assert.is_truthy(page:find("&amp;amp;&lt;!-- %1", 1, true)) -- one pass
  end)

  it("is the same markup whatever the words are", function()
    local function markup(word)
      local tags = {}
      for tag in html.render(said(word)):gmatch("<[^>]+>") do
        tags[#tags + 1] = tag
      end
      return tags
    end
    assert.are.same(markup("plain"), markup(EVIL))
  end)

  it("fetches nothing, runs nothing and sets no ground", function()
    local page = html.render(said("word"))
    for _, word in ipairs{ "src=", "href=", "url(", "@import", "<style", "<script", "<link",
      "background", "http:", "https:" } do
      assert.is_nil(page:find(word, 1, true), word)
    end
    assert.is_truthy(page:find('<meta name="color-scheme" content="light dark">', 1, true))
  end)

  it("leaves out what there is not", function()
    local page = html.render({ title = "T", sentences = {}, facts = {}, reasons = {},
      requests = {}, more = 0, steps = {}, footer = "F" })
    check_balanced(page)
    assert.is_nil(page:find("<h2", 1, true))
  end)
end)

describe("html.escape", function()
  it("escapes for text and quoted attributes", function()
    assert.are.equal("&lt;a b=&quot;c&quot;&gt; &amp;amp; &#39;",
      html.escape([[<a b="c"> &amp; ']]))
  end)
end)
