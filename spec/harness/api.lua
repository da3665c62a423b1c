-- An HTTP API on a store of its own, for specs: who asks what, and the answer read.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local loyalhook = require("loyalhook")

local harness = {}

local Harness = {}
Harness.__index = Harness

local PASSWORD = "correct horse battery"

--- Opens it. given: options of api.new beside; receiver = false for none.
function harness.new(given)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local self = setmetatable({ folder = folder, store = "sqlite:" .. folder .. "/s.db", said = {} },
    Harness)
  self.sender = assert(loyalhook.sender.open{ store = self.store, create = true, allow_http = true,
    allow_networks = { "127.0.0.0/8" } })
  self.receiver = assert(loyalhook.receiver.open{ store = self.store, log = function() end,
    sources = { zinrelo = { secrets = { "a secret of 16 bytes" } } } })
  self.access = require("loyalhook.access").new{ store = self.sender._store }
  local options = { sender = self.sender, receiver = self.receiver, access = self.access,
    log = function(level, message, fields)
      self.said[#self.said + 1] = { level, message, fields }
    end }
  for name, value in pairs(given or {}) do
    options[name] = value
  end
  self.api = require("loyalhook.api").new(options)
  return self
end

--- The text of a token.
function Harness:token(scope, account)
  return assert(self.access:create_token({ name = core.id() .. "t", scope = scope,
    account = account })).token
end

--- The cookie and CSRF token of a user that is added; the first one must be an admin.
function Harness:user(name, role)
  assert(self.access:add_user({ user = name, password = PASSWORD, role = role }))
  local login = assert(self.access:sign_in{ user = name, password = PASSWORD, address = "::1" })
  return { cookie = "loyalhook_session=" .. login.login, csrf = login.csrf }
end

harness.password = PASSWORD

-- Headers of somebody: a token's text, a user, or false for nobody.
local function headers_of(who, method)
  local headers = { host = "localhost:8480" }
  if type(who) == "string" then
    headers.authorization = "Bearer " .. who
  elseif who then
    headers.cookie = who.cookie
    headers["x-csrf-token"] = method ~= "GET" and who.csrf or nil
  end
  return headers
end

--- Asks. body: a text, or a value to be JSON; more: headers (false takes one away) and members of
-- the request. Returns the status, the body read, and the response.
function Harness:ask(who, method, path, body, more)
  local headers = headers_of(who, method)
  if body ~= nil and type(body) ~= "string" then
    body = assert(json.encode(body))
  end
  headers["content-type"] = body and "application/json" or nil
  for name, value in pairs(more or {}) do
    headers[name] = value or nil
  end
  local bare, query = path:match("^([^?]*)%??(.*)$")
  local response = self.api:handle({ method = method, path = bare, query = query, body = body,
    headers = headers, remote = "192.0.2.7" })
  local kind = response.headers["Content-Type"] or ""
  local read = kind:find("json", 1, true) and response.body ~= "" and json.decode(response.body)
  return response.status, read or response.body, response
end

local function wanted_of(name, changes)
  local wanted = { name = name, url = "http://127.0.0.1:1/" .. name, event_types = { "*" },
    retries_max = 0 }
  for key, value in pairs(changes or {}) do
    wanted[key] = value
  end
  return wanted
end

--- Asks as a token that reads; it must be answered 200. Returns the body and the response.
function Harness:get(path, who)
  self._reads = self._reads or self:token("read")
  local status, body, response = self:ask(who or self._reads, "GET", "/api/v1/" .. path)
  assert(status == 200, ("%s: %d: %s"):format(path, status, tostring(body.detail)))
  return body, response
end

--- Posts as a token that writes; it must be answered `wanted` (200). Returns the same.
function Harness:post(path, body, wanted)
  self._writes = self._writes or self:token("write")
  local status, read, response = self:ask(self._writes, "POST", "/api/v1/" .. path, body)
  assert(status == (wanted or 200), ("%s: %d: %s"):format(path, status, tostring(read.detail)))
  return read, response
end

--- A webhook that nobody listens for, made over the API.
function Harness:create(name, changes)
  return self:post("webhooks", wanted_of(name, changes), 201)
end

--- A webhook that nobody listens for.
function Harness:webhook(name, changes)
  return assert(self.sender:create_webhook(wanted_of(name, changes)))
end

--- The last entry of the audit log.
function Harness:last_note()
  return assert(self.access:audit{ limit = 1 })[1]
end

--- Lets a worker do all there is to do.
function Harness:work()
  local worker = assert(loyalhook.worker.new{ sender = self.sender, log = function() end })
  assert(worker:run{ until_idle = true, catch_signals = false })
  worker:close()
end

--- Closes and removes everything.
function Harness:close()
  self.receiver:close()
  self.sender:close()
  os.execute("rm -rf " .. self.folder)
end

return harness
