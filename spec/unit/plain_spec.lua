-- Foreign text made harmless, as a line and as a JSON string.

local plain = require("loyalhook.plain")

describe("a line of foreign text", function()
  local cases = {
    { "plain text stays", "crm: 100 %", "crm: 100 %" },
    { "letters of other scripts stay", "Zoë 会員 🎉 שלום", "Zoë 会員 🎉 שלום" },
    { "escape sequences lose their escape", "a\27[31mred\27]0;title\7b", "a[31mred]0;titleb" },
    { "line breaks and tabs become one space", "a\r\n\tb", "a b" },
    { "nul, bell, backspace and delete go", "a\0b\7c\8d\127e", "abcde" },
    { "C1 controls in UTF-8 go", "a\194\155" .. "31mb\194\133c", "a31mbc" },
    { "C1 controls as raw bytes are no UTF-8", "a\155b", "a\239\191\189b" },
    { "what turns reading around goes", "a\226\128\174b\226\129\166c\226\128\143d\216\156e",
      "abcde" },
    { "line and paragraph separators go", "a\226\128\168b\226\128\169c", "abc" },
    { "a byte that is not UTF-8 is replaced", "a\255\254b", "a\239\191\189\239\191\189b" },
    { "a cut character is replaced", "a\226\130", "a\239\191\189\239\191\189" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      assert.are.equal(case[3], plain.line(case[2]))
    end)
  end

  it("shows nil as a dash and numbers as they are", function()
    assert.are.equal("-", plain.line(nil))
    assert.are.equal("7", plain.line(7))
  end)

  it("is made without the C module too, since a message may say that it is missing", function()
    local before = package.loaded["loyalhook.core"]
    package.loaded["loyalhook.core"] = nil
    package.preload["loyalhook.core"] = function() error("not built") end
    local shown = plain.line("Zoë")
    package.loaded["loyalhook.core"], package.preload["loyalhook.core"] = before, nil
    assert.are.equal("Zo??", shown)
  end)
end)

describe("a JSON string of foreign text", function()
  it("escapes what JSON and what a terminal would obey", function()
    assert.are.equal([["a\"b\\c\nd\u0009e\u001b[31m\u007f\u009bf"]],
      plain.json('a"b\\c\nd\te\27[31m\127\194\155f'))
    assert.are.equal([["\u202eabc\u2066\u061c\u2028"]],
      plain.json("\226\128\174abc\226\129\166\216\156\226\128\168"))
  end)

  it("leaves letters alone and replaces what is no UTF-8", function()
    assert.are.equal('"Zoë 会員 🎉"', plain.json("Zoë 会員 🎉"))
    assert.are.equal('"a\239\191\189"', plain.json("a\255"))
  end)

  it("reads back as the text it was made of", function()
    local json = require("loyalhook.json")
    local text = 'a"b\\c\nd\te\27[31m\127\194\155\226\128\174 Zoë'
    assert.are.same({ text }, json.decode("[" .. plain.json(text) .. "]"))
  end)
end)

describe("text for HTML", function()
  it("can begin neither a tag nor an entity, nor end an attribute", function()
    assert.are.equal("&lt;b&gt;&amp;amp; &quot;&#39;", plain.html([[<b>&amp; "']]))
    assert.are.equal("7", plain.html(7))
  end)
end)

describe("text for a URL", function()
  it("can end no part of it", function()
    assert.are.equal("a-b._~%2F%3F%23%26%3D%25%20%2B%40%0D%0A%00",
      plain.percent("a-b._~/?#&=% +@\r\n\0"))
    assert.are.equal("Zo%C3%AB", plain.percent("Zoë"))
  end)
end)

-- Each would take hours if a part of the text were looked at again for each byte.
describe("a long text of strangers", function()
  it("is made harmless without looking at each byte again and again", function()
    assert.are.equal(600000, #plain.valid_utf8(("\255"):rep(200000)))
    assert.are.equal(600000, #plain.valid_utf8(("\128"):rep(200000)))
    local euros = ("€"):rep(100000)
    local mark = "\239\191\189"
    assert.is_true(plain.valid_utf8(euros .. "\226\130") == euros .. mark .. mark)
    assert.is_true(plain.valid_utf8("\255" .. euros) == mark .. euros)
    assert.are.equal(1000000, #plain.without_tokens(("a"):rep(1000000)))
    assert.are.equal(2 ^ 20, #plain.line(("a "):rep(2 ^ 19)))
  end)
end)

describe("a cut", function()
  it("goes between characters", function()
    assert.are.equal(2, plain.whole("ab", 9))
    assert.are.equal(2, plain.whole("abc", 2))
    assert.are.equal(1, plain.whole("aë", 2))
    assert.are.equal(3, plain.whole("aëb", 3))
    assert.are.equal(0, plain.whole("ë", 1))
  end)
end)

describe("JSON of strangers", function()
  it("stays as it was written, without what a terminal would obey", function()
    assert.are.equal([[{"a":1.10,   "b":"Zoë \u001b", "c":"\u007f\u009b\u202e"}]],
      plain.json_text('{"a":1.10,\n \t"b":"Zoë \\u001b", "c":"\127\194\155\226\128\174"}'))
  end)
end)
