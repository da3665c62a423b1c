-- What nginx is told of the API: lines, and settings without what it need not know.

local front = require("loyalhook.server.front")

describe("the front of serve", function()
  it("believes proxies only where they are named", function()
    assert.is_nil(front.lines():find("set_real_ip_from", 1, true))
    local lines = front.lines({ "127.0.0.1/32", "10.0.0.0/8" })
    assert.is_truthy(lines:find("set_real_ip_from 127.0.0.1/32;\n", 1, true))
    assert.is_truthy(lines:find("set_real_ip_from 10.0.0.0/8;\n", 1, true))
    assert.is_truthy(lines:find("real_ip_header X-Forwarded-For;", 1, true))
  end)

  it("answers under the address and the public name", function()
    assert.are.same({ "127.0.0.1" }, front.api({}, "127.0.0.1").hosts)
    assert.are.same({}, front.api({}, "0.0.0.0").hosts)
    assert.are.same({ "console.example.com:8443" },
      front.api({ public_url = "https://console.example.com:8443/x" }, "[::]").hosts)
    -- Browsers leave out a scheme's own port.
    assert.are.same({ "a.example" },
      front.api({ public_url = "https://a.example:443" }, "[::]").hosts)
    assert.are.same({ "a.example" },
      front.api({ public_url = "http://a.example:80/" }, "[::]").hosts)
    assert.are.same({ "a.example:80" },
      front.api({ public_url = "https://a.example:80" }, "[::]").hosts)
  end)

  it("marks cookies for TLS if the public URL has it", function()
    assert.is_false(front.api({}, "127.0.0.1").secure)
    assert.is_false(front.api({ public_url = "http://a.example" }, "127.0.0.1").secure)
    assert.is_true(front.api({ public_url = "https://a.example" }, "127.0.0.1").secure)
  end)

  it("hands on what a sender needs, and no source's secret", function()
    local given = front.api({ store = "sqlite:x.db", webhooks_max = 3,
      sources = { shop = { secrets = { "hidden" } } } }, "127.0.0.1")
    assert.are.equal("sqlite:x.db", given.sender.store)
    assert.are.equal(3, given.shown.webhooks_max)
    assert.are.same({ shop = true }, given.shown.sources)
  end)
end)
