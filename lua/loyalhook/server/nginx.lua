-- nginx as a child of this process: found, started with a generated configuration
-- in a temporary folder, watched, ended. It never runs as another user than the
-- caller, and ends when this process does, however that comes.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local configuration = require("loyalhook.server.configuration")
local trees = require("loyalhook.server.trees")

local nginx = {}

local Nginx = {}
Nginx.__index = Nginx
Nginx.__name = "loyalhook.server.nginx"

local PLACES = { "/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin",
  "/usr/local/openresty/nginx/sbin" } -- where it is beside PATH
local MODULES = { "ndk_http_module.so", "ngx_http_lua_module.so" }
local FOLDERS = { "/usr/lib/nginx/modules", "/usr/lib64/nginx/modules",
  "/usr/share/nginx/modules" }

local PORT_MIN, PORT_COUNT = 20000, 40000
local TRIES_MAX = 20        -- of free ports
local START_MS = 15000
local ANSWER_MS = 10000     -- of nginx -V
local LOOK_MS = 20
local KILL_MS = 5000        -- after its own grace, until it is killed
local BYTES_MAX = 1024 * 1024

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read(BYTES_MAX)
  if file then
    file:close()
  end
  return text
end

local function write(path, text)
  local file, message = io.open(path, "wb")
  if not file then
    return nil, message, "io"
  end
  local done, problem = file:write(text)
  local closed, last = file:close()
  if not done or not closed then
    return nil, ("%s: %s"):format(path, problem or last), "io"
  end
  return true
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

