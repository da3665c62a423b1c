-- A type's templates: a merchant's own, from the configuration or from files, else those of
-- defaults.lua; read and checked once, when the handler is made, so that a mistake is told with its
-- place instead of standing in a mail. Filled for each event.

local defaults = require("loyalhook.handlers.email.defaults")
local escape = require("loyalhook.handlers.email.escape")
local found = require("loyalhook.handlers.email.found")
local frame = require("loyalhook.handlers.email.frame")
local known = require("loyalhook.handlers.email.known")
local nearest = require("loyalhook.nearest")
local places = require("loyalhook.handlers.email.places")
local plain = require("loyalhook.plain")
local template = require("loyalhook.handlers.template")
local time = require("loyalhook.time")

local templates = {}

local FILE_BYTES_MAX = 262144
local SUBJECT_BYTES_MAX = 250 -- mail programs show less
local ENDINGS = { subject = ".subject", text = ".txt", html = ".html" }
local PARTS = { "subject", "text", "html" }
local LINE = { context = "text" } -- with a context lists are values too
local FORMS = { subject = LINE, text = LINE, html = { context = places.begin,
  contexts = places.behind_text, behind = places.behind_value, refuse_tag = places.refuse } }

local function refuse(message, ...)
  return nil, message:format(...), "config"
end

--- The sources { subject, text, html } of a type's default templates, or nil if it has none.
function templates.default(event_type)
  local said = defaults[event_type]
  return said and { subject = said.subject, text = frame.text(said), html = frame.html(said) }
end

-- A file's text; nil if there is none; or nil, message, code.
local function read_file(path)
  local file, problem, number = io.open(path, "rb")
  if not file then
    if number == 2 then
      return nil
    end
    return refuse("%s", problem)
  end
  local text = file:read(FILE_BYTES_MAX + 1) or ""
  file:close()
  if #text > FILE_BYTES_MAX then
    return refuse("%s: larger than %d bytes", path, FILE_BYTES_MAX)
  elseif plain.valid_utf8(text) ~= text then
    return refuse("%s: not UTF-8", path)
  end
  return (text:gsub("^\239\187\191", ""):gsub("\r\n", "\n"))
end

-- What a merchant has for a type: { subject, text, html, needs } and the names of their places.
local function own_parts(event_type, setting)
  local parts, names = {}, {}
  for name, value in pairs(setting.templates[event_type] or {}) do
    parts[name], names[name] = value, ("templates.%s.%s"):format(event_type, name)
  end
  for _, name in ipairs(PARTS) do
    local path = setting.template_folder
      and ("%s/%s%s"):format(setting.template_folder, event_type, ENDINGS[name])
    local text, message, code
    if path then
      text, message, code = read_file(path)
    end
    if message then
      return nil, message, code
    elseif text and parts[name] ~= nil then
      return refuse("templates.%s.%s is also in %s: keep one of them", event_type, name, path)
    elseif text then
      parts[name], names[name], names.from_file = text, path, true
    end
  end
  return parts, names
end

-- Fills up with the defaults. Text of his own without HTML of his own goes alone: the default page
-- would say something else.
local function all_parts(parts, event_type)
  local usual = templates.default(event_type)
  local all = { subject = parts.subject, text = parts.text, html = parts.html or nil,
    needs = parts.needs }
  if usual then
    all.subject, all.text = all.subject or usual.subject, all.text or usual.text
    if parts.html == nil and not parts.text then
      all.html = usual.html
    end
    all.needs = all.needs or not parts.text and defaults[event_type].needs or nil
  end
  return all
end

local function check_names(parsed, event_type, setting)
  local problem
  parsed:each_name(function(name, line, _, sections)
    local wrong = not problem and name ~= "." and known.refuse(name, event_type, setting)
    for index = #sections, 1, -1 do -- a name may also be one of what a section goes through
      if wrong and not known.refuse(sections[index] .. ".1." .. name, event_type, setting) then
        wrong = nil
      end
    end
    if wrong then
      problem = ("%s:%d: {{%s}}: %s"):format(parsed.name, line, name, wrong)
    end
  end)
  if problem then
    return refuse("%s", problem)
  end
  return true
end

local function parse(part, source, place, event_type, setting)
  if part == "subject" then
    source = source:gsub("%s+$", "")
    if source == "" or source:find("[\r\n]") then
      return refuse("%s: expected one line", place)
    end
  end
  local parsed, message, code = template.parse(source, place, FORMS[part])
  if not parsed then
    return nil, message, code
  end
  local ok
  ok, message, code = check_names(parsed, event_type, setting)
  if not ok then
    return nil, message, code
  end
  return parsed
end

local function no_template(event_type)
  local names = {}
  for name in pairs(defaults) do
    names[#names + 1] = name
  end
  table.sort(names)
  return refuse("event_types: %s has no default template, so it needs a subject and a text of its"
    .. " own%s", event_type, nearest.hint(event_type, names))
end

--- The templates of a type: { subject, text, html (nil: none), needs }, or nil, message, "config".
-- setting: templates = { [type] = { subject, text, html, needs } }, template_folder, program,
-- fields.
function templates.read(event_type, setting)
  local own, names, code = own_parts(event_type, setting)
  if not own then
    return nil, names, code
  end
  local all, read = all_parts(own, event_type), { from_file = names.from_file }
  if not all.subject or not all.text then
    return no_template(event_type)
  end
  for _, part in ipairs(PARTS) do
    if all[part] then
      local place = names[part] or ("default.%s.%s"):format(event_type, part)
      local message
      read[part], message, code = parse(part, all[part], place, event_type, setting)
      if not read[part] then
        return nil, message, code
      end
    end
  end
  read.needs = all.needs or {}
  return read
end

--- All that templates can name, but unsubscribe_url.
function templates.values(event, program)
  local values = {}
  for name, value in pairs(event.data) do
    values[name] = value
  end
  values.program = program
  values.found = found.of(event.data)
  values.event = { id = event.id, event_type = event.event_type, source = event.source,
    received_at = event.received_at or time.format(event.received_ms) }
  return values
end

--- A type's mail: { subject, text, html }; or nil, message, "invalid".
function templates.fill(read, values)
  for _, name in ipairs(read.needs) do
    local value = template.text(template.value(values, name))
    if not value or not value:find("%S") then
      return nil, ("not mailed: %s is absent in this event"):format(name), "invalid"
    end
  end
  local mail = {}
  for _, part in ipairs(PARTS) do
    if read[part] then
      local text, message, code = read[part]:render(values, escape[part])
      if not text then
        return nil, message, code
      end
      mail[part] = text
    end
  end
  mail.text = mail.text:gsub("\n\n\n+", "\n\n") -- of sections that were left out
  local subject = plain.line(mail.subject):gsub("%s+", " ")
  mail.subject = subject:sub(1, plain.whole(subject, SUBJECT_BYTES_MAX))
  return mail
end

return templates
