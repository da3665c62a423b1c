-- Where the console's files are found, and what nginx is told of them.

local console = require "loyalhook.server.console"

describe("the console's files", function()
  it("are found beside the Lua tree of a checkout", function()
    local root = console.find("lua")
    assert.equal("lua/..", root)
    local file = assert(io.open(root .. "/console/index.html"))
    file:close()
  end)

  it("are found from where this Lua found loyalhook", function()
    assert.is_truthy(console.find())
  end)

  it("may be nowhere", function()
    assert.is_nil(console.find("spec/unit"))
  end)

  it("are served from a quoted folder, with a policy", function()
    local lines = console.lines('/opt/a "b"')
    assert.is_truthy(lines:find('root "/opt/a \\"b\\"";', 1, true))
    assert.is_truthy(lines:find("default-src 'none'", 1, true))
    assert.is_nil(lines:find("unsafe", 1, true))
  end)

  it("are served from the folder that nginx was started in, where Lua was found relative to it",
    function()
      assert.is_truthy(console.lines("./bin/.."):find(
        'root "/proc/self/cwd/./bin/..";', 1, true))
    end)

  it("are not served from a folder that nginx would misread", function()
    local lines, message, code = console.lines("/opt/$host")
    assert.is_nil(lines)
    assert.equal("config", code)
    assert.is_truthy(message:find("/opt/$host", 1, true))
  end)
end)