-- The program by its setting, or where shells and Debian look.
local function program(named)
  if named then
    return exists(named) and named or nil, ("nginx: no program %s"):format(named), "config"
  end
  local folders = {}
  for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
    folders[#folders + 1] = folder
  end
  for _, folder in ipairs(PLACES) do
    folders[#folders + 1] = folder
  end
  for _, folder in ipairs(folders) do
    if exists(folder .. "/nginx") then
      return folder .. "/nginx"
    end
  end
  return nil, "nginx is not installed: install nginx and libnginx-mod-http-lua (Debian), or"
    .. " OpenResty; the setting nginx names one elsewhere", "config"
end

local STOPPED = "nginx was stopped while it started"

local function never() end

-- Waits for a process; its exit code, or nil if it does not end in time or stopped() says so.
local function wait_for(process, limit_ms, stopped)
  local until_ms = core.now_ms() + limit_ms
  repeat
    local how, number = process:poll()
    if how then
      return how, number
    end
    engine.pause(LOOK_MS)
  until core.now_ms() > until_ms or stopped and stopped()
  return nil
end

-- What `nginx -V` says: how it was built.
local function build_of(path, folder, stopped)
  local said = folder .. "/version"
  local process, message, code = engine.process({ argv = { path, "-V" }, stdout = said,
    stderr = said })
  if not process then
    return nil, message, code
  end
  local ended = wait_for(process, ANSWER_MS, stopped)
  process:close()
  if not ended and stopped and stopped() then
    return nil, STOPPED, "closed"
  end
  local text = read(said) or ""
  if not text:find("%S") then -- its output goes to a file
    return nil, ("%s: `nginx -V` has written nothing there: the disk is full, or it is no nginx")
      :format(said), "io"
  elseif not text:find("configure arguments:", 1, true) then
    return nil, ("%s: `%s -V` has not said how it was built"):format(said, path), "io"
  end
  return text
end

-- Files to load for the Lua module; none if it is built in.
local function modules_of(build)
  local folders = { build:match("%-%-modules%-path=([^%s']+)") }
  for _, folder in ipairs(FOLDERS) do
    folders[#folders + 1] = folder
  end
  for _, folder in ipairs(folders) do
    local paths = {}
    for _, name in ipairs(MODULES) do
      if exists(folder .. "/" .. name) then
        paths[#paths + 1] = folder .. "/" .. name
      end
    end
    if exists(folder .. "/" .. MODULES[#MODULES]) then
      return paths
    end
  end
  if build:find("ngx_lua", 1, true) or build:find("lua-nginx-module", 1, true) then
    return {}
  end
  return nil, "nginx has no Lua module: install libnginx-mod-http-lua (Debian), or OpenResty",
    "config"
end

--- What there is to run: { program, modules, version, path, cpath }, or nil, message, "config".
-- named: the setting nginx; folder: a temporary one to work in; stopped(), if given: whether to
-- give it up.
function nginx.find(named, folder, stopped)
  local path, message, code = program(named)
  if not path then
    return nil, message, code
  end
  local search
  search, message, code = trees.find()
  if not search then
    return nil, message, code
  end
  local build
  build, message, code = build_of(path, folder, stopped)
  if not build then
    return nil, message, code
  end
  local modules
  modules, message, code = modules_of(build)
  if not modules then
    return nil, message, code
  elseif not build:find("--with-threads", 1, true) then
    return nil, "nginx is built without threads (--with-threads), which the receiver needs",
      "config"
  end
  return { program = path, modules = modules, path = search.path, cpath = search.cpath,
    version = build:match("nginx version: ([^%s]+)") or "nginx" }
end

-- The last thing that nginx complained of.
local function complaint(folder)
  local last
  for line in (read(folder .. "/error.log") or ""):gmatch("[^\n]+") do
    if line:find("[emerg]", 1, true) or line:find("[error]", 1, true)
      or line:find("[alert]", 1, true) then
      last = line
    end
  end
  last = last or (read(folder .. "/output.log") or ""):match("([^\n]+)\n*$")
  return last and (last:gsub("^%S+ %S+ %[%w+%] %d+#%d+: ", "")) or "it says nothing"
end

-- Starts it once on a port. Returns true, or nil, message, code; "conflict": the port is taken.
local function start_on(self, port)
  local folder = self._folder
  for _, name in ipairs({ "error.log", "output.log", "nginx.pid" }) do
    os.remove(folder .. "/" .. name)
  end
  self._given.port = port
  local ok, message, code = write(folder .. "/nginx.conf", configuration.text(self._given))
  if not ok then
    return nil, message, code
  end
  self._process, message, code = engine.process({
    argv = { self._program, "-p", folder, "-e", folder .. "/error.log",
      "-c", folder .. "/nginx.conf" },
    stdout = folder .. "/output.log", stderr = folder .. "/output.log" })
  if not self._process then
    return nil, message, code
  end
  local until_ms = core.now_ms() + START_MS
  repeat
    if (read(folder .. "/nginx.pid") or "") ~= "" then
      self.port = port
      return true
    elseif self._process:poll() then
      local taken = (read(folder .. "/error.log") or ""):find("Address already in use", 1, true)
      return nil, complaint(folder), taken and "conflict" or "config"
    elseif self._stopped() then
      return nil, STOPPED, "closed"
    end
    engine.pause(LOOK_MS)
  until core.now_ms() > until_ms
  return nil, "nginx has not started in time: " .. complaint(folder), "io"
end

local function free_port(number)
  local random = tonumber(core.id():sub(-6), 16)
  return PORT_MIN + (random + number) % PORT_COUNT
end

local function start(self, port)
  local tries = port == 0 and TRIES_MAX or 1
  for number = 1, tries do
    local ok, message, code = start_on(self, port == 0 and free_port(number) or port)
    if ok then
      return true
    end
    self:kill()
    if code ~= "conflict" then
      return nil, "nginx: " .. message, code
    end
  end
  if port == 0 then
    return nil, "no free port was found", "io"
  end
  return nil, ("port %d is taken: choose another one with --port, or --port 0 for a free one")
    :format(port), "conflict"
end

--- Starts nginx. given: found (of nginx.find), folder (its prefix), port (0: a free one), stopped()
-- (whether to give this start up), and what configuration.text takes beside. Returns it, with field
-- port, or nil, message, code.
function nginx.start(given)
  local found, form = given.found, {}
  for key, value in pairs(given) do
    form[key] = value
  end
  form.modules, form.path, form.cpath = found.modules, found.path, found.cpath
  form.is_root = engine.is_root()
  local self = setmetatable({ _folder = given.folder, _program = found.program, _given = form,
    _grace_ms = given.grace_s * 1000, _stopped = given.stopped or never }, Nginx)
  local ok, message, code = start(self, given.port)
  self._stopped = never
  if not ok then
    return nil, message, code
  end
  return self
end

--- nil while it runs, else a sentence on how it ended.
function Nginx:ended()
  if not self._process then
    return "nginx does not run"
  end
  local how, number = self._process:poll()
  if not how then
    return nil
  end
  return how == "signal" and ("nginx was ended by signal %d"):format(number)
    or ("nginx ended with %d: %s"):format(number, complaint(self._folder))
end

--- Starts it anew on its port, after it ended. Returns true, or nil, message, code.
function Nginx:restart()
  self:kill()
  return start(self, self.port)
end

--- Lets it reopen its log files.
function Nginx:reopen_logs()
  if self._process then
    self._process:signal("USR1")
  end
end

--- Lets it end, also workers that a killed master has left: no new requests, those under way are
-- answered. Returns at once.
function Nginx:ask_to_quit()
  if self._process then
    self._process:signal("QUIT", self:ended() and "group" or "leader")
  end
end

--- The same, and waits for it; after its grace it is killed.
function Nginx:quit()
  self:ask_to_quit()
  if self._process and not wait_for(self._process, self._grace_ms + KILL_MS) then
    self._process:signal("TERM")
    wait_for(self._process, KILL_MS)
  end
  self:kill()
end

--- Ends it at once, and workers that a killed master has left.
function Nginx:kill()
  if self._process then
    self._process:close()
    self._process = nil
  end
end

return nginx
