-- The inbox commands against a receiver that answers as told; with a real store they are shown in
-- spec/blackbox/test_serve.py.

local arguments = require "loyalhook.cli.arguments"
local commands = require "loyalhook.cli.commands"
local fields = require "loyalhook.fields"
local inbox = require "loyalhook.cli.inbox"
local output = require "loyalhook.cli.output"

local EVENT = { id = "e1", source = "zinrelo", event_type = "event_points_earned",
  received_at = "2026-01-02T03:04:05.678Z", state = "failed", member_id = "m-1",
  data_json = '{"n":1.10,"text":"\194\155"}', tasks = {
    { handler = "email", state = "done", attempts_made = 1, waits = false },
    { handler = "crm.hubspot", state = "failed", reason = "refused", attempts_made = 2,
      waits = false, error = "no\27[31m such contact" },
  } }

local HANDLER = { name = "email", event_types = { "*" }, behind = 3, loaded_at = "then",
  created_at = "before", tasks = { pending = 1, running = 2, retrying = 3, done = 4, failed = 5 } }

local BY = { who = "command line" }

-- Runs a command; answers has the results of the receiver's methods. Returns code, stdout, stderr,
-- and what the methods were given.
local function run(answers, name, ...)
  local words, out, err, given = { ... }, {}, {}, {}
  local function stream(list)
    return { flush = function() return true end, write = function(_, ...)
      for _, part in ipairs{ ... } do list[#list + 1] = part end
      return true
    end }
  end
  local entry = commands.find(name)
  local command = require(entry.module)
  local args = arguments.parse(entry, command, words)
  local receiver = {}
  for method, answer in pairs(answers) do
    receiver[method] = function(_, ...)
      given[method] = { ... }
      return answer(...)
    end
  end
  local sink = output.new(args.json, stream(out), stream(err))
  local context = { json = args.json, output = sink, receiver = function() return receiver end,
    by = BY }
  local code, message, kind = command.run(args, context)
  return message and kind or code or 0, table.concat(out), table.concat(err) .. (message or ""),
    given
end

local function returns(...)
  local values = { n = select("#", ...), ... }
  return function() return (table.unpack or unpack)(values, 1, values.n) end
end

describe("inbox list", function()
  it("prints the pinned fields, and where the next page begins", function()
    local code, out, _, given = run({ events = returns({ EVENT }, "c1") }, "inbox list", "--json",
      "--state", "failed", "--handler", "email", "--limit", "7", "--since", "2h")
    assert.are.equal(0, code)
    assert.are.equal('{"events":[{"id":"e1","source":"zinrelo","event_type":"event_points_earned",'
      .. '"received_at":"2026-01-02T03:04:05.678Z","state":"failed","tasks":[{"handler":"email",'
      .. '"state":"done","reason":null,"attempts_made":1,"next_attempt_at":null,"waits":false,'
      .. '"error":null},{"handler":"crm.hubspot","state":"failed","reason":"refused",'
      .. '"attempts_made":2,"next_attempt_at":null,"waits":false,'
      .. '"error":"no\\u001b[31m such contact"}]}],"next":"c1"}\n', out)
    assert.are.same({ { state = "failed", handler = "email", limit = 7, since = "2h" } },
      given.events)
  end)

  it("is a table for people", function()
    local _, out, err = run({ events = returns({ EVENT }, "c1") }, "inbox list")
    assert.matches("zinrelo  e1     event_points_earned  failed  "
      .. "email done, crm.hubspot failed %(refused%)", out)
    assert.matches("more: %-%-after c1", err)
    _, out, err = run({ events = returns({}) }, "inbox list")
    assert.are.same({ "", "no events\n" }, { out, err })
  end)

  it("refuses a state that there is not", function()
    assert.has_error(function() run({}, "inbox list", "--state", "delivered") end)
  end)
end)

describe("inbox show", function()
  it("has the data as it came, and nothing that a terminal obeys", function()
    local _, out = run({ event = returns({ EVENT }) }, "inbox show", "e1", "--json")
    assert.matches('"data":{"n":1.10,"text":"\\u009b"}}\n$', out)
    _, out = run({ event = returns({ EVENT }) }, "inbox show", "e1")
    assert.matches("member_id    m%-1", out)
    assert.matches("crm.hubspot  failed  refused         2  %-             no%[31m such contact",
      out)
    assert.is_nil(out:find("[\27\155]"))
  end)

  it("says why an event whose tasks are all done is pending", function()
    local row = { state = "pending", tasks = { EVENT.tasks[1] } }
    local waiting = setmetatable(row, { __index = EVENT })
    local hint = "a handler has still to come to it: loyalhook inbox handlers\n"
    local _, _, err = run({ event = returns({ waiting }) }, "inbox show", "e1")
    assert.are.equal(hint, err)
    row.tasks = { { handler = "email", state = "pending", attempts_made = 0, waits = false } }
    _, _, err = run({ event = returns({ waiting }) }, "inbox show", "e1")
    assert.are.equal("", err)
    row.tasks = {}
    _, _, err = run({ event = returns({ waiting }) }, "inbox show", "e1")
    assert.are.equal(hint, err)
    _, _, err = run({ event = returns({ EVENT }) }, "inbox show", "e1")
    assert.are.equal("", err)
  end)

  it("asks for the source where several sent this id", function()
    local other = setmetatable({ source = "shop" }, { __index = EVENT })
    local code, _, err = run({ event = returns({ EVENT, other }) }, "inbox show", "e1")
    assert.are.equal("conflict", code)
    assert.matches("2 sources .*: zinrelo, shop; choose one with %-%-source", err)
    local _, _, _, given = run({ event = returns({ EVENT }) }, "inbox show", "e1", "--source", "x")
    assert.are.same({ "e1", "x" }, given.event)
  end)
end)

describe("inbox retry", function()
  local DONE = { id = "e1", source = "zinrelo", handler = "email", outcome = "retried" }
  local UNKNOWN = { id = "e2", outcome = "unknown" }

  it("reports each id once, and with 4 one that is unknown", function()
    local code, out, _, given = run({ retry = returns({ DONE, UNKNOWN }) }, "inbox retry", "--json",
      "e1", "e2", "e1", "--handler", "email")
    assert.are.equal(4, code)
    assert.are.equal('{"events":[{"id":"e1","source":"zinrelo","handler":"email",'
      .. '"outcome":"retried"},{"id":"e2","source":null,"handler":null,"outcome":"unknown"}]}\n',
      out)
    assert.are.same({ { { id = "e1", handler = "email" }, { id = "e2", handler = "email" } },
      { by = BY } }, given.retry)
    assert.are.equal(0, (run({ retry = returns({ DONE }) }, "inbox retry", "e1")))
  end)

  it("reports what it did before it broke off", function()
    local failing = { retry = returns(nil, "disk full", "full", { DONE }) }
    local code, out, err = run(failing, "inbox retry", "e1", "e2", "--json")
    assert.are.same({ "full", "disk full" }, { code, err })
    assert.are.equal('{"events":[{"id":"e1","source":"zinrelo","handler":"email",'
      .. '"outcome":"retried"}]}\n', out)
    failing.retry = returns(nil, "disk full", "full", {})
    code, out = run(failing, "inbox retry", "e1", "--json")
    assert.are.equal("full", code)
    assert.are.equal("", out)
  end)

  it("counts, or retries all", function()
    local counts = { retry_failed = function(filter)
      return filter.dry_run and { dry_run = true, total = 7 } or { retried = 6 }
    end }
    local _, out = run(counts, "inbox retry", "--failed", "--dry-run", "--json")
    assert.are.equal('{"dry_run":true,"total":7}\n', out)
    _, out = run(counts, "inbox retry", "--failed", "--dry-run")
    assert.are.equal("failed tasks: 7\n", out)
    _, out = run(counts, "inbox retry", "--failed", "--json")
    assert.are.equal('{"retried":6}\n', out)
    _, out = run(counts, "inbox retry", "--failed")
    assert.are.equal("retried: 6\n", out)
  end)

  it("says how far it came when it breaks off", function()
    local code, _, err = run({ retry_failed = function(filter)
      filter.on_step(1000)
      filter.on_step(2000)
      return nil, "disk full", "full"
    end }, "inbox retry", "--failed")
    assert.are.equal("full", code)
    assert.matches("^2000 are retried; run it again for the rest", err)
  end)

  it("wants ids or --failed, and each with its options", function()
    for _, words in ipairs{ {}, { "e1", "--failed" }, { "e1", "--dry-run" },
      { "e1", "--since", "2h" } } do
      local done, raised = pcall(run, {}, "inbox retry", (table.unpack or unpack)(words))
      assert.is_false(done)
      assert.are.equal("usage", raised.stop)
    end
  end)
end)

describe("inbox handlers", function()
  it("says how far each is", function()
    local _, out = run({ handlers = returns({ HANDLER }) }, "inbox handlers", "--json")
    assert.are.equal('{"handlers":[{"name":"email","event_types":["*"],"behind":3,'
      .. '"tasks":{"pending":1,"running":2,"retrying":3,"done":4,"failed":5},'
      .. '"loaded_at":"then","created_at":"before"}]}\n', out)
    _, out = run({ handlers = returns({ HANDLER }) }, "inbox handlers")
    assert.matches("email         3        1        2         3       5     4  then         %*",
      out)
    local many = { name = "crm", event_types = { "a", "b", "c", "d" }, behind = 0,
      tasks = HANDLER.tasks }
    _, out = run({ handlers = returns({ many }) }, "inbox handlers")
    assert.matches("a, b and 2 more\n", out)
    local _, _, err = run({ handlers = returns({}) }, "inbox handlers")
    assert.are.equal("no handlers: no worker has loaded one\n", err)
  end)
end)

describe("inbox forget", function()
  it("ends what a handler has left", function()
    local answers = { handlers = returns({ HANDLER }), forget_handler = returns(6) }
    local _, out = run(answers, "inbox forget", "email", "--json")
    assert.are.equal('{"name":"email","failed":6}\n', out)
    local _, _, err, given = run(answers, "inbox forget", "email", "--yes")
    assert.are.equal("handler 'email' is forgotten; tasks that ended failed: 6\n", err)
    assert.are.same({ "email", { by = BY } }, given.forget_handler)
    local code = run(answers, "inbox forget", "crm", "--yes")
    assert.are.equal("not_found", code)
  end)
end)

describe("documents of the inbox", function()
  local document = require "loyalhook.cli.document"

  local function keys_of(shape)
    local keys = {}
    for key in document.encode(shape):gmatch('"([%w_]+)":') do
      keys[#keys + 1] = key
    end
    return keys
  end

  it("have every pinned field in its order", function()
    assert.are.same(fields.received, keys_of(inbox.event({})))
    assert.are.same({ "id", "source", "event_type", "received_at", "state", "member_id", "tasks",
      "data" }, keys_of(inbox.event_shown({})))
    assert.are.same({ "id", "source", "handler", "outcome" }, keys_of(inbox.outcome({})))
  end)
end)
