-- The options of the mail handler, checked once. Whatever is wrong in them is told by name: they
-- come from a configuration.

local core = require("loyalhook.core")
local escape = require("loyalhook.handlers.email.escape")
local known = require("loyalhook.handlers.email.known")
local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local smtp = require("loyalhook.notices.smtp")
local templates = require("loyalhook.handlers.email.templates")
local urls = require("loyalhook.handlers.urls")

local settings = {}

local OTP = "event_member_otp_generation"
local OTP_AGE_S = 600
local TYPES_MAX = 200
local TEXT_BYTES_MAX = 1000

--- The options of `new` with their kinds.
settings.known = policy.known({ smtp = "table", from_name = "string", reply_to = "string",
  program = "table", templates = "table", template_folder = "string", fields = "table",
  unsubscribe = "table", max_age_s = "table", transactional = "table" })

--- The fields of one of `templates`, and of `unsubscribe`.
settings.known_parts = { subject = "string", text = "string", html = "string or boolean",
  needs = "table" }
settings.known_ways_out = { url = "string", mailto = "string" }

local function refuse(message, ...)
  return nil, message:format(...), "config"
end

-- Whether a table has known keys with values of their kind.
local function check_kinds(given, kinds, prefix)
  local unknown = options.unknown(given, kinds, "option")
  if unknown then
    return refuse("%s%s", prefix, unknown)
  end
  for name, kind in pairs(kinds) do
    local value = given[name]
    if value ~= nil and not kind:find(type(value), 1, true) then
      return refuse("%s%s: expected a %s, got %s", prefix, name, kind, type(value))
    end
  end
  return true
end

local function is_line(text)
  return type(text) == "string" and text:find("%S") and #text <= TEXT_BYTES_MAX
    and not text:find("[%c]")
end

local function check_types(list)
  local seen = {}
  for index, name in ipairs(list) do
    if name == "*" or type(name) == "string" and name:find("^category:") then
      return refuse("event_types: %s is not taken here: name each type that is to be mailed, so"
        .. " that no member gets a mail nobody thought of", name)
    elseif type(name) ~= "string" or not name:find("^[a-z0-9_.]+$") then
      return refuse("event_types[%d]: expected the name of an event type", index)
    elseif seen[name] then
      return refuse("event_types: %s stands there twice", name)
    end
    seen[name] = true
  end
  if #list == 0 or #list > TYPES_MAX then
    return refuse("event_types: expected 1 to %d event types; nothing is mailed unless its type is"
      .. " listed", TYPES_MAX)
  end
  return seen
end

local function check_listed(map, types, where)
  for name in pairs(map) do
    if not types[name] then
      return refuse("%s: %s is not in event_types", where, tostring(name))
    end
  end
  return true
end

local function check_templates(given, types)
  local ok, message, code = check_listed(given, types, "templates")
  for name, parts in pairs(ok and given or {}) do
    if type(parts) ~= "table" then
      return refuse("templates.%s: expected { subject =, text =, html = }", name)
    end
    ok, message, code = check_kinds(parts, settings.known_parts, "templates." .. name .. ".")
    if ok and parts.html == true then
      return refuse("templates.%s.html: expected a text, or false for a mail without HTML", name)
    elseif not ok then
      return nil, message, code
    end
  end
  return ok, message, code
end

local function check_program(given)
  for name, value in pairs(given) do
    if type(name) ~= "string" or not name:find("^[%w_]+$") then
      return refuse("program: a name is of letters, digits and _")
    elseif not is_line(value) and type(value) ~= "number" then
      return refuse("program.%s: expected a text on one line", name)
    elseif name == "url" and not escape.url(value) then
      return refuse("program.url: expected https://…")
    end
  end
  return true
end

local function check_ages(given, types)
  local ages = { [OTP] = OTP_AGE_S }
  local ok, message, code = check_listed(given, types, "max_age_s")
  if not ok then
    return nil, message, code
  end
  for name, seconds in pairs(given) do
    if seconds ~= false and (type(seconds) ~= "number" or seconds <= 0) then
      return refuse("max_age_s.%s: expected a number of seconds, or false for any age", name)
    end
    ages[name] = seconds
  end
  return ages
end

--- The set of types that are mailed whether a member wants mails or not: these, and codes.
function settings.transactional(list)
  local set = { [OTP] = true }
  for _, name in ipairs(list or {}) do
    set[name] = true
  end
  return set
end

local function check_transactional(list, types)
  for index, name in ipairs(list) do
    if not types[name] then
      return refuse("transactional[%d]: %s is not in event_types", index, tostring(name))
    end
  end
  return settings.transactional(list)
