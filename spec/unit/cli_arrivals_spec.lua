-- What is shown of a request that came.

local arrivals = require "loyalhook.cli.arrivals"
local document = require "loyalhook.cli.document"

local ROW = { received_ms = 1640796461007, duration_ms = 12, method = "POST", path = "/hook",
  source = "shop", verdict = "valid", status = 200, total_count = 2, added = 1, duplicates = 1,
  events = { { id = "e1", event_type = "t" }, { id = "e\27[2J", event_type = "u" } },
  bytes = 300 }

local function with(more)
  local row = setmetatable({}, { __index = ROW })
  for key, value in pairs(more) do
    row[key] = value
  end
  return row
end

describe("a request", function()
  it("is an object with every field, in order", function()
    assert.are.equal('{"time":"2021-12-29T16:47:41.007Z","method":"POST","path":"/hook",'
      .. '"source":"shop","verdict":"valid","status":200,"script":null,"code":null,"reason":null,'
      .. '"hint":null,"total_count":2,"added":1,"duplicates":1,"events":[{"id":"e1",'
      .. '"event_type":"t"},{"id":"e\\u001b[2J","event_type":"u"}],"bytes":300,"duration_ms":12}',
      document.encode(arrivals.document(ROW)))
  end)

  it("is a line for people with its events below, harmless to a terminal", function()
    assert.are.same({ "16:47:41.007  200  valid    POST /hook  2 events, 1 known already  12 ms",
      "    e1  t", "    e[2J  u" }, arrivals.lines(ROW))
  end)

  it("says why it was refused, and what helps", function()
    assert.are.same({ "16:47:41.007  401  refused  POST /hook  the header nonce is missing  12 ms",
      "    hint: send it" }, arrivals.lines{ received_ms = ROW.received_ms, duration_ms = 12,
      method = "POST", path = "/hook", verdict = "refused", status = 401,
      reason = "the header nonce is missing", hint = "send it" })
  end)

  it("tells what the script did, and whether an answer went out", function()
    local row = with{ script = "timeout", total_count = 1, duplicates = 0, events = {} }
    row.status = false
    assert.are.same({ "16:47:41.007  -    valid    POST /hook  1 event; by script: timeout  "
      .. "12 ms" }, arrivals.lines(row))
  end)

  it("shows few of many events, and of a long path its beginning", function()
    local events = {}
    for index = 1, 12 do
      events[index] = { id = "e" .. index, event_type = "t" }
    end
    local lines = arrivals.lines(with{ total_count = 12, events = events,
      path = "/" .. ("x"):rep(200) })
    assert.are.equal(12, #lines)
    assert.are.equal("    … and 2 more", lines[12])
    assert.is_true(#lines[1] < 150)
  end)
end)

describe("an event that was passed on", function()
  local told = { handler = "listen.forward", id = "e1", source = "shop", event_type = "t",
    attempt = 2, kind = "failure", state = "retrying", error = "it answered 503",
    next_attempt_ms = 1640796461007 }

  it("is an object with what became of it", function()
    assert.are.equal('{"forwarded":{"id":"e1","source":"shop","event_type":"t","attempt":2,'
      .. '"state":"retrying","reason":null,"error":"it answered 503",'
      .. '"next_attempt_at":"2021-12-29T16:47:41.007Z"}}',
      document.encode(arrivals.forwarded(told)))
  end)

  it("is a line once it has arrived; before, the log has it", function()
    assert.is_nil(arrivals.forwarded_line(told))
    assert.are.equal("    forwarded  e1  t", arrivals.forwarded_line{ state = "done", id = "e1",
      event_type = "t" })
  end)
end)
