-- Values in their places: nothing of what a member chose can be more than a value.

local escape = require("loyalhook.handlers.email.escape")

local HREF, PART, TITLE = '<a href="', '<a href="…', '<p title="…'
local NAME = "member_info.first_name"

describe("a value in the text", function()
  local cases = {
    { "stays what it is", "Zoë O'Brien & <3", "Zoë O'Brien & <3" },
    { "is one line", "a\r\n\r\nYour account is locked", "a Your account is locked" },
    { "has no controls", "a\0\27[31m\7b", "a[31mb" },
    { "does not turn text around", "\226\128\174evil\226\129\167", "evil" },
    { "is no link", "Win! https://evil.example/x", "Win! https: //evil.example/x" },
    { "is UTF-8", "a\255b", "a\239\191\189b" },
    { "is no template", "{{member_info.id}}", "{{member_info.id}}" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      assert.are.equal(case[3], escape.text(case[2], nil, case[2], NAME))
      assert.are.equal(case[3]:gsub("[&<']", { ["&"] = "&amp;", ["<"] = "&lt;", ["'"] = "&#39;" }),
        escape.html(case[2], "text", case[2], NAME))
    end)
  end

  it("is cut when it is long, between characters", function()
    local text = escape.text(("ë"):rep(100000), nil, nil, NAME)
    assert.are.equal(("ë"):rep(500) .. "…", text)
  end)

  it("may be a link where it is the merchant's own, or a URL by its name", function()
    local url = "https://shop.example/?a=b"
    for _, name in ipairs({ "program.terms", "unsubscribe_url", "member_info.referral_URL",
      "campaign_info.share_link" }) do
      assert.are.equal(url, escape.text(url, nil, url, name))
    end
    assert.are.equal("x https: //evil.example", escape.text("x https://evil.example", nil, nil,
      "member_info.referral_URL"))
  end)

  it("that is a list is joined, an object is nothing", function()
    assert.are.equal("vip, 7", escape.text(nil, nil, { "vip", 7 }, "member_info.member_tags"))
    assert.are.equal("", escape.html(nil, "text", { a = "b" }, "reward_info"))
    assert.are.equal("a, ", escape.text(nil, nil, { "a", {} }, "x"))
  end)
end)

describe("a value in a subject", function()
  it("cannot begin another header", function()
    assert.are.equal("a Bcc: thief@example.com",
      escape.subject("a\r\nBcc: thief@example.com", nil, nil, NAME))
  end)
end)

describe("a value in an attribute", function()
  it("cannot end it", function()
    assert.are.equal("&quot;&gt;&lt;script&gt;&#39;",
      escape.html("\"><script>'", TITLE, nil, NAME))
  end)
end)

describe("a value that is a URL", function()
  it("is http, https or mailto", function()
    for url, wanted in pairs({
      ["https://shop.example/?a=1&b=2"] = "https://shop.example/?a=1&amp;b=2",
      [" HTTP://shop.example "] = "HTTP://shop.example",
      ["mailto:help@shop.example"] = "mailto:help@shop.example",
      ["https://shop.example/zoë"] = "https://shop.example/zo%C3%AB",
      ["javascript:alert(1)"] = "", ["java\nscript:alert(1)"] = "", ["data:text/html,x"] = "",
      ["//evil.example"] = "", ["/relative"] = "", [""] = "", ["https:evil"] = "",
      ["https:///x"] = "", ['https://x/"onclick="y'] = "", ["https://x/ y"] = "",
      ["https://x/<b>"] = "", ["vbscript:x"] = "",
    }) do
      assert.are.equal(wanted, escape.html(url, HREF, nil, "x"), url)
    end
    assert.are.equal("", escape.html("https://x/" .. ("a"):rep(3000), HREF, nil, "x"))
    assert.are.equal("", escape.html((" "):rep(500000) .. "x", HREF, nil, "x"))
    assert.are.equal("", escape.html(nil, HREF, { "https://x" }, "x"))
  end)

  it("or a part of one is percent-encoded", function()
    assert.are.equal("a%26b%3D%22%3E%20%C3%AB", escape.html('a&b="> ë', PART, nil, NAME))
  end)
end)
