-- The text of an nginx.conf; that nginx takes it is shown in server_nginx_spec.lua.

local configuration = require("loyalhook.server.configuration")

local function text(more)
  local given = { modules = {}, workers = 1, grace_s = 5, threads = 4, vms = 4,
    access_log = "off", body_kib_max = 10240, path = "/p/?.lua;;", cpath = "/c/?.so;;", http = "",
    server = "", host = "127.0.0.1", port = 8484 }
  for key, value in pairs(more or {}) do
    given[key] = value
  end
  return configuration.text(given)
end

describe("a configuration", function()
  it("quotes what comes from outside", function()
    assert.are.equal([["/a b/\"c\"\\d/$e;f\ng"]], configuration.quoted('/a b/"c"\\d/$e;f\ng'))
    local made = text({ modules = { [[/m "x"/lua.so]] }, path = "/p;q $r/?.lua",
      cpath = "/c{}/?.so" })
    assert.matches('\nload_module "/m \\"x\\"/lua.so";\n', "\n" .. made)
    assert.matches('lua_package_path "/p;q $r/%?.lua";', made)
    assert.matches('lua_package_cpath "/c{}/%?.so";', made)
  end)

  it("names a user only for root, who would become another one", function()
    assert.is_nil(text():find("\nuser ", 1, true))
    assert.is_not_nil(text({ is_root = true }):find("user root;\n", 1, true))
  end)

  it("listens where it is told to and stays in its folder", function()
    local made = text({ host = "127.0.0.1", port = 9, server = "    location / {}" })
    assert.matches("listen 127.0.0.1:9;", made)
    assert.matches("location / {}", made)
    assert.is_nil(made:find("/var/", 1, true))
    assert.is_nil(made:find("/etc/", 1, true))
  end)
end)
