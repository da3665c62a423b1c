-- The nginx of `listen`, started as the command does; what it shows is tried in
-- spec/blackbox/test_listen.py.

local engine = require("loyalhook.engine")
local journal = require("loyalhook.server.journal")
local receiver = require("loyalhook.receiver")
local server = require("loyalhook.server.listen")
local signature = require("loyalhook.signature")

describe("the nginx of listen", function()
  it("records what is signed, and tells of each request in order", function()
    local folder = assert(engine.folder_new())
    local store = ("sqlite:%s/loyalhook.db"):format(folder)
    local inbox = assert(receiver.open({ store = store, create = true, sources = {} }))
    local web, requests = assert(server.start({ folder = folder, port = 0, store = store,
      source = "shop", sources = { shop = { secrets = { "a secret for tests" } } } }))
    local url = ("http://127.0.0.1:%d/any/path"):format(web.port)
    local body = '{"events":[{"id":"e1","event_type":"t","data":{}}]}'
    local lines = {}
    for name, value in pairs(assert(signature.headers({ secret = "a secret for tests",
      body = body }))) do
      lines[#lines + 1] = name .. ": " .. value
    end
    for _, headers in ipairs({ lines, {}, lines }) do
      assert(engine.post({ url = url, headers = headers, body = body, timeout_ms = 10000 }))
    end
    web:quit()
    local seen = {}
    requests:each(function(line) seen[#seen + 1] = journal.parse(line) end)
    requests:close()
    assert.are.same({ 200, 401, 200 }, { seen[1].status, seen[2].status, seen[3].status })
    assert.are.same({ 1, 0, 1 }, { seen[1].added, seen[3].added, seen[3].duplicates })
    assert.are.equal("the header nonce is missing", seen[2].reason)
    assert.are.equal("shop", inbox:event("e1")[1].source)
    inbox:close()
    engine.folder_remove(folder)
  end)
end)
