-- nginx's log of requests as `listen` reads it.

local engine = require("loyalhook.engine")
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

describe("a journal", function()
  local folder, path, reader, seen, reopened

  before_each(function()
    folder = assert(engine.folder_new())
    path, seen, reopened = folder .. "/requests.log", {}, 0
    reader = journal.new(path, function() reopened = reopened + 1 end, 200000)
  end)
  after_each(function()
    reader:close()
    engine.folder_remove(folder)
  end)

  local function add(text)
    local file = assert(io.open(path, "ab"))
    file:write(text)
    file:close()
  end

  local function read()
    reader:each(function(row) seen[#seen + 1] = row.status end)
    return seen
  end

  it("is read as it grows, in order, by whole lines", function()
    assert.are.same({}, read())
    add(LINE:format("200", "") .. "\n" .. LINE:format("401", ""):sub(1, 40))
    assert.are.same({ 200 }, read())
    assert.are.same({ 200 }, read())
    add(LINE:format("401", ""):sub(41) .. "\n" .. LINE:format("503", "") .. "\n")
    assert.are.same({ 200, 401, 503 }, read())
  end)

  it("begins a new file when one has grown large, and loses nothing", function()
    local line = LINE:format("200", (" "):rep(10000)) .. "\n"
    for _ = 1, 20 do
      add(line)
    end
    assert.are.equal(20, #read())
    assert.are.equal(1, reopened)
    local file = assert(io.open(path .. ".old", "ab")) -- nginx has not heard of it yet
    file:write(LINE:format("401", "") .. "\n")
    file:close()
    assert.are.equal(401, read()[21])
    add("") -- the new file is there, but nothing in it
    assert.are.equal(21, #read())
    add(LINE:format("503", "") .. "\n")
    assert.are.equal(503, read()[22])
    assert.is_nil(io.open(path .. ".old"))
    assert.are.equal(1, reopened)
  end)
end)
