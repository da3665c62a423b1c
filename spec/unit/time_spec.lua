-- RFC 3339 and the wire's form, there and back.

local time = require("loyalhook.time")

describe("time", function()
  it("writes RFC 3339 in UTC with milliseconds", function()
    assert.are.equal("1970-01-01T00:00:00.000Z", time.format(0))
    assert.are.equal("2021-12-29T16:47:41.123Z", time.format(1640796461123))
    assert.are.equal("2000-02-29T23:59:59.999Z", time.format(951868799999))
    assert.are.equal("9999-12-31T23:59:59.999Z", time.format(253402300799999))
  end)

  it("writes the wire's form", function()
    assert.are.equal("12/29/2021 16:47:41", time.wire(1640796461000))
    assert.are.equal("12/29/2021", time.wire_date(1640796461999))
  end)

  it("reads what it writes, for every day of four centuries' leap rules", function()
    local day_ms = 86400000
    for day = 0, 146097, 13 do
      local ms = day * day_ms + day % 86400 * 1000 + day % 1000
      assert.are.equal(ms, time.parse(time.format(ms)))
    end
  end)

  it("reads offsets, fractions, a space for the T, and a date alone", function()
    assert.are.equal(1640796461000, time.parse("2021-12-29T16:47:41Z"))
    assert.are.equal(1640796461000, time.parse("2021-12-29t22:17:41+05:30"))
    assert.are.equal(1640796461000, time.parse("2021-12-29 08:47:41-08:00"))
    assert.are.equal(1640796461500, time.parse("2021-12-29T16:47:41.5Z"))
    assert.are.equal(1640796461123, time.parse("2021-12-29T16:47:41.123999Z"))
    assert.are.equal(1640736000000, time.parse("2021-12-29"))
  end)

  it("refuses what is not a time", function()
    for _, text in ipairs({ "", "now", "2021-02-29", "2021-13-01", "2021-12-29T24:00:00Z",
      "2021-12-29T16:47:41", "2021-12-29T16:47:41.Z", "2021-12-29T16:47:415Z",
      "2021-12-29T16:47:41+0530", "12/29/2021", "1969-12-31T23:59:59Z" }) do
      local ms, message, code = time.parse(text)
      assert.is_nil(ms, text)
      assert.are.equal("invalid", code)
      assert.is_truthy(message:find("RFC 3339", 1, true))
    end
  end)

  it("gives integers that print without a decimal point", function()
    assert.are.equal("1640796461500", tostring(time.parse("2021-12-29T16:47:41.5Z")))
    assert.are.equal("1000", tostring(time.since("2s", 3000)))
  end)

  it("understands lengths of time back from now", function()
    local now_ms = 1700000000000
    assert.are.equal(now_ms - 90000, time.since("90s", now_ms))
    assert.are.equal(now_ms - 1800000, time.since("30m", now_ms))
    assert.are.equal(now_ms - 7200000, time.since("2h", now_ms))
    assert.are.equal(now_ms - 604800000, time.since("7d", now_ms))
    assert.are.equal(0, time.since("999999999d", now_ms))
    assert.are.equal(5, time.since(5, now_ms))
    assert.are.equal(1640796461000, time.since("2021-12-29T16:47:41Z", now_ms))
    local ms, message, code = time.since("yesterday", now_ms)
    assert.is_nil(ms)
    assert.are.equal("invalid", code)
    assert.is_truthy(message:find("since: ", 1, true))
  end)
end)
