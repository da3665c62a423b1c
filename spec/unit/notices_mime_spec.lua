-- Mails as bytes: lines, encodings, and that nothing put in can begin a header or a part. What a
-- real parser makes of them is in spec/blackbox/test_notices.py.

local base64 = require("loyalhook.base64")
local mime = require("loyalhook.notices.mime")

local function mail(changes)
  local given = { from = { address = "me@example.com", name = "loyalhook" },
    to = { "a@example.com", "b@example.com" }, subject = "Webhook crm was paused",
    date_ms = 1767348005000, message_id = "61f11851bdfb9aac526d0c70@example.com",
    boundary = "0123456789abcdef01234567", text = "Hello\nYou\n", html = "<p>Hello</p>\n" }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return mime.message(given)
end

-- Header lines before the first empty line, unfolded.
local function headers(message)
  local head = message:match("^(.-)\r\n\r\n"):gsub("\r\n[ \t]+", " ")
  local map, count = {}, 0
  for line in (head .. "\r\n"):gmatch("(.-)\r\n") do
    local name, value = line:match("^([%w-]+): (.*)$")
    map[name] = value
    count = count + 1
  end
  return map, count
end

local function decoded(value)
  local parts = {}
  for text in value:gmatch("=%?UTF%-8%?B%?([%w+/=]+)%?=") do
    parts[#parts + 1] = base64.decode(text)
  end
  return table.concat(parts)
end

local function check_lines(message)
  assert.is_nil(message:find("[^\13\10\32-\126]"))
  assert.is_nil(message:gsub("\r\n", ""):find("[\r\n]"))
  for line in message:gmatch("(.-)\r\n") do
    assert.is_true(#line <= 76, line)
  end
  assert.are.equal("\r\n", message:sub(-2))
end

describe("mime.message", function()
  it("has the headers that a mail needs, each once", function()
    local message = mail()
    local map, count = headers(message)
    check_lines(message)
    assert.are.equal(8, count)
    assert.are.equal("Fri, 02 Jan 2026 10:00:05 +0000", map.Date)
    assert.are.equal("loyalhook <me@example.com>", map.From)
    assert.are.equal("a@example.com, b@example.com", map.To)
    assert.are.equal("Webhook crm was paused", map.Subject)
    assert.are.equal("<61f11851bdfb9aac526d0c70@example.com>", map["Message-ID"])
    assert.are.equal("auto-generated", map["Auto-Submitted"])
    assert.are.equal("1.0", map["MIME-Version"])
    assert.is_truthy(map["Content-Type"]:find('^multipart/alternative; boundary="=_'))
  end)

  it("has a text part, then an HTML part", function()
    local message = mail()
    local parts = {}
    for kind in message:gmatch("Content%-Type: (text/%a+); charset=utf%-8") do
      parts[#parts + 1] = kind
    end
    assert.are.same({ "text/plain", "text/html" }, parts)
    assert.is_truthy(message:find("\r\n\r\nHello\r\nYou\r\n--=_", 1, true))
  end)

  it("can be text alone", function()
    local message = mail({ html = false })
    check_lines(message)
    assert.are.equal("text/plain; charset=utf-8", headers(message)["Content-Type"])
    assert.is_truthy(message:find("\r\n\r\nHello\r\nYou\r\n$"))
  end)

  it("can say where answers go, and how to get no more", function()
    local url = "https://shop.example/out?" .. ("x"):rep(100)
    local message = mail({ reply_to = "help@shop.example", one_click = true,
      unsubscribe = { url, "mailto:o@x.example" } })
    local map, count = headers(message)
    assert.are.equal(11, count)
    assert.are.equal("help@shop.example", map["Reply-To"])
    assert.are.equal("<" .. url .. ">, <mailto:o@x.example>", map["List-Unsubscribe"])
    assert.are.equal("List-Unsubscribe=One-Click", map["List-Unsubscribe-Post"])
    assert.has_error(function() mail({ reply_to = "a@b\r\nBcc: c@d" }) end)
    for _, evil in ipairs({ "https://x>\r\nBcc: a@b", "https://a, b", ("x"):rep(1000) }) do
      assert.has_error(function() mail({ unsubscribe = { evil } }) end)
    end
  end)

  it("lets no value begin a header or a part", function()
    local evil = "x\r\nBcc: thief@example.com\r\n\r\n--=_0123456789abcdef01234567\r\n"
      .. "\0=?UTF-8?Q?a?="
    local message = mail({ subject = evil, text = evil, html = evil, message_id = evil,
      from = { address = "me@example.com", name = evil } })
    check_lines(message:gsub("\0", ""))
    local map, count = headers(message)
    assert.are.equal(8, count)
    assert.is_nil(map.Bcc)
    assert.is_nil(message:find("\0", 1, true))
    local _, boundaries = message:gsub("\r\n%-%-=_0123456789abcdef01234567", "")
    assert.are.equal(3, boundaries)
    assert.are.equal("x Bcc: thief@example.com --=_0123456789abcdef01234567 =?UTF-8?Q?a?=",
      decoded(map.Subject))
  end)

  it("takes nothing but addresses as addresses", function()
    for _, evil in ipairs{ "a@b\r\nBcc: c@d", "a@b, c@d", "A <a@b>", "", "a" } do
      assert.has_error(function() mail({ to = { evil } }) end)
      assert.has_error(function() mail({ from = { address = evil } }) end)
    end
  end)

  it("folds long headers, whatever is in them", function()
    local many = {}
    for index = 1, 20 do
      many[index] = ("someone.with.a.long.name.%02d@example.com"):format(index)
    end
    local message = mail({ to = many, subject = ("a fairly long subject "):rep(20) })
    check_lines(message)
    assert.are.equal(table.concat(many, ", "), headers(message).To)
    local word = ("x"):rep(500)
    message = mail({ subject = word })
    check_lines(message)
    assert.are.equal(word, decoded(headers(message).Subject))
  end)
end)

describe("mime.header", function()
  it("encodes what is not ASCII, cut between characters", function()
    local text = ("Zoë's 😀 webhook "):rep(10):gsub(" $", "")
    local header = mime.header("Subject", text)
    for line in (header .. "\r\n"):gmatch("(.-)\r\n") do
      assert.is_true(#line <= 76)
    end
    assert.are.equal(text, decoded(header))
    for word in header:gmatch("=%?UTF%-8%?B%?([%w+/=]+)%?=") do
      assert.is_true((require("loyalhook.core").utf8_check(base64.decode(word))))
    end
  end)

  it("replaces bytes that are no UTF-8", function()
    assert.are.equal("a\239\191\189b", decoded(mime.header("Subject", "a\255b")))
  end)
end)

describe("mime.quoted_printable", function()
  -- The other way round.
  local function read(text)
    return (text:gsub("=\r\n", ""):gsub("=(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end):gsub("\r\n", "\n"))
  end

  it("brings every text back", function()
    local cases = { "", "a", "a\nb", "\n\n", "a=b", "a \nb\t\n", "tab\there", ".dot\n..", "From x",
      "Zoë 😀", ("x"):rep(300), ("ë"):rep(100), ("="):rep(100), (" "):rep(100) .. "x",
      ("x"):rep(76), ("x"):rep(75), ("x"):rep(77), ("ë"):rep(200000),
      ("ab "):rep(60), "\1\127" }
    for _, case in ipairs(cases) do
      local encoded = mime.quoted_printable(case)
      assert.are.equal((case:gsub("\n$", "")), read(encoded)) -- its last line ends with the part
      for line in (encoded .. "\r\n"):gmatch("(.-)\r\n") do
        assert.is_true(#line <= 76)
        assert.is_nil(line:find("[^\32-\126]"))
        assert.is_nil(line:find(" $"))
      end
    end
  end)

  it("never breaks a line inside an encoded byte", function()
    for length = 60, 90 do
      local encoded = mime.quoted_printable(("x"):rep(length) .. "ëëë")
      assert.is_nil(encoded:find("=%x?=\r\n"))
    end
  end)

  it("takes any line ending for one", function()
    assert.are.equal("a\r\nb\r\nc", mime.quoted_printable("a\r\nb\rc\n"))
  end)
end)

describe("mime.date", function()
  it("knows the days of the week", function()
    assert.are.equal("Thu, 01 Jan 1970 00:00:00 +0000", mime.date(0))
    assert.are.equal("Sat, 29 Feb 2020 23:59:59 +0000", mime.date(1583020799999))
    assert.are.equal("Wed, 25 Nov 2026 20:00:58 +0000", mime.date(1795636858000))
  end)
end)
