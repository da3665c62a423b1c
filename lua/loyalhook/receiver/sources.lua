-- The sources that a receiver accepts from: what their table may say, and the keys
-- made of it. Secrets live here in memory and nowhere else; no message shows one.

local core = require("loyalhook.core")
local options = require("loyalhook.options")
local secret_file = require("loyalhook.secret_file")

local sources = {}

local FIELDS = { secrets = "table", secret_files = "table", scheme = "string",
  tolerance_s = "number" }
local SCHEMES = { zinrelo = true, standard = true }
local COUNT_MAX = 1000
local SECRETS_MAX = core.limits.secrets_max
local TOLERANCE_S_MAX = 100 * 366 * 86400

local function refuse(name, message, ...)
  return nil, ("sources.%s%s"):format(name, message:format(...)), "config"
end

-- True if the name is one (the same rule as for accounts).
local function is_name(name)
  return type(name) == "string" and #name <= 64 and name:find("^[%w._-]+$") ~= nil
    and not name:find("[\128-\255]")
end

-- A copy of a list of texts; or nil, message.
local function texts(list, what)
  local copy, count = {}, 0
  for _ in pairs(list or {}) do
    count = count + 1
  end
  for index = 1, count do
    local text = list[index]
    if type(text) ~= "string" then
      return nil, what .. ": expected a list of texts"
    elseif text == "" then
      return nil, what .. ": one is empty"
    end
    copy[index] = text
  end
  return copy
end

local function check_fields(name, given)
  if type(given) ~= "table" then
    return refuse(name, ": expected a table with secrets or secret_files")
  end
  local unknown = options.unknown(given, FIELDS, "field")
  if unknown then
    return refuse(name, ": %s", unknown)
  end
  for field, kind in pairs(FIELDS) do
    if given[field] ~= nil and type(given[field]) ~= kind then
      return refuse(name, ".%s: expected a %s", field, kind)
    end
  end
  local tolerance_s = given.tolerance_s
  if given.scheme and not SCHEMES[given.scheme] then
    return refuse(name, ".scheme: expected zinrelo or standard")
  elseif tolerance_s and (tolerance_s ~= math.floor(tolerance_s) or tolerance_s < -1
      or tolerance_s > TOLERANCE_S_MAX) then
    return refuse(name, ".tolerance_s: expected a whole number of seconds, or -1 for any age")
  end
  return true
end

-- The checked copy of one source, or nil, message, "config".
local function check_one(name, given)
  local ok, message, code = check_fields(name, given)
  if not ok then
    return nil, message, code
  end
  local secrets, files
  secrets, message = texts(given.secrets, "secrets")
  if secrets then
    files, message = texts(given.secret_files, "secret_files")
  end
  if not files then
    return refuse(name, ".%s", message)
  elseif #secrets + #files == 0 then
    return refuse(name, ": no secret: without one nothing can be accepted")
  elseif #secrets + #files > SECRETS_MAX then
    return refuse(name, ": more than %d secrets", SECRETS_MAX)
  end
  local checked = { name = name, scheme = given.scheme or "zinrelo", secrets = secrets,
    secret_files = files, tolerance_s = given.tolerance_s or core.limits.tolerance_s_default }
  if #secrets > 0 then
    local keys
    keys, message = core.verifier({ scheme = checked.scheme, secrets = secrets })
    if not keys then
      return refuse(name, ".secrets: %s", message)
    end
    keys:close()
  end
  return checked
end

--- Checks the table of sources: name → { secrets, secret_files, scheme, tolerance_s }. Returns a
-- checked copy, or nil, message, "config". Files are not read yet.
function sources.check(given)
  if type(given) ~= "table" then
    return nil, "sources: expected a table name → { secrets = { … } }", "config"
  end
  local checked, count = {}, 0
  for name, source in pairs(given) do
    if not is_name(name) then
      return nil, "sources: a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -", "config"
    end
    local message, code
    checked[name], message, code = check_one(name, source)
    if not checked[name] then
      return nil, message, code
    end
    count = count + 1
  end
  if count > COUNT_MAX then
    return nil, ("sources: more than %d"):format(COUNT_MAX), "config"
  end
  return checked
end

--- All secrets of a checked source, those in files too; or nil, message, code.
function sources.secrets(source)
  local list = {}
  for index, secret in ipairs(source.secrets) do
    list[index] = secret
  end
  for _, path in ipairs(source.secret_files) do
    local secret, message, code = secret_file.read(path)
    if not secret then
      return nil, message, code
    end
    list[#list + 1] = secret
  end
  return list
end

return sources
