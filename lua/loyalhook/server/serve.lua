-- The nginx of `serve`: a receiver for each configured source at /receive/<source>, and
-- what front.lua has beside, kept running: one that ends is started again, with
-- back-off, and given up when that fails for too long. What runs inside nginx is in
-- inside/serve.lua.

local core = require("loyalhook.core")
local front = require("loyalhook.server.front")
local lines = require("loyalhook.server.lines")
local log = require("loyalhook.log")
local nginx = require("loyalhook.server.nginx")
local settings = require("loyalhook.server.settings")

local serve = {}

local Serve = {}
Serve.__index = Serve

local GRACE_S = 30          -- a request waits 25 s for the store at most
local BODY_KIB_MAX = 10240 + 1 -- one more: the receiver itself says what is too large
local STARTS_MAX = 5        -- failed ones in a row
local WAIT_MS, WAIT_MS_MAX = 1000, 60000
local LONG_MS = 60000       -- having run for so long, it begins with the shortest wait again
local EVERY_MS = 10000      -- complaints of nginx's own: one of a kind

local HTTP = [[
  init_by_lua_block {
    loyalhook = require("loyalhook.server.inside.serve").new(ngx.config.prefix())
  }]]

local SERVER = [[
    location ~ "^/receive/(?<loyalhook_source>[A-Za-z0-9._-]{1,64})$" {
      content_by_lua_block { loyalhook:receive() }
    }
]]

local LEVELS = { emerg = "error", alert = "error", crit = "error", error = "error",
  warn = "warn" }

-- Its log from the beginning: each start has a new one.
local function read_log(self)
  if self._lines then
    self._lines:close()
  end
  self._lines = lines.new(self._path, function()
    self._web:reopen_logs()
  end)
end

local function write_settings(given)
  return settings.write(given.folder, { store = given.store, key_file = given.key_file,
    wal_bytes_max = given.wal_bytes_max, sources = given.sources, api = given.api })
end

--- Starts it. given: folder (temporary), program (the setting nginx, or nil), host, port (0: a free
-- one), store, key_file, wal_bytes_max, sources, api (of front.api), trusted_proxies, log =
-- function(level, message, fields), stopped() (whether to give up). Returns it, with field port, or
-- nil, message, code.
function serve.start(given)
  local found, message, code = nginx.find(given.program, given.folder, given.stopped)
  if not found then
    return nil, message, code
  end
  local beside, ok
  beside, message, code = front.lines(given.trusted_proxies)
  if beside then
    ok, message, code = write_settings(given)
  end
  if not ok then
    return nil, message, code
  end
  local web
  web, message, code = nginx.start({ found = found, folder = given.folder, host = given.host,
    port = given.port, workers = "auto", grace_s = GRACE_S, body_kib_max = BODY_KIB_MAX,
    access_log = "off", main = front.main, http = HTTP, stopped = given.stopped,
    server = SERVER .. beside })
  settings.remove(given.folder)
  if not web then
    return nil, message, code
  end
  local self = setmetatable({ port = web.port, _web = web, _given = given, _log = given.log,
    _path = given.folder .. "/error.log", _failed = 0, _wait_ms = WAIT_MS,
    _brake = log.brake(EVERY_MS), _started_ms = core.now_ms() }, Serve)
  read_log(self)
  return self
end

-- A line of nginx's log as a sentence: what the receiver said in it, which it has held back itself,
-- or nginx. With that comes its kind, the words before any number, name or text of a request.
local function sentence_of(said)
  said = said:gsub("^%*%d+ ", "")
  local ours = said:match("^%[lua%] note%.lua:%d+: [%w_]+%(%): %l+: (.*)$")
  if ours then
    return (ours:gsub(", client: [^,]*, server: .*$", ""))
  end
  return "nginx: " .. said, said:match("^[%a_ %[%]]*")
end

-- What nginx has logged, in the log of ours. (Its notices are of its own processes.) Strangers make
-- it complain, of bodies that are too large; they must not decide how large the log gets.
local function pass_on_log(self, now_ms)
  self._lines:each(function(line)
    local level, said = line:match("^%S+ %S+ %[(%w+)%] %d+#%d+: (.*)$")
    if not LEVELS[level] then
      return
    end
    local sentence, kind = sentence_of(said)
    local held = not kind and 0 or self._brake(kind, now_ms)
    if held then
      self._log(LEVELS[level], sentence, { repeated = held > 0 and held or nil })
    end
  end)
end

-- Begins the wait for the next start.
local function wait_after(self, sentence, now_ms)
  if now_ms - self._started_ms >= LONG_MS then
    self._wait_ms = WAIT_MS
  end
  self._log("error", sentence .. "; it is started again", { wait_ms = self._wait_ms })
  self._web:ask_to_quit() -- workers may be left, and hold the port
  self._start_at_ms = now_ms + self._wait_ms
  self._wait_ms = math.min(self._wait_ms * 2, WAIT_MS_MAX)
end

local function start_again(self, now_ms)
  self._start_at_ms, self._started_ms = nil, now_ms
  local ok, message, code = write_settings(self._given)
  if ok then
    ok, message, code = self._web:restart()
  end
  settings.remove(self._given.folder)
  read_log(self)
  if ok then
    self._failed = 0
    self._log("info", "nginx runs again", { port = self.port })
    return true
  end
  self._failed = self._failed + 1
  if self._failed >= STARTS_MAX then
    return nil, message, code
  end
  wait_after(self, message, now_ms)
  return true
end

--- Looks after it; to be called now and then. Returns true, or nil, message, code when it has been
-- given up.
function Serve:look(now_ms)
  pass_on_log(self, now_ms)
  if self._quitting or self._start_at_ms and now_ms < self._start_at_ms then
    return true
  elseif self._start_at_ms then
    return start_again(self, now_ms)
  end
  local sentence = self._web:ended()
  if sentence then
    wait_after(self, sentence, now_ms)
  end
  return true
end

--- Lets it end: no new requests, those under way are answered. Returns at once.
function Serve:quit_soon()
  self._quitting = true
  self._web:ask_to_quit()
end

--- Waits for the end, and ends it by force where that takes too long.
function Serve:close()
  self._quitting = true
  self._web:quit()
  pass_on_log(self, core.now_ms())
  self._lines:close()
end

return serve
