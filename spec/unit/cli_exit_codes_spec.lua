-- The words of errors and the numbers that scripts see.

local exit_codes = require "loyalhook.cli.exit_codes"

describe("exit codes", function()
  local expected = {
    usage = 2, config = 3, store_missing = 3, store_foreign = 3, store_newer = 3,
    store_damaged = 3, key_missing = 3, secret_unreadable = 3, not_found = 4, invalid = 5,
    unknown_type = 5, conflict = 5, limit = 5, too_large = 5, refused = 5, store_exists = 5,
    revision = 5, denied = 5, too_many = 5,
    signature_mismatch = 5, too_old = 5, full = 1, io = 1, busy = 1, memory = 1, random = 1,
    interrupted = 130,
  }
  for code, number in pairs(expected) do
    it(("%s ends with %d"):format(code, number), function()
      assert.are.equal(number, exit_codes.of(code))
    end)
  end

  it("are 1 for a code nobody has thought of", function()
    assert.are.equal(1, exit_codes.of("no such code"))
    assert.are.equal(1, exit_codes.of(nil))
  end)

  it("know every code of the core", function()
    local file = assert(io.open("src/core/error.h"))
    local text = file:read("*a")
    file:close()
    local failures = { full = true, busy = true, io = true, memory = true, shortage = true,
      random = true, closed = true, ok = true }
    local seen = 0
    for code in text:gmatch('X%(LH_[%w_]+,%s*"([%w_]+)"%)') do
      seen = seen + 1
      assert.is_true(failures[code] or exit_codes.of(code) ~= 1, code .. " has no exit code")
    end
    assert.is_true(seen > 25)
  end)
end)
