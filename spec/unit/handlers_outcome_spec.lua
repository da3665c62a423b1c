-- From what a handler returns to what the store records.

local outcome = require("loyalhook.handlers.outcome")

local END = "; it returns true when all is done, or nil and a message"

local function returned(values, was_unknown)
  local result = outcome.returned(values, 1, false, was_unknown)[1]
  return { result.kind, result.error }
end

describe("what handle returned", function()
  it("is done only if it is true", function()
    assert.are.same({ "success" }, returned({ true }))
    assert.are.same({ "success" }, returned({ true, "words", "fail" }))
  end)

  it("is retried, or refused, as it says", function()
    assert.are.same({ "failure", "no" }, returned({ nil, "no" }))
    assert.are.same({ "failure", "no" }, returned({ false, "no" }))
    assert.are.same({ "failure", "no" }, returned({ nil, "no", "retry" }))
    assert.are.same({ "refusal", "no" }, returned({ nil, "no", "fail" }))
    assert.are.same({ "failure", "no" }, returned({ nil, "no", "timeout" }))
  end)

  it("says so where a third word was meant to be another", function()
    assert.are.same({ "failure", 'no (a third result "Fail" means nothing; did you mean "fail"?)' },
      returned({ nil, "no", "Fail" }))
    assert.are.same({ "unknown", 'no (a third result "retyr" means nothing; did you mean "retry"?)'
      }, returned({ nil, "no", "retyr" }, true))
    local long = returned({ nil, ("é"):rep(5000), "fial\27" })[2]
    assert.matches('^.+é %(a third result "fial" means nothing; did you mean "fail"%?%)$', long)
    assert.is_true(#long <= 1000)
    for _, code in ipairs({ "not_sent", "unknown", "blocked", "invalid", "timeout", 5, {} }) do
      assert.are.same({ "failure", "no" }, returned({ nil, "no", code }))
    end
  end)

  it("is unknown if an exchange was and it does not say more", function()
    assert.are.same({ "unknown", "no" }, returned({ nil, "no" }, true))
    assert.are.same({ "failure", "no" }, returned({ nil, "no", "retry" }, true))
    assert.are.same({ "refusal", "no" }, returned({ nil, "no", "fail" }, true))
    assert.are.same({ "success" }, returned({ true }, true))
  end)

  it("fails the task at once if it means nothing", function()
    assert.are.same({ "refusal", "handle returned nothing" .. END }, returned({}))
    assert.are.same({ "refusal", "handle returned false without a message" .. END },
      returned({ false }))
    assert.are.same({ "refusal", "handle returned a string" .. END }, returned({ "yes" }))
  end)
end)

describe("what handle_batch returned", function()
  local function batch(values, count)
    local list = {}
    for index, result in ipairs(outcome.returned(values, count, true, false)) do
      list[index] = { result.kind, result.error }
    end
    return list
  end

  it("is meant for all, or for each", function()
    assert.are.same({ { "success" }, { "success" } }, batch({ true }, 2))
    assert.are.same({ { "refusal", "no" }, { "refusal", "no" } }, batch({ nil, "no", "fail" }, 2))
    assert.are.same({ { "success" }, { "failure", "no" }, { "refusal", "never" } }, batch({ { true,
      { message = "no" }, { message = "never", kind = "fail" } } }, 3))
    assert.are.same({ { "success" }, { "failure",
      'no (a third result "Fail" means nothing; did you mean "fail"?)' } }, batch({ { true,
      { message = "no", kind = "Fail" } } }, 2))
    assert.are.same({ { "success" }, { "refusal", "handle_batch returned nothing for this event"
      .. END } }, batch({ { true } }, 2))
  end)
end)

describe("the text of an error", function()
  it("is one line of bounded length, without tokens", function()
    assert.are.equal("a b", outcome.text("a\n\27b"))
    assert.are.equal("see https://example.com/x", outcome.text("see https://u:p@example.com/x?t=1"))
    assert.are.equal(1000, #outcome.text(("x"):rep(5000)))
    assert.are.equal(1000, #outcome.text(("a"):rep(10000000))) -- a whole answer
    assert.are.equal("nil", outcome.text(nil))
    assert.are.equal("a thread instead of a message", outcome.text(coroutine.create(print)))
  end)
end)
