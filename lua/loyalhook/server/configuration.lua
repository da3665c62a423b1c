-- The text of an nginx.conf. All files are below nginx's prefix and named relative
-- to it, and what our Lua code needs is in a file there: so the only foreign values
-- in the text are a host, a port and the places of modules and Lua trees.

local configuration = {}

-- Quoted for nginx's parser, which unescapes in quotes. Directives that know variables are given
-- no foreign value (a dollar cannot be escaped there).
local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("\r", "\\r") .. '"'
end

configuration.quoted = quoted

local MAIN = [[
%s%sworker_processes %s;
worker_shutdown_timeout %ds;
daemon off;
pid nginx.pid;
error_log error.log notice;
thread_pool loyalhook threads=%d;
%sevents {
  worker_connections %d;
}
http {
  log_format loyalhook escape=json '{"ended_s":"$msec","took_s":"$request_time",'
    '"status":"$status","method":"$request_method","uri":"$request_uri",'
    '"bytes":"$request_length","seen":"$loyalhook_seen"}';
  access_log %s;
  server_tokens off;
  client_header_timeout 15s;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size %dk;
  client_body_buffer_size 256k;
  client_body_in_single_buffer on;
  lua_package_path %s;
  lua_package_cpath %s;
  lua_worker_thread_vm_pool_size %d;
%s
  server {
    listen %s:%d;
    set $loyalhook_seen "";
%s
  }
}
]]

local CONNECTIONS = 1024
local THREADS = 4
local VMS = 16 -- more than run at once: one that is missing costs a request its answer

local function load_lines(modules)
  local lines = {}
  for index, path in ipairs(modules) do
    lines[index] = "load_module " .. quoted(path) .. ";\n"
  end
  return table.concat(lines)
end

--- The text. given: modules (paths to load), is_root, workers (a number or "auto"), grace_s (for
-- requests under way when it ends), access_log ("off" or "FILE loyalhook"),
-- body_kib_max, path and cpath (for Lua), main, http and server (lines of ours), host, port.
function configuration.text(given)
  return MAIN:format(load_lines(given.modules), given.is_root and "user root;\n" or "",
    given.workers, given.grace_s, THREADS, given.main or "", CONNECTIONS, given.access_log,
    given.body_kib_max, quoted(given.path), quoted(given.cpath), VMS, given.http,
    given.host, given.port, given.server)
end

return configuration
