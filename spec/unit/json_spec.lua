-- The bytes that get signed: every trap of JSON in Lua, the same on both VMs.

local json = require("loyalhook.json")

-- The message of a refusal.
local function refused(value, options)
  local text, message, code = json.encode(value, options)
  assert.is_nil(text)
  assert.are.equal("invalid", code)
  return message
end

describe("json.encode", function()
  it("sorts keys and adds no spaces", function()
    assert.are.equal('{"a":[1,2],"b":{"c":true,"d":false},"z":"x"}',
      json.encode({ z = "x", b = { d = false, c = true }, a = { 1, 2 } }))
  end)

  it("writes integers exactly, however large", function()
    assert.are.equal("100000000000000", json.encode(1e14))
    assert.are.equal("123456789012345", json.encode(123456789012345))
    assert.are.equal("1640782061123456", json.encode(1640782061123456))
    assert.are.equal("9007199254740992", json.encode(2 ^ 53))
    assert.are.equal("-9223372036854775808", json.encode(-2 ^ 63))
    assert.are.equal("4611686018427387904", json.encode(2 ^ 62))
  end)

  it("writes the same for an integer and a float of the same value", function()
    assert.are.equal("3", json.encode(3.0))
    assert.are.equal("3", json.encode(6 / 2))
    assert.are.equal("0", json.encode(-0.0))
  end)

  it("writes the shortest text that reads back as the same number", function()
    for text, number in pairs({ ["0.1"] = 0.1, ["0.30000000000000004"] = 0.1 + 0.2,
      ["12345678901234.5"] = 12345678901234.5, ["1e+300"] = 1e300, ["-2.5"] = -2.5,
      ["9.223372036854776e+18"] = 2 ^ 63, ["1e-07"] = 1e-7 }) do
      assert.are.equal(text, json.encode(number))
    end
  end)

  it("settles decimals that lie exactly in the middle the same way on every VM", function()
    assert.are.equal("20256726491951.312", json.encode(20256726491951.3125))
    assert.are.equal("1729084729784967.2", json.encode(1729084729784967.25))
    assert.are.equal("20000000000000.062", json.encode(2e13 + 0.0625))
  end)

  it("writes 6000 odd doubles to the same bytes on every VM, each readable again", function()
    local random = require("loyalhook.samples.random")(7)
    local texts = {}
    for index = 1, 6000 do
      local number = random:int(1, 2 ^ 31) * 2147483647.0 + random:int(1, 2 ^ 31)
      number = index % 3 == 0 and number / random:int(1, 2 ^ 31)
        or index % 3 == 1 and number * 2.0 ^ random:int(-70, -10)
        or math.floor(number / 2 ^ random:int(0, 11)) / 2.0 ^ random:int(0, 13)
      texts[index] = json.encode(number)
      assert.are.equal(number, tonumber(texts[index]))
    end
    assert.are.equal("270ff01490fe87b8678cab2acd9bae7b014395c159b829be68658cfb7d0276ba",
      require("loyalhook.core").hmac("sha256", "k", table.concat(texts, ",")))
  end)

  it("escapes what JSON demands and nothing else", function()
    assert.are.equal([["a/b \" \\ \n \t \r \b \f \u0000 \u001f ]] .. "\127" .. '"',
      json.encode("a/b \" \\ \n \t \r \b \f \0 \31 \127"))
    assert.are.equal('"Zoë ☃ 😀"', json.encode("Zoë ☃ 😀"))
  end)

  it("tells empty arrays from empty objects by their marker", function()
    assert.are.equal("{}", json.encode({}))
    assert.are.equal("[]", json.encode(json.array()))
    assert.are.equal("[]", json.encode(json.array({})))
    assert.are.equal("[]", json.encode(json.empty_array))
    assert.are.equal("[1]", json.encode(json.array({ 1 })))
    local plain = {}
    assert.are.equal('{"a":[]}', json.encode({ a = plain }, { arrays = { [plain] = true } }))
    assert.has_error(function()
      json.empty_array[1] = 1
    end)
  end)

  it("writes null", function()
    assert.are.equal('{"a":null}', json.encode({ a = json.null }))
    assert.are.equal("[null,1]", json.encode({ json.null, 1 }))
  end)

  it("embeds raw JSON as it is, if it is JSON", function()
    assert.are.equal('{"a":{"n": 12345678901234567890}}',
      json.encode({ a = json.raw('{"n": 12345678901234567890}') }))
    local marker, _, code = json.raw("{oops}")
    assert.is_nil(marker)
    assert.are.equal("invalid", code)
  end)

  it("names the place of what cannot be said in JSON", function()
    assert.are.equal("a.b[2]: NaN and infinity are not JSON",
      refused({ a = { b = { 1, 0 / 0 } } }))
    assert.are.equal("x: NaN and infinity are not JSON", refused({ x = -1 / 0 }))
    assert.are.equal("f: a function cannot be written as JSON", refused({ f = print }))
    assert.are.equal("f: a thread cannot be written as JSON",
      refused({ f = coroutine.create(print) }))
    assert.are.equal("f: a userdata cannot be written as JSON", refused({ f = io.stdout }))
    assert.are.equal("value: a function cannot be written as JSON", refused(print))
    assert.are.equal("data: a function cannot be written as JSON",
      refused(print, { name = "data" }))
    assert.are.equal("a[1].b: byte 2 is not UTF-8", refused({ a = { { b = "x\255" } } }))
    assert.are.equal('["x?"]: key: byte 2 is not UTF-8', refused({ ["x\255"] = 1 }))
  end)

  it("refuses overlong and surrogate UTF-8", function()
    for _, bytes in ipairs({ "\192\128", "\237\160\128", "\244\144\128\128", "\195" }) do
      refused(bytes)
    end
  end)

  it("refuses holes, mixed and odd keys", function()
    assert.are.equal("a: array with a hole: entry 2 is nil", refused({ a = { 1, nil, 3 } }))
    assert.are.equal("value: array with a hole: entry 1 is nil", refused({ [1000] = 1 }))
    assert.are.equal('a: both numbered entries and the key "b"', refused({ a = { 1, b = 2 } }))
    assert.are.equal('value: both numbered entries and the key "n"',
      refused(json.array({ n = 1 })))
    assert.are.equal("value: key 1.5: keys are strings, or 1 to n", refused({ [1.5] = 1 }))
    assert.are.equal("value: key 0: keys are strings, or 1 to n", refused({ [0] = 1 }))
    assert.are.equal("value: key true: keys are strings, or 1 to n", refused({ [true] = 1 }))
    assert.are.equal('{"1":"a","2":"b"}', json.encode({ ["1"] = "a", ["2"] = "b" }))
  end)

  it("refuses cycles and more than 64 levels", function()
    local cycle = {}
    cycle.again = cycle
    assert.is_truthy(refused(cycle):find("more than 64 levels deep, or a cycle", 1, true))
    local deep = "x"
    for _ = 1, 64 do
      deep = { deep }
    end
    assert.are.equal(("["):rep(64) .. '"x"' .. ("]"):rep(64), json.encode(deep))
    refused({ deep })
  end)

  it("looks at raw entries only", function()
    local proxy = setmetatable({ a = 1 }, { __index = function()
      return 2
    end })
    assert.are.equal('{"a":1}', json.encode(proxy))
  end)

  it("is not fooled by a locale's decimal comma", function()
    local before = os.setlocale(nil, "numeric")
    local set = os.setlocale("comma", "numeric") -- spec/run.py makes it
    local text = json.encode({ 0.5, 0.1 + 0.2 })
    local value = json.decode("[0.5,1e-1]")
    os.setlocale(before, "numeric")
    if not set then
      pending("no localedef on this machine, which makes a locale with a decimal comma")
    end
    assert.are.same({ 0.5, 0.1 }, { value[1], value[2] })
    assert.are.equal("[0.5,0.30000000000000004]", text)
  end)

  it("gives the same bytes from run to run", function()
    local function build(first, last, step)
      local object = {}
      for index = first, last, step do
        object["key" .. index] = index
      end
      return object
    end
    assert.are.equal(json.encode(build(1, 200, 1)), json.encode(build(200, 1, -1)))
  end)
end)

describe("json.decode", function()
  it("reads what encode writes", function()
    local value = { a = { 1, 2.5, "x/y" }, b = { c = true }, d = json.null }
    assert.are.same(value, json.decode(json.encode(value)))
  end)

  it("makes whole numbers integers, however they are written", function()
    local value = json.decode('[2,2.0,20e-1,-0,-0.0,9007199254740991,-9007199254740991,360.00]')
    local texts = {}
    for i, number in ipairs(value) do texts[i] = ("%d"):format(number) end
    assert.are.equal("2 2 2 0 0 9007199254740991 -9007199254740991 360", table.concat(texts, " "))
    assert.are.equal("2", tostring(value[2]))
    assert.are.equal("0", tostring(value[5]))
    for _, number in ipairs(math.type and value or {}) do
      assert.are.equal("integer", math.type(number))
    end
  end)

  it("makes other numbers the nearest double", function()
    local value = json.decode("[0.1,1e22,1e23,5e-324,1.7976931348623157e308,9007199254740993," ..
      "123456789012345678901234567890,1e400,-1e400,1e-400]")
    assert.are.same({ 0.1, 1e22, 1e23, 5e-324, 1.7976931348623157e308, 9007199254740992,
      123456789012345678901234567890, math.huge, -math.huge, 0 }, value)
  end)

  it("tells an empty array from an empty object", function()
    for _, text in ipairs({ "[]", "{}", "[[],{}]", '{"a":[],"b":{}}' }) do
      assert.are.equal(text, json.encode(json.decode(text)))
    end
    local emptied = json.decode('{"a":[1]}')
    emptied.a[1] = nil
    assert.are.equal('{"a":[]}', json.encode(emptied))
  end)

  it("keeps strings as UTF-8, with NUL and escapes undone", function()
    assert.are.equal("a\0b\n\195\169\240\159\152\128/", json.decode(
      [["a\u0000b\n\u00e9\ud83d\ude00\/"]]))
    assert.are.same({ ["\195\169\n"] = "\195\169" }, json.decode('{"\\u00e9\\n":"\195\169"}'))
  end)

  it("takes the last of a repeated name", function()
    assert.are.same({ a = { b = 2 } }, json.decode('{"a":[1],"a":{"b":1,"b":2}}'))
  end)

  it("reads what stands alone", function()
    assert.are.equal(json.null, json.decode(" null "))
    assert.is_true(json.decode("true"))
    assert.is_false(json.decode("false"))
    assert.are.equal("", json.decode('""'))
    assert.are.equal(json.null, require("cjson").null)
  end)

  it("reads containers as deep as events may be", function()
    local text = ("["):rep(64) .. ("]"):rep(64)
    assert.are.equal(text, json.encode(json.decode(text)))
    text = ('{"a":'):rep(64) .. "1" .. ("}"):rep(64)
    assert.are.equal(text, json.encode(json.decode(text)))
  end)

  it("refuses what strict JSON refuses, although lua-cjson would take it", function()
    for _, text in ipairs({ "NaN", "[0x10]", "[01]", "[1.]", "[+1]", "[Infinity]", '"a\nb"',
      '"\255"', "{}x", "", '"\\ud800"', ("["):rep(65) .. ("]"):rep(65) }) do
      local value, message, code = json.decode(text)
      assert.is_nil(value, text)
      assert.are.equal("string", type(message))
      assert.are.equal("invalid", code)
    end
  end)

  it("raises for what is not text", function()
    assert.has_error(function()
      json.decode(nil)
    end, "json.decode: expected a string, got nil")
  end)

  it("does not change lua-cjson for others", function()
    json.decode("1")
    assert.has_no.errors(function()
      require("cjson").decode("[NaN]")
    end)
  end)
end)
