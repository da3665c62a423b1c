-- Secrets and bodies from files, with their limits.

local input = require "loyalhook.cli.input"

describe("input", function()
  local made = {}

  local function file_with(text)
    local path = os.tmpname()
    made[#made + 1] = path
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    return path
  end

  after_each(function()
    for _, path in ipairs(made) do
      os.remove(path)
    end
    made = {}
  end)

  it("reads all bytes of a file, up to a limit", function()
    local path = file_with("a\0b\r\n")
    assert.are.equal("a\0b\r\n", input.read(path))
    assert.are.equal("a\0b\r\n", input.read(path, 5))
    local text, message, code = input.read(path, 4)
    assert.is_nil(text)
    assert.are.equal("too_large", code)
    assert.matches("4 bytes", message)
    assert.are.equal("", input.read(file_with("")))
  end)

  it("tells what is missing from what cannot be read", function()
    local _, message, code = input.read("no/such/file")
    assert.are.equal("not_found", code)
    assert.matches("no/such/file", message)
    local _, _, folder_code = input.read(".")
    assert.are.equal("io", folder_code)
  end)

  it("drops one final newline of a secret and nothing else", function()
    for text, secret in pairs({ ["s"] = "s", ["s\n"] = "s", ["s\r\n"] = "s", ["s\n\n"] = "s\n",
      [" s \n"] = " s ", ["\ns"] = "\ns" }) do
      assert.are.equal(secret, input.secret{ secret_file = file_with(text) })
    end
  end)

  it("takes no empty and no endless secret", function()
    for _, text in ipairs{ "", "\n" } do
      local secret, _, code = input.secret{ secret_file = file_with(text) }
      assert.is_nil(secret)
      assert.are.equal("secret_invalid", code)
    end
    local _, _, code = input.secret{ secret_file = file_with(("x"):rep(4097)) }
    assert.are.equal("too_large", code)
  end)

  it("has no secret if none was named, and asks for one that is needed", function()
    assert.is_nil((input.secret{}))
    assert.is_nil((select(2, input.secret{})))
    local done, value = pcall(input.required_secret, {})
    assert.is_false(done)
    assert.are.equal("usage", value.stop)
  end)

  it("gives secret and body, and knows that stdin is one stream", function()
    local secret, body = input.secret_and_body{ secret_file = file_with("s\n"),
      body = file_with("b\n") }
    assert.are.same({ "s", "b\n" }, { secret, body })
    local done, value = pcall(input.secret_and_body, { secret_stdin = true })
    assert.is_false(done)
    assert.matches("body must be a file", value.message)
    local none, _, code = input.secret_and_body{ secret_file = file_with("s"), body = "no/such" }
    assert.is_nil(none)
    assert.are.equal("not_found", code)
  end)
end)
