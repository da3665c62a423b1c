-- The sender's methods about webhooks: changes, refusals, what is shown and what never is.

local loyalhook = require("loyalhook")

local EVENT = { event_type = "event_points_earned", data = { member_info = { member_id = "m" } } }

describe("sender's webhooks", function()
  local sender, folder, webhook

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    sender = assert(loyalhook.sender.open({ store = "sqlite:" .. folder .. "/s.db",
      create = true, allow_http = true, allow_networks = { "127.0.0.0/8" } }))
    webhook = assert(sender:create_webhook({ name = "crm", url = "https://example.com/hook",
      event_types = { "category:member" }, headers = { ["X-A"] = "1" },
      retry_schedule = { 1, 2 }, batch_size = 9 }))
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  local function refused(wanted, result, message, code)
    assert.is_nil(result)
    assert.are.equal(wanted, code)
    assert.is_nil(message:find("\n", 1, true))
    return message
  end

  it("are edited field by field, by name or id", function()
    local edited = assert(sender:update_webhook("crm", { batch_size = 5, ordered = true }))
    assert.are.equal(5, edited.batch_size)
    assert.is_true(edited.ordered)
    assert.are.same({ ["X-A"] = "1" }, edited.headers)
    assert.are.same({ 1, 2 }, { edited.retry_schedule[1], edited.retry_schedule[2] })
    assert.is_nil(edited.secret)
    edited = assert(sender:update_webhook(webhook.id, { retry_schedule = {}, headers = {},
      ordered = false, success = "2xx", name = "renamed", event_types = { "*" } }))
    assert.is_nil(edited.retry_schedule)
    assert.are.same({}, edited.headers)
    assert.is_false(edited.ordered)
    assert.are.equal("2xx", edited.success)
    assert.are.same(edited, assert(sender:webhook("renamed")))
  end)

  it("are changed with an entry of the audit log, or not at all", function()
    local access = require("loyalhook.access").new({ store = sender._store })
    local first = assert(access:audit{ object = webhook.id })
    assert.are.same({ "lua", "webhook.create", "set" },
      { first[1].who, first[1].what, first[1].detail.headers })
    assert(sender:update_webhook("crm", { batch_size = 5 }, { by = { who = "deploy",
      detail = '{"release":7}' } }))
    local entry = assert(access:audit{ limit = 1 })[1]
    assert.are.same({ "deploy", { release = 7 } }, { entry.who, entry.detail })
    refused("invalid", sender:disable_webhook("crm", { by = { who = "deploy", detail = "7" } }))
    refused("invalid", sender:disable_webhook("crm", { by = { who = ("x"):rep(129) } }))
    assert.are.equal("enabled", sender:webhook("crm").status)
    assert.are.equal(2, #assert(access:audit()))
    for _, by in ipairs{ "deploy", {}, { who = 7 }, { who = "x", detail = {} } } do
      assert.has_error(function() sender:disable_webhook("crm", { by = by }) end)
    end
  end)

  it("are changed only as they were read, if one says so", function()
    assert.are.equal(1, webhook.revision)
    local read = { if_revision = webhook.revision }
    local edited = assert(sender:update_webhook("crm", { batch_size = 5 }, read))
    assert.is_true(edited.revision > 1)
    for _, change in ipairs{
      function() return sender:update_webhook("crm", { batch_size = 6 }, read) end,
      function() return sender:disable_webhook("crm", read) end,
      function() return sender:enable_webhook("crm", read) end,
      function() return sender:enable_webhook("crm", { retry_failed = true, if_revision = 1 }) end,
      function() return sender:delete_webhook("crm", read) end,
      function() return sender:rotate_secret("crm", read) end,
    } do
      assert.matches("read it again", refused("revision", change()))
    end
    assert.are.same(edited, assert(sender:webhook("crm")))
    local rotated = assert(sender:rotate_secret("crm", { if_revision = edited.revision }))
    local disabled = assert(sender:disable_webhook("crm", { if_revision = rotated.revision }))
    assert.are.equal(disabled.revision, assert(sender:webhooks())[1].revision)
    assert(sender:enable_webhook("crm"))
  end)

  it("refuse what is wrong in an edit and stay as they were", function()
    local before = assert(sender:webhook("crm"))
    assert.matches("rotating", refused("invalid",
      sender:update_webhook("crm", { secret = ("x"):rep(16) })))
    assert.matches("^account:", refused("invalid", sender:update_webhook("crm", { account = "b" })))
    assert.matches("^batch_size", refused("invalid",
      sender:update_webhook("crm", { batch_size = 0 })))
    assert.matches("batch_size", refused("invalid",
      sender:update_webhook("crm", { batch_siz = 1 })))
    assert.matches("^event_types", refused("unknown_type",
      sender:update_webhook("crm", { event_types = { "event_points_eaned" } })))
    assert.matches("^url", refused("invalid", sender:update_webhook("crm", { url = "ftp://x" })))
    assert.matches("at least one", refused("invalid",
      sender:update_webhook("crm", { event_types = {} })))
    refused("invalid", sender:update_webhook("crm", {}))
    refused("not_found", sender:update_webhook("nobody", { batch_size = 1 }))
    assert.are.same(before, assert(sender:webhook("crm")))
    assert.has_error(function() sender:update_webhook(nil, {}) end)
    assert.has_error(function() sender:update_webhook("crm") end)
  end)

  it("are disabled, enabled and deleted", function()
    assert.are.equal("disabled", assert(sender:disable_webhook("crm")).status)
    assert.are.equal("enabled", assert(sender:enable_webhook("crm")).status)
    assert.are.equal("deleted", assert(sender:delete_webhook("crm")).status)
    refused("not_found", sender:webhook("crm"))
    assert.are.equal("deleted", assert(sender:webhook(webhook.id)).status)
    refused("refused", sender:enable_webhook(webhook.id))
    refused("refused", sender:update_webhook(webhook.id, { batch_size = 1 }))
    assert.are.equal(0, #assert(sender:webhooks()))
    assert.are.equal(1, #assert(sender:webhooks({ with_deleted = true })))
  end)

  it("are told apart by account", function()
    assert(sender:create_webhook({ account = "b", name = "crm", url = "https://b.example/",
      event_types = { "*" } }))
    refused("conflict", sender:disable_webhook("crm"))
    assert.are.equal("b", assert(sender:disable_webhook("crm", { account = "b" })).account)
    assert.are.equal("enabled", assert(sender:webhook(webhook.id)).status)
  end)

  it("show a new secret once, and when it takes over", function()
    local rotated = assert(sender:rotate_secret("crm", { overlap_s = 60 }))
    assert.are_not.equal(webhook.secret, rotated.secret)
    assert.matches("^whsec_", rotated.secret)
    assert.matches("^%d%d%d%d%-", rotated.secret_rotates_at)
    local shown = assert(sender:webhook("crm"))
    assert.is_nil(shown.secret)
    assert.are.equal(rotated.secret_rotates_at, shown.secret_rotates_at)
    rotated = assert(sender:rotate_secret("crm", { overlap_s = 0, secret = ("s"):rep(16) }))
    assert.are.equal(("s"):rep(16), rotated.secret)
    assert.is_nil(rotated.secret_rotates_at)
    refused("secret_invalid", sender:rotate_secret("crm", { secret = "short" }))
    for _, wrong in ipairs{ 1e9, -1, 0.5, 0 / 0 } do
      local message = refused("invalid", sender:rotate_secret("crm", { overlap_s = wrong }))
      assert.are.equal("overlap_s: not a whole number from 0 to 2592000", message)
    end
  end)

  it("can be tried; what cannot be reached is a result", function()
    assert(sender:update_webhook("crm", { url = "http://127.0.0.1:1/" }))
    assert(sender:disable_webhook("crm"))
    local result = assert(sender:test_webhook("crm"))
    assert.is_false(result.delivered)
    assert.are.equal("connect", result.outcome)
    assert.are.equal("event_member_enrol", result.event_type)
    assert.matches("^%x+$", result.event_id)
    assert.are.equal(0, #assert(sender:requests()))
    refused("unknown_type", sender:test_webhook("crm", { event_type = "event_none" }))
    assert(sender:delete_webhook("crm"))
    refused("refused", sender:test_webhook(webhook.id))
  end)

  it("take no more events once disabled", function()
    assert(sender:update_webhook("crm", { event_types = { "*" } }))
    assert(sender:emit(EVENT))
    assert(sender:disable_webhook("crm"))
    assert(sender:emit(EVENT))
    local worker = assert(loyalhook.worker.new({ sender = sender, log = function() end }))
    assert.is_true(worker:run({ until_idle = true, catch_signals = false }))
    worker:close()
    local list = assert(sender:requests())
    assert.are.equal(1, #list)
    assert.are.equal("failed", list[1].state)
    assert.are.equal("disabled", list[1].reason)
    assert.are.equal(1, list[1].total_count)
  end)
end)
