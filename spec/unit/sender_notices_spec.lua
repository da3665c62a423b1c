-- The sender's methods about notices and accounts.

local loyalhook = require("loyalhook")

local EVENT = { event_type = "event_points_earned", data = { member_info = { member_id = "m" } } }

describe("a sender's", function()
  local sender, folder

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    sender = assert(loyalhook.sender.open({ store = "sqlite:" .. folder .. "/s.db",
      create = true, allow_http = true, allow_networks = { "127.0.0.0/8" } }))
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  local function refused(wanted, result, message, code)
    assert.is_nil(result)
    assert.are.equal(wanted, code)
    return message
  end

  -- Two webhooks whose first request fails and pauses them.
  local function fail()
    for _, name in ipairs({ "crm", "wallet" }) do
      assert(sender:create_webhook({ name = name, url = "http://127.0.0.1:1/" .. name,
        event_types = { "*" }, retries_max = 0, pause_after = 1 }))
    end
    assert(sender:emit(EVENT))
    local worker = assert(loyalhook.worker.new({ sender = sender, log = function() end }))
    assert(worker:run({ until_idle = true, catch_signals = false }))
    worker:close()
  end

  it("notices are listed newest first, by webhook, account and time", function()
    fail()
    local list, following = assert(sender:notices())
    assert.are.equal(4, #list)
    assert.is_nil(following)
    local crm = assert(sender:notices({ webhook = "crm" }))
    assert.are.equal(2, #crm)
    assert.are.equal("paused", crm[1].kind)
    assert.are.equal("failures", crm[1].reason)
    assert.is_nil(crm[1].request_id)
    assert.are.equal("failed", crm[2].kind)
    assert.are.equal("retries_exhausted", crm[2].reason)
    assert.are.equal("crm", crm[2].webhook_name)
    assert.are.equal("default", crm[2].account)
    assert.is_false(crm[2].mailed)
    assert.is_truthy(crm[2].created_at:find("^%d+-%d+-%d+T"))
    assert.are.equal(crm[2].request_id, assert(sender:request(crm[2].request_id)).request_id)
    assert.are.equal(0, #assert(sender:notices({ account = "nobody" })))
    assert.are.equal(4, #assert(sender:notices({ since = "1h" })))
    refused("not_found", sender:notices({ webhook = "nobody" }))
    refused("invalid", sender:notices({ since = "yesterday" }))
    refused("invalid", sender:notices({ limit = 0 }))
    refused("invalid", sender:notices({ after = "x" }))
    assert.has_error(function() sender:notices({ state = "failed" }) end)
  end)

  it("notices come in pages", function()
    fail()
    local seen, cursor = 0, nil
    repeat
      local list, following = assert(sender:notices({ limit = 3, after = cursor }))
      seen, cursor = seen + #list, following
    until not cursor
    assert.are.equal(4, seen)
  end)

  it("accounts have addresses, or none of their own", function()
    local account = assert(sender:set_account("shop-7", { notify = { "a@b.example",
      "c@d.example" } }))
    assert.are.same({ name = "shop-7", webhooks = 0, notify = account.notify }, account)
    assert.are.same({ "a@b.example", "c@d.example" }, { account.notify[1], account.notify[2] })
    assert.is_nil(assert(sender:set_account("shop-7", { notify = false })).notify)
    assert(sender:set_account("shop-8", { notify = { "a@b.example" } }))
    local list, following = assert(sender:accounts({ limit = 1 }))
    assert.are.same({ "shop-7", "shop-7" }, { list[1].name, following })
    list, following = assert(sender:accounts({ after = following }))
    assert.are.equal("shop-8", list[1].name)
    assert.is_nil(following)
    refused("not_found", sender:account("nobody"))
  end)

  it("accounts refuse what is no address", function()
    for _, notify in ipairs({ {}, { "nobody" }, { "a@b,c@d" }, { "a@b\r\n" }, { "a@b", "" } }) do
      refused("invalid", sender:set_account("shop-7", { notify = notify }))
    end
    local many = {}
    for index = 1, 21 do
      many[index] = "a@b.example"
    end
    refused("limit", sender:set_account("shop-7", { notify = many }))
    refused("invalid", sender:set_account("no account", { notify = { "a@b.example" } }))
    assert.has_error(function() sender:set_account("shop-7", {}) end)
    assert.has_error(function() sender:set_account("shop-7", { notify = true }) end)
    local done, message = pcall(function() sender:set_account("shop-7", { notify = { 5 } }) end)
    assert.is_false(done)
    assert.is_truthy(message:find("sender_notices_spec.lua:%d+: set_account: notify: expected"))
    assert.has_error(function() sender:set_account(7, { notify = false }) end)
    refused("not_found", sender:account("shop-7"))
  end)
end)
