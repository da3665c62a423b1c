-- The misbehaving endpoint (spec/blackbox/endpoint.py) for Lua specs: starts it
-- on a free port, scripts its answers, counts what arrived, ends it. It runs
-- from the top of the checkout.

local json = require("loyalhook.json")

local Endpoint = {}
Endpoint.__index = Endpoint

--- The lines that it logged: one table for each request that arrived.
function Endpoint:requests()
  local list = {}
  for line in io.lines(self._log) do
    list[#list + 1] = assert(json.decode(line))
  end
  return list
end

--- A URL on it.
function Endpoint:url(path)
  return ("http://127.0.0.1:%d%s"):format(self.port, path)
end

--- Ends it: it lives as long as its standard input.
function Endpoint:stop()
  self._pipe:close()
  os.execute("rm -rf " .. self._folder)
end

--- Starts it. scripts: { path = { answers } }, as endpoint.py explains.
return function(scripts)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute(("mkdir %s && mkfifo %s/port"):format(folder, folder)))
  local self = setmetatable({ _folder = folder, _log = folder .. "/log" }, Endpoint)
  local file = assert(io.open(folder .. "/scripts", "w"))
  file:write(assert(json.encode(scripts or {})))
  file:close()
  assert(io.open(self._log, "w")):close()
  self._pipe = assert(io.popen(("exec python3 spec/blackbox/endpoint.py --port 0 --bodies "
    .. "--until-eof --log %s/log --scripts %s/scripts > %s/port"):format(folder, folder, folder),
    "w"))
  local port = assert(io.open(folder .. "/port")) -- waits for the endpoint to say its port
  self.port = math.floor(assert(json.decode(port:read("*l") or "{}")).port)
  port:close()
  return self
end
