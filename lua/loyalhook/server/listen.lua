-- The nginx of `listen`: the real receiver at any path of a loopback port, with a
-- log of requests that is read here (lines.lua, journal.lua). What runs inside nginx
-- is in inside/listen.lua.

local lines = require("loyalhook.server.lines")
local nginx = require("loyalhook.server.nginx")
local settings = require("loyalhook.server.settings")

local listen = {}

local GRACE_S = 2
local BODY_KIB_MAX = 10240 + 1 -- one more: the receiver itself says what is too large
local REQUESTS = "requests.log"

local HTTP = [[
  lua_shared_dict loyalhook_numbers 64k;
  lua_check_client_abort on;
  init_by_lua_block {
    loyalhook = require("loyalhook.server.inside.listen").new(ngx.config.prefix())
  }]]

local SERVER = [[
    location / {
      content_by_lua_block { loyalhook:handle() }
    }
    location @reset {
      reset_timedout_connection on;
      return 444;
    }]]

--- Starts it. given: folder (temporary), program (the setting nginx, or nil), port (0: a free one),
-- store (location; it is there), source (name), sources (its configuration by name), steps (of
-- respond.parse, or nil), stopped() (whether to give up). Returns nginx and the lines of its
-- requests, or nil, message, code.
function listen.start(given)
  local found, message, code = nginx.find(given.program, given.folder, given.stopped)
  if not found then
    return nil, message, code
  end
  local ok
  ok, message, code = settings.write(given.folder, { source = given.source,
    sources = given.sources, steps = given.steps, store = given.store })
  if not ok then
    return nil, message, code
  end
  local web
  web, message, code = nginx.start({ found = found, folder = given.folder, port = given.port,
    host = "127.0.0.1", workers = 1, grace_s = GRACE_S, body_kib_max = BODY_KIB_MAX,
    access_log = REQUESTS .. " loyalhook", http = HTTP, server = SERVER,
    stopped = given.stopped })
  settings.remove(given.folder)
  if not web then
    return nil, message, code
  end
  return web, lines.new(given.folder .. "/" .. REQUESTS, function()
    web:reopen_logs()
  end)
end

return listen
