-- Scripts of `listen --respond`.

local respond = require("loyalhook.server.respond")

local function words(script, count)
  local steps, list = assert(respond.parse(script)), {}
  for number = 1, count do
    list[number] = respond.step(steps, number).word
  end
  return table.concat(list, " ")
end

describe("a script", function()
  it("answers request by request, the last word for ever", function()
    assert.are.equal("500 timeout 200 200 200", words("500,timeout,200", 5))
    assert.are.equal("500 500 500 slow 200 200", words(" 500*3, slow , 200*1 ", 6))
    assert.are.equal("410 410", words("410", 2))
  end)

  local cases = {
    { "200", { kind = "receive", status = 200 } },
    { "204", { kind = "status", status = 204 } },
    { "429/5", { kind = "status", status = 429, seconds = 5 } },
    { "503/0", { kind = "status", status = 503, seconds = 0 } },
    { "200/7", { kind = "status", status = 200, seconds = 7 } },
    { "slow", { kind = "slow", seconds = 5 } },
    { "slow/2", { kind = "slow", seconds = 2 } },
    { "timeout", { kind = "timeout" } },
    { "half", { kind = "half" } },
    { "close", { kind = "close" } },
    { "reset", { kind = "reset" } },
  }
  for _, case in ipairs(cases) do
    it("knows " .. case[1], function()
      local step = assert(respond.parse(case[1]))[1]
      assert.are.equal(case[1], step.word)
      step.word, step.times = nil, nil
      assert.are.same(case[2], step)
    end)
  end

  local wrong = { "", "500,", "99", "600", "abc", "500/", "500/x", "500/3601", "timeout/3", "500*0",
    "500*x", "500*", "2.0", "-1", "slow/-1", ("200,"):rep(1000) .. "200" }
  for _, script in ipairs(wrong) do
    it("refuses '" .. script:sub(1, 20) .. "'", function()
      local steps, message, code = respond.parse(script)
      assert.is_nil(steps)
      assert.are.equal("invalid", code)
      assert.matches("^%-%-respond: '", message)
    end)
  end

  it("says what each word means", function()
    assert.is_true(#respond.meanings >= 8)
  end)
end)
