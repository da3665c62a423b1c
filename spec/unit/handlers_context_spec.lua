-- What a handler gets beside the event, and what it is told when it is used wrongly.

local context = require("loyalhook.handlers.context")

local asked, said

local door = {
  now_ms = function()
    return 1640796461000
  end,
  monotonic_ms = function()
    return 0
  end,
  say = function(level, message, fields)
    said[#said + 1] = { level, message, fields }
  end,
  await = function(_, kind, request)
    asked[#asked + 1] = { kind, request }
    coroutine.yield()
    return { status = 200 }
  end,
  pause = coroutine.yield,
}

local function lease(changes)
  local made = { id = "e1", source = "zinrelo", attempt = 1, first_ms = 1000 }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

-- Runs a handler's function until it waits or ends. Returns what resume does.
local function run(chunk, leases)
  local task = { handler = { name = "points" }, leases = leases or { lease() } }
  task.thread = coroutine.create(function()
    return chunk(context.new(task, door, leases ~= nil), task)
  end)
  return coroutine.resume(task.thread)
end

before_each(function()
  asked, said = {}, {}
end)

describe("a context", function()
  it("says who it is for", function()
    run(function(self)
      assert.are.same({ "points", "zinrelo", 1, 1000, "e1.zinrelo.points", nil },
        { self.handler, self.source, self.attempt, self.first_attempt_ms, self.idempotency_key,
          self.idempotency_keys })
      assert.are.equal(1640796461000, self.now_ms())
    end)
  end)

  it("has what a batch has in common", function()
    local ok, message = run(function(self)
      assert.are.same({ nil, 3, 500, nil, { "e1.zinrelo.points", "e2.other.points" } },
        { self.source, self.attempt, self.first_attempt_ms, self.idempotency_key,
          self.idempotency_keys })
    end, { lease(), lease({ id = "e2", source = "other", attempt = 3, first_ms = 500 }) })
    assert.is_true(ok, message)
  end)

  it("logs with the handler and the event", function()
    run(function(self)
      self.log("info", "mailed", { status = 250 })
      self.log("warn", {})
    end)
    assert.are.same({ { "info", "mailed", { handler = "points", event = "e1", status = 250 } },
      { "warn", "table", { handler = "points", event = "e1" } } }, said)
  end)

  it("asks for a GET, or with a body for a POST", function()
    run(function(self)
      self.http({ url = "https://example.com" })
    end)
    run(function(self)
      self.http({ url = "https://example.com", body = "" })
    end)
    assert.are.same({ "GET", "POST" }, { asked[1][2].method, asked[2][2].method })
  end)
end)

describe("a wrong call", function()
  local function raises(wanted, chunk)
    local ok, message = run(chunk)
    assert.is_false(ok)
    assert.matches("^[^:]*handlers_context_spec.lua:%d+: ", message)
    assert.are.equal(wanted, (message:gsub("^[^:]*:%d+: ", "")))
  end

  it("raises at the handler's line", function()
    raises("context.http: url: missing", function(self)
      self.http({})
    end)
    raises('context.http: unknown option header; did you mean "headers"?', function(self)
      self.http({ url = "https://example.com", header = {} })
    end)
    raises("context.http: headers: expected a table name = text", function(self)
      self.http({ url = "https://example.com", headers = { a = {} } })
    end)
    raises('context.http: headers: "X-A: 1, X-B" is no name of a header', function(self)
      self.http({ url = "https://example.com", headers = { ["X-A: 1, X-B"] = "2" } })
    end)
    raises("context.http: body: expected a string, got table", function(self)
      self.http({ url = "https://example.com", body = {} })
    end)
    raises("context.mail: message: missing", function(self)
      self.mail({ server = {}, to = {} })
    end)
    raises("context.wait: expected a function and milliseconds", function(self)
      self.wait(5)
    end)
    raises("context.log: expected a level (debug, info, warn, error) and a message",
      function(self)
        self.log("loud", "x")
      end)
  end)

  it("raises in a coroutine of the handler's own", function()
    raises("context.http: works in the handler's own coroutine only, while its task runs: not in a "
      .. "coroutine that the handler made, nor afterwards", function(self)
      local ok, message = coroutine.resume(coroutine.create(function()
        self.http({ url = "https://example.com" })
      end))
      assert(not ok)
      error(message, 0)
    end)
  end)

  it("raises inside a function that C called", function()
    raises("context.wait: cannot wait inside a function that C called, such as a comparator of "
      .. "table.sort or a function of string.gsub", function(self)
      ("x"):gsub("x", function()
        self.wait(print, 5)
      end)
    end)
  end)

  it("raises after the task", function()
    local kept
    run(function(self)
      kept = self
    end)
    for _, method in ipairs({ "http", "mail", "wait" }) do
      assert.has_error(function()
        kept[method]({})
      end)
    end
  end)
end)
