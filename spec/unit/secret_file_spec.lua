-- A file with one secret: its newline is not part of it, and nothing of it is ever shown.

local secret_file = require("loyalhook.secret_file")

describe("secret_file.read", function()
  local path

  before_each(function()
    path = os.tmpname()
  end)

  after_each(function()
    os.remove(path)
  end)

  local function of(text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    return secret_file.read(path)
  end

  it("returns the line without its newline", function()
    assert.are.equal("s3cret", of("s3cret"))
    assert.are.equal("s3cret", of("s3cret\n"))
    assert.are.equal("s3cret", of("s3cret\r\n"))
    assert.are.equal(" with spaces ", of(" with spaces \n"))
  end)

  it("refuses what is no secret, without showing it", function()
    for _, text in ipairs({ "", "\n", "s3cret\n\n", "s3cret\nmore", "s3c\0ret",
      ("s3cret"):rep(1000) }) do
      local secret, message, code = of(text)
      assert.is_nil(secret)
      assert.are.equal("config", code)
      assert.is_truthy(message:find(path, 1, true))
      assert.is_nil(message:find("s3c", 1, true))
    end
  end)

  it("says so when there is no such file, or a folder", function()
    assert.is_truthy(select(2, secret_file.read("/nowhere/x")):find("/nowhere/x", 1, true))
    local secret, message, code = secret_file.read("/")
    assert.is_nil(secret)
    assert.are.same({ "string", "config" }, { type(message), code })
  end)
end)
