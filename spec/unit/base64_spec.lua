-- RFC 4648 in plain Lua: vectors, all bytes, refusals.

local base64 = require("loyalhook.base64")

describe("base64", function()
  it("has RFC 4648's vectors", function()
    for plain, text in pairs({ [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
      fooba = "Zm9vYmE=", foobar = "Zm9vYmFy", ["\0\255\128"] = "AP+A" }) do
      assert.are.equal(text, base64.encode(plain))
      assert.are.equal(plain, base64.decode(text))
    end
  end)

  it("round-trips all bytes at every length", function()
    local bytes = {}
    for index = 1, 300 do
      bytes[index] = string.char((index * 7) % 256)
      local text = table.concat(bytes)
      assert.are.equal(text, base64.decode(base64.encode(text)))
    end
  end)

  it("refuses anything else", function()
    for _, text in ipairs({ "Zg", "Zg=", "Zg===", "Z", "Zm9v Zm9v", "Zm9-", "====", "Zm9vY===",
      "=Zg=" }) do
      assert.is_nil(base64.decode(text), text)
    end
  end)
end)
