-- The form of mail addresses, as scripts see it.

local core = require("loyalhook.core")

describe("core.mailbox_check", function()
  it("takes plain addresses only", function()
    assert.is_true(core.mailbox_check("ops+a@example.com"))
    for _, text in ipairs({ "", "ops", "a@b\r\n", "a@b\0", "A <a@b>", "a@b,c@d" }) do
      local ok, message, code = core.mailbox_check(text)
      assert.is_nil(ok)
      assert.is_truthy(message:find("is not a mail address", 1, true))
      assert.are.equal("invalid", code)
    end
    assert.has_error(function() core.mailbox_check(5) end)
  end)
end)
