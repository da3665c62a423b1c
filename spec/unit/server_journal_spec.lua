-- A line of nginx's log of requests as `listen` reads it.

local journal = require("loyalhook.server.journal")

local LINE = '{"ended_s":"1795645696.945","took_s":"0.031","status":"%s","method":"POST",'
  .. '"uri":"/hook?a=1","bytes":"93","seen":"%s"}'

describe("a line", function()
  it("is a request with what the handler has seen of it", function()
    local row = journal.parse(LINE:format("200", [[{\"verdict\":\"valid\",\"source\":\"z\",]]
      .. [[\"events\":[{\"id\":\"e1\",\"event_type\":\"t\"}],\"total_count\":1,\"added\":1}]]))
    assert.are.equal("e1", row.events[1].id)
    row.events = nil
    assert.are.same({ received_ms = 1795645696914, duration_ms = 31, status = 200, method = "POST",
      path = "/hook?a=1", bytes = 93, verdict = "valid", source = "z", total_count = 1,
      added = 1 }, row)
  end)

  it("tells what nginx answered by itself, and what nobody answered", function()
    local row = journal.parse(LINE:format("413", ""))
    assert.are.same({ "refused", "http", 413, "the body is larger than 10 MiB" },
      { row.verdict, row.code, row.status, row.reason })
    row = journal.parse(LINE:format("499", ""))
    assert.are.same({ "aborted", "the sender hung up before the answer" },
      { row.verdict, row.reason })
    for _, status in ipairs({ "499", "444", "000" }) do
      assert.is_nil(journal.parse(LINE:format(status, "")).status)
    end
    assert.are.equal("nginx answered by itself", journal.parse(LINE:format("418", "")).reason)
  end)

  it("may hold what is no UTF-8, or nothing at all", function()
    assert.are.equal("/\239\191\189", journal.parse((LINE:format("400", ""):gsub("hook%?a=1",
      "\255"))).path)
    for _, line in ipairs({ "", "x", "[]", "{}", "7" }) do
      assert.is_nil(journal.parse(line))
    end
  end)
end)