end

local function check_names(list)
  for index, name in ipairs(list) do
    if type(name) ~= "string" or not name:find("^[%w_-]+[%w_.-]*$") then
      return refuse("fields[%d]: expected a name like member_info.favourite_colour", index)
    end
  end
  return true
end

local function check_address(address, where)
  if address == nil then
    return true
  end
  local ok, message = core.mailbox_check(address)
  if not ok then
    return refuse("%s: %s", where, message)
  end
  return true
end

-- The parsed URL and the mail address of `unsubscribe`.
local function check_unsubscribe(given, setting)
  local ok, message, code = check_kinds(given, settings.known_ways_out, "unsubscribe.")
  if ok then
    ok, message, code = check_address(given.mailto, "unsubscribe.mailto")
  end
  if not ok then
    return nil, message, code
  elseif not given.url then
    return { mailto = given.mailto }
  elseif not given.url:find("^https://") then
    return refuse("unsubscribe.url: expected https://…, with what names the member in it")
  end
  local parsed
  parsed, message, code = urls.template(given.url, "unsubscribe.url")
  if not parsed then
    return nil, message, code
  end
  parsed:each_name(function(name, line)
    local wrong = known.refuse(name, OTP, setting)
    message = message or wrong and ("unsubscribe.url:%d: {{%s}}: %s"):format(line, name, wrong)
  end)
  if message then
    return nil, message, "config"
  end
  return { url = parsed, mailto = given.mailto }
end

local function check_folder(folder)
  local file, problem = io.open(folder, "rb")
  if not file then
    return refuse("template_folder: %s", problem)
  end
  file:close()
  return true
end

-- One after the other; each may refuse. `out` is what they fill.
local steps = {
  function(given, out)
    local message, code
    out.types, message, code = check_types(given.event_types)
    return out.types, message, code
  end,
  function(given, out)
    local message, code
    out.server, message, code = smtp.check(given.smtp, "smtp")
    local _, problem
    if out.server then
      _, problem, code = smtp.password(out.server) -- better now than at the first mail
    end
    return out.server and not problem, message or problem, code
  end,
  function(given, out)
    out.program, out.fields = given.program or {}, given.fields or {}
    out.templates, out.template_folder = given.templates or {}, given.template_folder
    out.from_name = given.from_name or out.program.name
    if out.from_name ~= nil and not is_line(out.from_name) then
      return refuse("from_name: expected a text on one line")
    end
    return check_program(out.program)
  end,
  function(given)
    return check_names(given.fields or {})
  end,
  function(given, out)
    out.reply_to = given.reply_to
    return check_address(given.reply_to, "reply_to")
  end,
  function(given, out)
    return check_templates(given.templates or {}, out.types)
  end,
  function(given)
    if given.template_folder then
      return check_folder(given.template_folder)
    end
    return true
  end,
  function(given, out)
    local message, code
    out.ages_s, message, code = check_ages(given.max_age_s or {}, out.types)
    return out.ages_s, message, code
  end,
  function(given, out)
    local message, code
    out.transactional, message, code = check_transactional(given.transactional or {}, out.types)
    return out.transactional, message, code
  end,
  function(given, out)
    local message, code
    out.unsubscribe, message, code = check_unsubscribe(given.unsubscribe or {}, out)
    return out.unsubscribe, message, code
  end,
  function(given, out)
    local from_files = false
    out.read = {}
    for _, name in ipairs(given.event_types) do
      local read, message, code = templates.read(name, out)
      if not read then
        return nil, message, code
      end
      out.read[name], from_files = read, from_files or read.from_file
    end
    if out.template_folder and not from_files then
      return refuse("template_folder: in %s there is none of %s.subject, .txt, .html and so on",
        out.template_folder, given.event_types[1])
    end
    return true
  end,
}

--- Checks the options of `new`. Returns { server, types, program, fields, from_name, reply_to,
-- ages_s, transactional, unsubscribe = { url (parsed), mailto }, read = templates by type }, or
-- nil, message, "config".
function settings.check(given)
  if not given.event_types then
    return refuse("event_types: missing; nothing is mailed unless its type is listed")
  elseif not given.smtp then
    return refuse("smtp: missing, the mail server: { url =, from =, user =, password_file = }")
  end
  local out = {}
  for _, step in ipairs(steps) do
    local ok, message, code = step(given, out)
    if not ok then
      return nil, message, code
    end
  end
  return out
end

return settings
