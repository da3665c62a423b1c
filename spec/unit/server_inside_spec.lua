-- What `listen` says of a request, without nginx around it; with it, in
-- spec/blackbox/test_listen.py.

local engine = require("loyalhook.engine")
local look = require("loyalhook.server.inside.look")
local signature = require("loyalhook.signature")

describe("a second look", function()
  it("finds the events of an envelope", function()
    assert.are.same({ total_count = 2, events = { { id = "e1", event_type = "t" },
      { id = "e2", event_type = "u" } } }, look.inside({ body = '{"events":[{"id":"e1",'
      .. '"event_type":"t","data":{}},{"id":"e2","event_type":"u","data":{}}]}' }))
  end)

  it("finds the one event of a body of Standard Webhooks", function()
    assert.are.same({ total_count = 1, events = { { id = "msg_1", event_type = "invoice.paid" } } },
      look.inside({ body = '{"type":"invoice.paid"}', id = "msg_1" }))
  end)

  it("survives what is no envelope, and shows a thousand events", function()
    for _, body in ipairs({ "", "x", "7", "[]" }) do
      local inside = look.inside({ body = body })
      assert.is_true(inside.total_count <= 1)
    end
    local one = '{"id":"e","event_type":"t","data":{}}'
    local inside = look.inside({ body = '{"events":[' .. (one .. ","):rep(1999) .. one .. "]}" })
    assert.are.equal(2000, inside.total_count)
    assert.are.equal(1000, #inside.events)
  end)

  it("reads a body that nginx has put into a file", function()
    local folder = assert(engine.folder_new())
    local file = assert(io.open(folder .. "/body", "wb"))
    file:write('{"events":[]}')
    file:close()
    assert.are.same({ events = {}, total_count = 0 }, look.inside({ file = folder .. "/body" }))
    engine.folder_remove(folder)
    assert.are.equal(0, look.inside({ file = folder .. "/body" }).total_count)
  end)

  it("says why a request was refused", function()
    local secret, body = "a secret for tests", '{"events":[]}'
    local headers = assert(signature.headers({ secret = secret, body = body, nonce =
      "1640796461000" }))
    local why = look.why({ body = body .. "\n", headers = headers, now_ms = 1640796461000,
      source = { secrets = { "another one of 16+", secret } } })
    assert.matches("line", why.reason)
    assert.is_string(why.hint)
    why = look.why({ body = body, headers = headers, now_ms = 1640796461000,
      source = { secret_files = { "/no/such/file" } } })
    assert.matches("/no/such/file", why.reason)
  end)
end)
