-- What nginx serves beside the receiver: the HTTP API, metrics, whether it lives, and the
-- console's files. The lines of its configuration, and what the API needs to know as plain
-- data.

local console = require("loyalhook.server.console")

local front = {}

--- Lines outside http: pools of threads for the API, for what takes long, and for passwords.
front.main = [[
thread_pool loyalhook_api threads=4;
thread_pool loyalhook_slow threads=4;
thread_pool loyalhook_passwords threads=2;
]]

local PROBLEM = [[
    error_page %s /loyalhook/%d;
    location = /loyalhook/%d {
      internal;
      default_type application/problem+json;
      return %d '{"type":"about:blank","title":"%s","status":%d,"code":"%s","detail":"%s"}';
    }
]]

-- What nginx refuses before a handler of ours sees it. 494: headers that are too long.
local REFUSED = {
  { "400 494", 400, "Bad Request", "invalid",
    "this is no HTTP request, or its headers are longer than 32 KB" },
  { "413", 413, "Content Too Large", "too_large", "the body is too large" },
  { "414", 414, "URI Too Long", "too_large", "the address is longer than 8 KB" },
}

-- Bodies are read before it is known who sends them: only events may be large.
local LINES = [[
    location /api/ {
      client_max_body_size 65k;
      content_by_lua_block { loyalhook:answer() }
    }
    location = /api/v1/events {
      client_max_body_size 16385k;
      content_by_lua_block { loyalhook:answer() }
    }
    location = /metrics {
      client_max_body_size 65k;
      content_by_lua_block { loyalhook:answer() }
    }
    location = /healthz/ready {
      client_max_body_size 65k;
      content_by_lua_block { loyalhook:answer() }
    }
    location = /healthz {
      content_by_lua_block { loyalhook.alive() }
    }
    error_page 405 @loyalhook_method;
    location @loyalhook_method {
      content_by_lua_block { loyalhook:refuse() }
    }
]]
local REST = [[
    location / {
      return 404;
    }
]]

local function refused_lines()
  local parts = {}
  for index, entry in ipairs(REFUSED) do
    local of, status, title, code, detail = entry[1], entry[2], entry[3], entry[4], entry[5]
    parts[index] = PROBLEM:format(of, status, status, status, title, status, code, detail)
  end
  return table.concat(parts)
end

--- Lines of the server. proxies: networks (CIDR, checked) of proxies whose X-Forwarded-For is
-- believed, or nil. Or nil, message, code.
function front.lines(proxies)
  local trust, root = {}, console.find()
  local pages, message, code = "", nil, nil
  if root then
    pages, message, code = console.lines(root)
  end
  if not pages then
    return nil, message, code
  end
  for _, network in ipairs(proxies or {}) do
    trust[#trust + 1] = ("    set_real_ip_from %s;\n"):format(network)
  end
  if #trust > 0 then
    trust[#trust + 1] = "    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n"
  end
  return table.concat(trust) .. refused_lines() .. LINES .. pages .. "\n" .. REST
end

local SENDER = { "store", "key_file", "types", "account", "allow_http", "allow_networks", "ca_file",
  "webhooks_max", "wal_bytes_max" }
local SHOWN = { "account", "webhooks_max", "retention_days", "failed_retention_days", "dedupe_days",
  "allow_http", "allow_networks", "notices", "store", "ca_file" }

local function picked(settings, names)
  local values = {}
  for _, name in ipairs(names) do
    values[name] = settings[name]
  end
  return values
end

-- Only their names: what the API shows needs no secrets.
local function names_of(sources)
  local names = {}
  for name in pairs(sources or {}) do
    names[name] = true
  end
  return names
end

local OWN_PORT = { http = ":80$", https = ":443$" } -- browsers leave it out of Host

-- Names under which it is reached: of the address it listens on, unless that is all of them, and of
-- the public URL.
local function hosts_of(host, public_url)
  local hosts = {}
  if host ~= "0.0.0.0" and host ~= "[::]" then
    hosts[1] = host
  end
  if public_url then
    local scheme, name = public_url:match("^(%a+)://([^/]+)")
    hosts[#hosts + 1] = name:gsub(OWN_PORT[scheme], "")
  end
  return hosts
end

--- What the API needs, of checked settings, for the nginx that listens on `host`.
function front.api(settings, host)
  local shown, public_url = picked(settings, SHOWN), settings.public_url
  shown.sources = names_of(settings.sources)
  return { sender = picked(settings, SENDER), shown = shown, hosts = hosts_of(host, public_url),
    secure = public_url ~= nil and public_url:find("^https:") ~= nil,
    metrics_public = settings.metrics_public or false }
end

return front
