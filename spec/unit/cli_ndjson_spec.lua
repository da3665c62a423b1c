-- Lines of events: cut, checked, and their data taken out as it stands.

local ndjson = require "loyalhook.cli.ndjson"

-- A file that gives at most `piece` bytes at a time.
local function file_of(text, piece)
  local at = 1
  return {
    read = function(_, count)
      if at > #text then
        return nil
      end
      local chunk = text:sub(at, at + math.min(count, piece) - 1)
      at = at + #chunk
      return chunk
    end,
  }
end

local function lines_of(text, piece, bytes_max)
  local lines = {}
  for number, line in ndjson.lines(file_of(text, piece), bytes_max or 100) do
    lines[#lines + 1] = { number, line }
  end
  return lines
end

describe("lines", function()
  for piece = 1, 7 do
    it("are the same however the file is read, " .. piece .. " bytes at a time", function()
      assert.are.same({ { 1, "one" }, { 2, "" }, { 3, "three" }, { 4, "4" } },
        lines_of("one\n\nthree\n4", piece))
    end)

    it("that are too long are counted and skipped, " .. piece .. " bytes at a time", function()
      assert.are.same({ { 1, "1234" }, { 2, false }, { 3, "ok" }, { 4, false } },
        lines_of("1234\n12345\nok\n" .. ("x"):rep(50), piece, 5))
    end)
  end

  it("end with the file", function()
    assert.are.same({}, lines_of("", 10))
    assert.are.same({ { 1, "a" } }, lines_of("a\n", 10))
  end)

  it("of a file that cannot be read raise", function()
    local broken = { read = function() return nil, "Input/output error" end }
    local done, value = pcall(function()
      for _ in ndjson.lines(broken, 10) do end -- luacheck: ignore
    end)
    assert.is_false(done)
    assert.are.equal("io", value.code)
    assert.matches("Input/output error", value.message)
  end)
end)

describe("an event", function()
  it("keeps the bytes of its data", function()
    local data = [[{ "a" : [1.0, "}]\"\\", {"b":null}],]] .. "\t" .. [["k\u0065y": -0.0e5 }]]
    local event = assert(ndjson.event('{"data":' .. data .. ' , "event_type":"event_x"}'))
    assert.are.equal(data, event.data)
    assert.are.equal("event_x", event.event_type)
  end)

  it("has its place beside it", function()
    local event = assert(ndjson.event([[ {"event_type":"t","id":"61f11851bdfb9aac526d0c70",
      "account":"shop-7","idempotency_key":"k\u00e9\"","data":{}} ]]))
    assert.are.same({ event_type = "t", id = "61f11851bdfb9aac526d0c70", account = "shop-7",
      idempotency_key = 'ké"', data = "{}" }, event)
  end)

  it("may name its members with escapes, and null is absent", function()
    local event = assert(ndjson.event([[{"event\u005ftype":"t","account":null,"data":7}]]))
    assert.are.same({ event_type = "t", data = "7" }, event)
  end)

  it("may have a data that looks like its line", function()
    local data = [[{"event_type":"x","data":{"data":1},"a":"\"data\":{}"}]]
    for _, line in ipairs({ '{"event_type":"t","data":%s}', ' { "data" : %s , "event_type" :"t" } ',
      '{"event_type":"t","data":%s,"account":null}' }) do
      local event = assert(ndjson.event((line:gsub("%%s", (data:gsub("%%", "%%%%"))))))
      assert.are.same({ event_type = "t", data = data }, event)
    end
  end)

  for _, line in ipairs({ [[{"event_type":"a","data":1,"event_type":"b"}]],
    [[{"event_type":"a","data":{"a":1},"data":{"a":1}}]],
    [[{"event_type":"a","data":12,"data":1}]], [[{"data":1,"data":12,"event_type":"a"}]],
    [[{"event_type":"a","data":"}","data":{}}]],
    [[{"event_type":"a", "d\u0061ta" : {"data":2} , "data" :{"data":2} } ]] }) do
    it("with a member twice is refused: " .. line, function()
      local event, message, code = ndjson.event(line)
      assert.is_nil(event)
      assert.are.equal("invalid", code)
      assert.matches("is there twice$", message)
    end)
  end

  it("may be as deep inside as data may be", function()
    local data = ('{"a":'):rep(63) .. "{}" .. ("}"):rep(63)
    assert.are.equal(data, assert(ndjson.event('{"event_type":"t","data":' .. data .. "}")).data)
  end)

  local wrong = {
    { "nothing", "", "invalid" },
    { "an array", "[]", "not a JSON object" },
    { "two values", '{"event_type":"t","data":{}} {}', "" },
    { "no type", '{"data":{}}', "event_type is missing" },
    { "no data", '{"event_type":"t"}', "data is missing" },
    { "a type that is no string", '{"event_type":7,"data":{}}', "event_type: must be a string" },
    { "an unknown member", '{"event_type":"t","data":{},"idempotencykey":"k"}', "idempotencykey" },
    { "bytes that are not UTF-8", '{"event_type":"t","data":{"a":"\255"}}', "" },
    { "an empty object", "{ }", "event_type is missing" },
  }
  for _, case in ipairs(wrong) do
    it("is refused: " .. case[1], function()
      local event, message, code = ndjson.event(case[2])
      assert.is_nil(event)
      assert.are.equal("invalid", code)
      assert.is_not_nil(message:find(case[3] == "invalid" and "" or case[3], 1, true), message)
    end)
  end
end)
