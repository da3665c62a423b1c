-- The door of a receiver: whether a request may go on to the inbox. In this order:
-- size, headers, signature. An unknown source takes the same way as a signature
-- that does not fit, with keys of its own that nothing fits; and so does a request
-- that is signed by the other scheme than its source's. Needs loyalhook.core only;
-- nothing here blocks but the reading of secret files.

local answers = require("loyalhook.receiver.answers")
local core = require("loyalhook.core")
local sources = require("loyalhook.receiver.sources")

local gate = {}

local Gate = {}
Gate.__index = Gate

local READ_AGAIN_MS = 1000 -- a secret file that cannot be read is looked at so often

-- Names as they are on the wire: x_zinrelo_signature is another header, and none of ours.
local HEADERS = {
  zinrelo = { "nonce", "x-zinrelo-signature" },
  standard = { "webhook-id", "webhook-timestamp", "webhook-signature" },
}
local WANTED = { ["content-encoding"] = true }
for _, names in pairs(HEADERS) do
  for _, name in ipairs(names) do
    WANTED[name] = true
  end
end
local LENGTHS = {}
for name in pairs(WANTED) do
  LENGTHS[#name] = true
end
local OTHER = { zinrelo = "standard", standard = "zinrelo" }
local IDENTITY = { [""] = true, identity = true }

-- Keys that no request fits, as many as the source with the most has.
local function nobody(checked, scheme)
  local count = 1
  for _, source in pairs(checked) do
    count = math.max(count, #source.secrets + #source.secret_files)
  end
  local secrets = {}
  for index = 1, count do
    local message, code
    secrets[index], message, code = core.secret.generate()
    if not secrets[index] then
      return nil, message, code
    end
  end
  local keys, message, code = core.verifier({ scheme = scheme, secrets = secrets })
  return keys and { name = "", scheme = scheme, keys = keys, secrets = secrets,
    unknown = true }, message, code
end

local function read_keys(self, source, now_ms)
  source.read_ms = now_ms
  source.secrets, source.problem, source.code = sources.secrets(source.checked)
  if source.secrets then
    source.keys, source.problem, source.code = core.verifier({ scheme = source.scheme,
      secrets = source.secrets, tolerance_s = source.checked.tolerance_s })
  end
  if source.problem and source.problem ~= source.told then
    self._log("error", "a secret cannot be read: requests of its source are answered 503",
      { source = source.name, code = source.code, error = source.problem })
  end
  source.told = source.problem
end

--- A gate for checked sources (see sources.check). given: sources, body_bytes_max, log =
-- function(level, message, fields), now_ms = instant of opening. Or nil, message, code.
function gate.new(given)
  local strangers = {}
  for scheme in pairs(HEADERS) do
    local message, code
    strangers[scheme], message, code = nobody(given.sources, scheme)
    if not strangers[scheme] then
      return nil, message, code
    end
  end
  local self = setmetatable({ _sources = {}, _strangers = strangers,
    _bytes_max = given.body_bytes_max, _log = given.log }, Gate)
  for name, checked in pairs(given.sources) do
    local source = { name = name, scheme = checked.scheme, checked = checked }
    self._sources[name] = source
    read_keys(self, source, given.now_ms)
  end
  return self
end

--- True if requests of this source are looked at.
function Gate:knows(name)
  return self._sources[name] ~= nil
end

--- nil, or the outcome for a body of that many bytes.
function Gate:too_large(bytes)
  if bytes > self._bytes_max then
    return answers.refused("too_large", ("the body is larger than %d bytes"):format(
      self._bytes_max))
  end
end

-- Optional white space around a value is not part of it; web servers have mostly taken it away.
-- Strangers choose it: each byte is looked at once, which one pattern for both ends would not do.
local function trimmed(value)
  local from, to = value:find("[^ \t]"), #value
  while from and (value:byte(to) == 32 or value:byte(to) == 9) do
    to = to - 1
  end
  return from and value:sub(from, to) or ""
end

-- The headers that are ours, by their name in lower case, and whether one of them is repeated: a
-- value that is no text (a table is how web servers show it), or a second spelling of a name.
local function pick(headers)
  local picked, repeated = {}, nil
  for name, value in next, headers do
    local lower = WANTED[name] and name
      or type(name) == "string" and LENGTHS[#name] and name:lower()
    if lower and WANTED[lower] then
      if picked[lower] or type(value) ~= "string" then
        repeated = repeated or {}
        repeated[lower] = true
        value = ""
      end
      picked[lower] = trimmed(value)
    end
  end
  return picked, repeated
end

-- A source with its keys, the stranger for a name that is not known; or nil and the outcome. Files
-- that could not be read are tried again.
local function source_of(self, name, now_ms)
  local source = self._sources[name] or self._strangers.zinrelo
  if not source.keys and math.abs(now_ms - source.read_ms) >= READ_AGAIN_MS then
    read_keys(self, source, now_ms)
  end
  if not source.keys then
    return nil, answers.refused("secret_unreadable", source.problem)
  end
  return source
end

-- nil, or the outcome for headers that lack one of this scheme's.
local function lacking(scheme, picked, repeated)
  for _, wanted in ipairs(HEADERS[scheme]) do
    if repeated and repeated[wanted] then
      return answers.refused("header_repeated", wanted .. ": given more than once")
    elseif not picked[wanted] then
      return answers.refused("header_missing", wanted .. ": the header is missing")
    end
  end
end

--- What can be said by the headers alone: those that are ours, or nil and the outcome. Who has all
-- headers of the other scheme only is refused once the body was verified in vain, so that how long
-- it took does not tell which sources there are: beside them are `instead`, that scheme, and the
-- `code` and `message` of the refusal.
function Gate:screen(name, headers, now_ms)
  local source, outcome = source_of(self, name, now_ms)
  if not source then
    return nil, outcome
  end
  local picked, repeated = pick(headers)
  local encoding = picked["content-encoding"]
  if encoding and not IDENTITY[encoding:lower()] or repeated and repeated["content-encoding"] then
    return nil, answers.refused("encoding", "content-encoding: only identity is taken")
  end
  outcome = lacking(source.scheme, picked, repeated)
  if outcome and not lacking(OTHER[source.scheme], picked, repeated) then
    picked.instead, picked.code, picked.message = OTHER[source.scheme], outcome.code,
      outcome.message
  elseif outcome then
    return nil, outcome
  end
  return picked
end

-- Verifies with the keys of a source, or of a stranger instead. Returns what the inbox takes, or
-- nil and the outcome.
local function check(source, keys, picked, body, now_ms)
  local ok, message, code = keys:verify(body, picked, now_ms)
  if source.unknown then
    return nil, answers.refused("unknown_source", "no source of that name is configured")
  elseif picked.instead then
    return nil, answers.refused(picked.code, picked.message)
  elseif not ok then
    return nil, answers.refused(code, message)
  end
  return { source = source.name, body = body, scheme = source.scheme,
    id = source.scheme == "standard" and picked["webhook-id"] or nil }
end

--- Verifies the raw body with picked headers. Returns what the inbox takes { source, body, scheme,
-- id }, or nil and the outcome.
function Gate:verify(name, picked, body, now_ms)
  local source, outcome = source_of(self, name, now_ms)
  if not source then
    return nil, outcome
  end
  local keys = picked.instead and self._strangers[picked.instead].keys or source.keys
  return check(source, keys, picked, body, now_ms)
end

--- All of it: size, headers, signature.
function Gate:admit(name, headers, body, now_ms)
  local outcome = self:too_large(#body)
  if outcome then
    return nil, outcome
  end
  local picked
  picked, outcome = self:screen(name, headers, now_ms)
  if not picked then
    return nil, outcome
  end
  return self:verify(name, picked, body, now_ms)
end

--- What another Lua VM of this process needs to verify these picked headers for this source, as
-- plain data with its secrets; or nil and the outcome.
function Gate:carry(name, picked, now_ms)
  local source, outcome = source_of(self, name, now_ms)
  if not source then
    return nil, outcome
  end
  local stranger = self._strangers[picked.instead]
  return { name = source.name, scheme = source.scheme, unknown = source.unknown,
    secrets = stranger and stranger.secrets or source.secrets,
    tolerance_s = source.checked and source.checked.tolerance_s }
end

--- Verifies with what `carry` gave. Returns as verify does.
function gate.verify(carried, picked, body, now_ms)
  local keys, message, code = core.verifier({ scheme = picked.instead or carried.scheme,
    secrets = carried.secrets, tolerance_s = carried.tolerance_s })
  if not keys then
    return nil, answers.failed(code, message)
  end
  local entry, outcome = check(carried, keys, picked, body, now_ms)
  keys:close()
  return entry, outcome
end

return gate
