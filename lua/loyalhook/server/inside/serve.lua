-- `serve` inside nginx: the receiver for each configured source, and the HTTP API.

local api = require("loyalhook.openresty.api")
local openresty = require("loyalhook.openresty")
local settings = require("loyalhook.server.settings")

local serve = {}

local Serve = {}
Serve.__index = Serve

--- For init_by_lua: reads what the command has written below nginx's prefix. Raises where nginx
-- must not start.
function serve.new(prefix)
  local given = settings.read(prefix)
  local receiver = assert(openresty.receiver({ store = given.store, key_file = given.key_file,
    sources = given.sources, wal_bytes_max = given.wal_bytes_max }))
  return setmetatable({ _receiver = receiver, _api = api.new(given.api) }, Serve)
end

--- The content handler of /receive/<source>.
function Serve:receive()
  openresty.receive(self._receiver, ngx.var.loyalhook_source)
end

--- The content handler of /api/ and /metrics.
function Serve:answer()
  self._api:answer()
end

--- The content handler of a method that nginx, or a place of files, does not take.
function Serve:refuse()
  if ngx.var.request_uri:find("^/console") then
    ngx.status, ngx.header.Allow = 405, "GET, HEAD"
    ngx.print("")
    return
  end
  self._api:answer()
end

--- The content handler of /healthz, which needs neither store nor thread.
function Serve.alive()
  api.alive()
end

return serve
