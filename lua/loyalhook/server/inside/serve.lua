-- `serve` inside nginx: the receiver for each configured source.

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
  return setmetatable({ _receiver = receiver }, Serve)
end

--- The content handler of /receive/<source>.
function Serve:receive()
  openresty.receive(self._receiver, ngx.var.loyalhook_source)
end

return serve
