-- The mail server that a person configures: checked once, then as the transport
-- takes it. A password stands in the configuration or, better, in a file that is
-- read for each mail, so that it can be changed without a restart; it never shows
-- in a message.

local core = require("loyalhook.core")
local options = require("loyalhook.options")
local secret_file = require("loyalhook.secret_file")

local smtp = {}

local FIELDS = { url = "string", user = "string", password = "string", password_file = "string",
  tls = "string", from = "string" }
local TLS = { starttls = true, smtps = true, none = true }

local function refuse(message, ...)
  return nil, message:format(...), "config"
end

local function check_kinds(given)
  local unknown = options.unknown(given, FIELDS, "setting")
  if unknown then
    return refuse(": %s", unknown)
  end
  for name, kind in pairs(FIELDS) do
    local value = given[name]
    if value ~= nil and (type(value) ~= kind or value == "" or value:find("[%z\r\n]")) then
      return refuse(".%s: expected a text on one line", name)
    end
  end
  return true
end

-- Scheme, and whether the rest is a host with a port at most.
local function parts_of(url)
  local scheme, rest = url:match("^(%a+)://(.+)$")
  scheme = scheme and scheme:lower()
  if scheme ~= "smtp" and scheme ~= "smtps" then
    return nil
  end
  local host, port = rest:match("^([%w.-]+):?(%d*)$")
  if not host then
    host, port = rest:match("^(%[[%x:.]+%]):?(%d*)$")
  end
  local number = port == "" and 25 or tonumber(port)
  if not host or rest:sub(-1) == ":" or number < 1 or number > 65535 then
    return nil
  end
  return scheme
end

-- Whether TLS may be left out; "smtps" and "starttls" follow from the URL.
local function cleartext(given, scheme)
  local wanted = given.tls or scheme == "smtps" and "smtps" or "starttls"
  if not TLS[wanted] then
    return refuse(".tls: expected starttls, smtps or none")
  elseif (wanted == "smtps") ~= (scheme == "smtps") then
    return refuse(".tls: %s does not go with a url that begins with %s://", wanted,
      scheme)
  end
  return wanted == "none"
end

local function check_login(given)
  if given.password and given.password_file then
    return refuse(": password and password_file: only one of them")
  elseif (given.password or given.password_file) and not given.user then
    return refuse(".user: missing, there is a password without it")
  elseif given.user and not (given.password or given.password_file) then
    return refuse(".password_file: missing, there is a user without a password")
  end
  return true
end

local function check(given)
  if type(given) ~= "table" then
    return refuse(": expected a table, got %s", type(given))
  end
  local ok, message, code = check_kinds(given)
  if not ok then
    return nil, message, code
  end
  local scheme = given.url and parts_of(given.url)
  if not scheme then
    return refuse(".url: expected smtp://host:port or smtps://host:port")
  elseif not given.from then
    return refuse(".from: missing, the address that mails come from")
  end
  ok, message = core.mailbox_check(given.from)
  if not ok then
    return refuse(".from: %s", message)
  end
  ok, message, code = check_login(given)
  local clear
  if ok then
    clear, message, code = cleartext(given, scheme)
  end
  if clear == nil then
    return nil, message, code
  end
  return { url = given.url, cleartext = clear, user = given.user, password = given.password,
    password_file = given.password_file, from = given.from, host = given.from:match("@(.*)$") }
end

--- Checks the table of a configuration that names a mail server; `name` (default "notices.smtp") is
-- what messages call it. Returns { name, url, cleartext, user, password, password_file, from,
-- host = of message ids }, or nil, message, "config".
function smtp.check(given, name)
  name = name or "notices.smtp"
  local server, message, code = check(given)
  if not server then
    return nil, name .. message, code
  end
  server.name = name
  return server
end

--- Checks a list of recipients. Returns a copy (empty for nil), or nil, message, "config".
function smtp.recipients(list, name)
  local copy = {}
  if list ~= nil and type(list) ~= "table" then
    return refuse("%s: expected a list of mail addresses", name)
  end
  for index, address in ipairs(list or {}) do
    local ok, message = false, "not a text"
    if type(address) == "string" then
      ok, message = core.mailbox_check(address)
    end
    if not ok then
      return refuse("%s: %s", name, message)
    end
    copy[index] = address
  end
  if #copy > core.limits.notify_max then
    return refuse("%s: more than %d mail addresses", name, core.limits.notify_max)
  end
  return copy
end

--- The password of a checked server: nil if it has none; or nil, message, code if its file cannot
-- be read. One final newline is not part of it.
function smtp.password(server)
  if not server.password_file then
    return server.password
  end
  local text, message = secret_file.read(server.password_file)
  if not text then
    return refuse("%s.password_file: %s", server.name, message)
  end
  return text
end

--- What the transport wants to send `message` to the addresses `to` through a checked server; or
-- nil, message, code.
function smtp.letter(server, to, message)
  local password, problem, code = smtp.password(server)
  if problem then
    return nil, problem, code
  end
  return { url = server.url, cleartext = server.cleartext, user = server.user,
    password = password, from = server.from, to = to, message = message }
end

return smtp
