-- Values of a store that a shell can complete.

local loyalhook = require "loyalhook"
local values = require "loyalhook.cli.values"

local function names(element, given, current)
  local list = {}
  for index, pair in ipairs(values.look_up(element, given or {}, current or "")) do
    list[index] = pair[1]
  end
  return list
end

describe("values", function()
  local path = os.tmpname()
  local given = { store = "sqlite:" .. path .. ".db" }
  local webhook

  setup(function()
    local sender = assert(loyalhook.sender.open{ store = given.store, create = true })
    webhook = assert(sender:create_webhook{ name = "crm of Zoë; $(x)", account = "shop-7",
      url = "https://example.com/", event_types = { "*" } })
    sender:close()
  end)

  teardown(function()
    for _, suffix in ipairs{ "", ".db", ".db-wal", ".db-shm", ".db.lock", ".db.key" } do
      os.remove(path .. suffix)
    end
  end)

  it("are names of webhooks, and ids where one begins", function()
    local element = { target = "webhook" }
    assert.are.same({ webhook.name }, names(element, given))
    assert.are.same({ webhook.name, webhook.id }, names(element, given, webhook.id:sub(1, 3)))
    assert.are.same({ webhook.name }, names({ names = { "--webhook" } }, given))
    assert.are.same({}, names(element, { store = given.store, account = "other" }))
  end)

  it("are accounts, states, schemes", function()
    assert.are.same({ "shop-7" }, names({ names = { "--account" } }, given))
    assert.are.same({ "shop-7" }, names({ target = "name" }, given)) -- account show NAME
    assert.are.same(require("loyalhook.fields").states, names({ names = { "--state" } }))
    assert.are.same({ "zinrelo", "standard" }, names({ names = { "--scheme" } }))
    assert.are.same({}, names({ target = "request" }, given)) -- there are no requests
  end)

  it("are event types, with categories where several are taken", function()
    local one = names({ target = "event_type" })
    assert.are.equal(20, #one)
    assert.are.same(one, names({ names = { "--event-type" } }))
    local several = names({ names = { "--event-type" }, repeated = true })
    assert.are.equal(25, #several)
    assert.matches("^category:", several[1])
  end)

  it("are none where they cannot be had", function()
    assert.are.same({}, names({ target = "webhook" }, { store = "sqlite:/no/such/store.db" }))
    assert.are.same({}, names({ target = "webhook" }, { config = "/no/such.lua" }))
    assert.are.same({}, names({ names = { "--nonce" } }))
  end)
end)

describe("values of the inbox", function()
  local receiver = require "loyalhook.receiver"
  local path = os.tmpname()
  local given = { store = "sqlite:" .. path .. ".db" }

  setup(function()
    local secret, body = "a secret for tests", '{"events":[{"id":"e1","event_type":"t","data":{}}]}'
    local inbox = assert(receiver.open{ store = given.store, create = true,
      sources = { shop = { secrets = { secret } } } })
    assert.are.equal(200, (inbox:accept("shop",
      loyalhook.signature.headers{ secret = secret, body = body }, body)))
    inbox:close()
    local file = assert(io.open(path .. ".lua", "w"))
    file:write([[return { sources = { shop = { secrets = { "x" } },
      api = { secrets = { "y" } } } }]])
    file:close()
    given.config = path .. ".lua"
  end)

  teardown(function()
    for _, suffix in ipairs{ "", ".db", ".db-wal", ".db-shm", ".db.lock", ".db.key", ".lua" } do
      os.remove(path .. suffix)
    end
  end)

  it("are ids of events, and names of sources and handlers", function()
    assert.are.same({ "e1" }, names({ target = "received" }, given))
    assert.are.same({}, names({ target = "failed_received" }, given))
    assert.are.same({ "api", "shop" }, names({ names = { "--source" } }, given))
    assert.are.same({}, names({ names = { "--handler" } }, given))
  end)
end)
