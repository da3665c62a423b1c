-- The text part of a mail.

local text = require("loyalhook.notices.text")

local said = {
  title = "Webhook crm was paused: 3 requests failed", sentences = { "One.", "Two." },
  facts = { { "URL", "https://example.com" }, { "Status now", "paused" } },
  reasons = { { count = "3", text = "its webhook was paused", name = "paused" } },
  requests = { { id = "61f1", text = "1 event", last = "last attempt was answered 500" },
    { id = "61f2", text = "2 events" } },
  more = 1234, steps = { { "See", "loyalhook request list" } }, footer = "Sent by loyalhook.",
}

describe("text.render", function()
  it("sets everything that there is to say", function()
    assert.are.equal([[
Webhook crm was paused: 3 requests failed

One.
Two.

  URL         https://example.com
  Status now  paused

Why:
  3 x its webhook was paused (paused)

What to do:
  See:
    loyalhook request list

Requests:
  61f1  1 event
    last attempt was answered 500
  61f2  2 events
  … and 1,234 more

--]] .. " \n" .. [[
Sent by loyalhook.
]], text.render(said))
  end)

  it("leaves out what there is not", function()
    local short = text.render({ title = "T", sentences = { "S" }, facts = { { "a", "b" } },
      reasons = {}, requests = {}, more = 0, steps = {}, footer = "F" })
    assert.are.equal("T\n\nS\n\n  a  b\n\n-- \nF\n", short)
  end)
end)
