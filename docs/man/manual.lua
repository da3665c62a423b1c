-- The manual page loyalhook(1), written from what the commands define: their options, examples and
-- notes (loyalhook.cli.definitions), the settings and the exit codes. docs/generate.lua puts the
-- text into loyalhook.1.

local commands = require "loyalhook.cli.commands"
local definitions = require "loyalhook.cli.definitions"
local exit_codes = require "loyalhook.cli.exit_codes"
local settings = require "loyalhook.settings"

local manual = {}

local DATE = "2026-11-25" -- of the last release or change that is worth a new date

local FILES = {
  { "loyalhook.lua", "The configuration, in the current folder unless --config or LOYALHOOK_CONFIG "
    .. "names another. A Lua table, read without any globals; loyalhook init writes a commented "
    .. "one." },
  { "loyalhook.db", "The store: events, webhooks, requests and attempts." },
  { "loyalhook.db-wal, loyalhook.db-shm", "The newest transactions of the store, and SQLite's "
    .. "index of them. They belong to it: never copy or delete one of the three alone." },
  { "loyalhook.db.lock", "Orders those who write, shows which workers live, and wakes sleeping "
    .. "ones." },
  { "loyalhook.db.key", "The key that encrypts the secrets of webhooks. Keep a copy apart from the "
    .. "store: without it none of them can be read." },
}

-- ---- text as roff

-- Characters outside ASCII as groff and mandoc both know them.
local function unicode(character)
  return ("\\[u%04X]"):format(utf8.codepoint(character))
end

local function escaped(text)
  text = text:gsub("\\", "\\e"):gsub("-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga")
  return (text:gsub("[\194-\244][\128-\191]+", unicode))
end

local COLUMNS = 78

-- A line that begins with a dot would be a request.
local function line_of(text)
  return (escaped(text):gsub("^[.]", "\\&."))
end

-- Words that a reader may copy are not hyphenated.
local function is_code(word)
  return word:find("^%p*%-") or word:find('[_/"]') or word:lower():find("loyalhook", 1, true)
end

-- Running text in lines of its own.
local function lines_of(text)
  local lines = {}
  for word in text:gmatch("%S+") do
    word = (is_code(word) and "\\%" or "") .. escaped(word)
    local last = lines[#lines]
    if last and #last + #word < COLUMNS then
      lines[#lines] = last .. " " .. word
    else
      lines[#lines + 1] = word:gsub("^[.]", "\\&.")
    end
  end
  return table.unpack(lines)
end

local function new_page()
  local page = { lines = {} }
  function page:add(...)
    for index = 1, select("#", ...) do
      self.lines[#self.lines + 1] = (select(index, ...))
    end
  end
  -- A heading begins a paragraph by itself.
  function page:paragraph()
    if not self.lines[#self.lines]:find("^%.S[HS] ") then
      self:add(".PP")
    end
  end
  function page:heading(text)
    self:add(".SH " .. text)
  end
  -- Running text; a blank line begins a paragraph, indented lines stay as they are.
  function page:prose(text)
    for paragraph in (text .. "\n\n"):gmatch("(.-)\n\n+") do
      self:paragraph()
      if paragraph:find("^  ") then
        self:code((paragraph:gsub("^  ", ""):gsub("\n  ", "\n")))
      else
        self:add(lines_of(paragraph))
      end
    end
  end
  function page:code(text)
    self:add(".RS 4", ".EX")
    for line in (text .. "\n"):gmatch("(.-)\n") do
      self:add(line_of(line))
    end
    self:add(".EE", ".RE")
  end
  function page:entry(label, text)
    self:add(".TP", label, lines_of(text))
  end
  return page
end

local function bold(text)
  return "\\fB" .. escaped(text) .. "\\fP"
end

local function italic(text)
  return "\\fI" .. escaped(text) .. "\\fP"
end

-- ---- the parts of the page

local function option_label(option)
  local names = {}
  for index, name in ipairs(option.names) do
    names[index] = bold(name)
  end
  local label = table.concat(names, ", ")
  if option.choices then
    return label .. " " .. escaped(table.concat(option.choices, "|"))
  end
  return option.value and label .. " " .. italic(option.value) or label
end

local function argument_label(argument)
  local label = argument.choices and escaped(table.concat(argument.choices, "|"))
    or italic(argument.value)
  return argument.repeated and label .. " ..." or label
end

local function sentence(text)
  return text:sub(1, 1):upper() .. text:sub(2) .. "."
end

local function is_common(option)
  for _, common in ipairs(definitions.common_options()) do
    if common.names[1] == option.names[1] then
      return true
    end
  end
  return false
end

-- How it is called: what it cannot do without, and its arguments.
local function synopsis(command)
  local words = { bold("loyalhook " .. command.name) }
  for _, option in ipairs(command.options) do
    words[#words + 1] = option.required and option_label(option) or nil
  end
  words[#words + 1] = "[options]"
  for _, argument in ipairs(command.arguments) do
    local label = argument_label(argument)
    words[#words + 1] = argument.required and label or "[" .. label .. "]"
  end
  return table.concat(words, " ")
end

local function add_command(page, name)
  local command = definitions.of(commands.find(name))
  page:add('.SS "loyalhook ' .. escaped(name) .. '"', synopsis(command), ".PP")
  page:add(lines_of(sentence(command.summary)))
  for _, argument in ipairs(command.arguments) do
    page:entry(argument_label(argument), argument.description)
  end
  for _, option in ipairs(command.options) do
    if not is_common(option) then
      page:entry(option_label(option), option.description)
    end
  end
  if command.notes then
    page:prose(command.notes)
  end
  page:add(".PP", #command.examples > 1 and "Examples:" or "Example:")
  page:code(table.concat(command.examples, "\n"))
end

local function add_head(page, version)
  page:add("." .. "\\\" Written by docs/generate.lua; change that, or the commands.",
    ('.TH LOYALHOOK 1 %s "loyalhook %s" "User Commands"'):format(DATE, version),
    ".ad l")
  page:heading("NAME")
  page:add("loyalhook \\- sends loyalty\\-programme webhooks: signed, batched, retried, logged")
  page:heading("SYNOPSIS")
  page:add(bold("loyalhook") .. " " .. italic("COMMAND") .. " [options] [arguments]", ".br",
    bold("loyalhook help") .. " [" .. italic("COMMAND") .. "]")
  page:heading("DESCRIPTION")
  page:prose([[
A platform emits events (points earned, member enrolled); merchants configure webhooks; workers
deliver the events in signed batches and retry what fails. An event that was accepted is delivered,
or is listed as failed with its reason, whatever dies in between.

Data goes to standard output, messages and progress to standard error. With --json a command prints
one JSON document, and errors as {"error":{"code","message"}}. Secrets are never arguments, because
every user of a machine can read those: they come from standard input or a file.]])
end

local function add_settings(page)
  page:heading("ENVIRONMENT")
  page:prose("An option wins over its variable, a variable over loyalhook.lua, that over the "
    .. "default. An empty variable counts as not set.")
  for _, setting in ipairs(settings.leaves) do
    if setting.environment then
      page:entry(bold(setting.environment), setting.description)
    end
  end
  for _, pair in ipairs(settings.variables) do
    page:entry(bold(pair[1]), pair[2])
  end
end

--- The whole page. version: of the program.
function manual.page(version)
  local page = new_page()
  add_head(page, version)
  page:heading("OPTIONS")
  page:prose("Every command has these.")
  for _, option in ipairs(definitions.common_options()) do
    page:entry(option_label(option), option.description)
  end
  page:heading("COMMANDS")
  for _, name in ipairs(commands.names()) do
    add_command(page, name)
  end
  page:heading('"EXIT STATUS"')
  for _, pair in ipairs(exit_codes.meanings) do
    page:entry(bold(tostring(pair[1])), sentence(pair[2]))
  end
  add_settings(page)
  page:heading("FILES")
  for _, pair in ipairs(FILES) do
    page:entry(italic(pair[1]), pair[2])
  end
  page:heading('"SEE ALSO"')
  page:prose("The guides and the reference are in the folder docs of the project; docs/README.md "
    .. "lists them.")
  return table.concat(page.lines, "\n") .. "\n"
end

return manual
