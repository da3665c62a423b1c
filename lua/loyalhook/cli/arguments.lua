-- From the words of the command line to a command and its options. argparse does the parsing, for
-- the one chosen command only (so no other command's modules are loaded); what it prints on errors
-- is replaced: one line and a hint, exit code 2.

local argparse = require "argparse"
local nearest = require "loyalhook.nearest"

local arguments = {}

-- Options that every command knows; those that take a value are skipped when looking for its name.
local PORT_MAX = 65535
local TAKES_VALUE = { ["--store"] = true, ["--config"] = true }

local function stop(kind, fields)
  fields.stop = kind
  error(fields, 0)
end

--- Raises the error that main reports as a usage error (exit code 2). hint is a second line.
function arguments.usage_error(message, hint)
  stop("usage", { message = message, hint = hint })
end

local usage_error = arguments.usage_error

--- Index of the first word from `from` on that is neither an option nor the value of --store; nil
--- if there is none.
function arguments.word_at(argv, from)
  local index = from
  while argv[index] and argv[index] ~= "--" do
    local word = argv[index]
    if TAKES_VALUE[word] then
      index = index + 1
    elseif word:sub(1, 1) ~= "-" or word == "-" then
      return index
    end
    index = index + 1
  end
  return nil
end

--- The words but those at one or two indexes.
function arguments.without(argv, first, second)
  local rest = {}
  for index = 1, #argv do
    if index ~= first and index ~= second then
      rest[#rest + 1] = argv[index]
    end
  end
  return rest
end

local word_at, without = arguments.word_at, arguments.without

local function has(argv, ...)
  for _, word in ipairs(argv) do
    if word == "--" then
      return false
    end
    for index = 1, select("#", ...) do
      if word == select(index, ...) then
        return true
      end
    end
  end
  return false
end

--- Whether --json stands there; asked before parsing, because parse errors obey it too.
function arguments.wants_json(argv)
  return has(argv, "--json")
end

local function unknown(name, registry)
  local names = registry.names()
  for _, group in ipairs(registry.groups()) do
    names[#names + 1] = group
  end
  usage_error(("unknown command '%s'%s"):format(name, nearest.hint(name, names)),
    "Run 'loyalhook --help' for the list of commands.")
end

local function in_group(registry, argv, first)
  local group = argv[first]
  local second = word_at(argv, first + 1)
  if not second then
    if has(argv, "--help", "-h") then
      stop("help", { group = group })
    end
    usage_error(("'%s' needs to be told what to do: %s"):format(group,
      table.concat(registry.of_group(group), ", ")), "Run 'loyalhook " .. group .. " --help'.")
  end
  local name = group .. " " .. argv[second]
  local entry = registry.find(name)
  if not entry then
    unknown(name, registry)
  end
  return entry, without(argv, first, second)
end

--- Finds the command named in argv: its registry entry and the remaining words. Raises
--- { stop = "help" } where help was asked for without a command, or a usage error.
function arguments.command(registry, argv)
  local first = word_at(argv, 1)
  if first and argv[first] == "help" then
    argv = without(argv, first)
    argv[#argv + 1] = "--help"
    first = word_at(argv, 1)
  end
  if not first then
    if has(argv, "--version", "-V") then
      return registry.find("version"), has(argv, "--json") and { "--json" } or {}
    elseif has(argv, "--help", "-h") then
      stop("help", {})
    end
    usage_error("a command is required", "Run 'loyalhook --help' for the list of commands.")
  end
  if #registry.of_group(argv[first]) > 0 then
    return in_group(registry, argv, first)
  end
  local entry = registry.find(argv[first])
  if not entry then
    unknown(argv[first], registry)
  end
  return entry, without(argv, first)
end

local function add_common(parser)
  parser:flag("--json", "Print one JSON document."):target("json")
  parser:option("--store", "Where the store is (default: sqlite:loyalhook.db)."):argname("LOCATION")
  parser:option("--config", "Configuration file (default: loyalhook.lua)."):argname("FILE")
  parser:flag("-h --help", "Show this help."):action(function() stop("help", {}) end)
end

local function help_text(entry, command, parser)
  local parts = { ("loyalhook %s: %s\n"):format(entry.name, entry.summary) }
  if command.examples then
    parts[#parts + 1] = "Examples:\n  " .. table.concat(command.examples, "\n  ") .. "\n"
  end
  parts[#parts + 1] = parser:get_help() .. "\n"
  if command.notes then
    parts[#parts + 1] = command.notes .. "\n"
  end
  return table.concat(parts, "\n")
end

-- argparse puts its tip on a second line; ours is one sentence.
local function one_line(message)
  return (message:gsub("\nDid you mean ", "; did you mean "):gsub("\n", " "))
end

-- argparse takes "-1" for an option; as "--name=-1" it is a value.
local function with_negative_numbers(argv)
  local words, options_end = {}, false
  for _, word in ipairs(argv) do
    local before = words[#words]
    options_end = options_end or word == "--"
    if not options_end and word:find("^%-%d") and before and before:find("^%-%-[^=]+$") then
      words[#words] = before .. "=" .. word
    else
      words[#words + 1] = word
    end
  end
  return words
end

--- The argparse parser of a command, with the options that every command has.
function arguments.parser(entry, command)
  local parser = argparse("loyalhook " .. entry.name):add_help(false)
  parser:help_max_width(100):help_description_margin(30):usage_max_width(96)
  command.arguments(parser)
  add_common(parser)
  return parser
end

--- The options of a command as a table. `command` has arguments(parser), optional examples and
--- notes. Raises { stop = "help", text = … } or a usage error.
function arguments.parse(entry, command, argv)
  local parser = arguments.parser(entry, command)
  local hint = ("Run 'loyalhook %s --help' for its options."):format(entry.name)
  -- argparse's own answer to an error is to print its usage and exit with 1.
  parser.error = function(_, message) usage_error(one_line(message), hint) end
  local done, result = pcall(parser.parse, parser, with_negative_numbers(argv))
  if done then
    return result
  elseif type(result) == "table" and result.stop == "help" then
    result.text = help_text(entry, command, parser)
  end
  error(result, 0)
end

--- Declares an option that takes a whole number. Whether it is in range is the library's business.
function arguments.integer_option(parser, name, description)
  return parser:option(name, description):argname("N"):convert(function(text)
    if not text:find("^%-?%d+$") or #text > 15 then
      return nil, ("%s: '%s' is not a whole number"):format(name, text)
    end
    return math.floor(tonumber(text))
  end)
end

--- Declares --port: where a server of ours listens.
function arguments.port_option(parser, description)
  arguments.integer_option(parser, "--port", description):action(function(parsed, _, port)
    if port < 0 or port > PORT_MAX then
      usage_error(("--port: expected 0 to %d, got %d"):format(PORT_MAX, port))
    end
    parsed.port = port
  end)
end

--- Name and value of an option's 'Name: value'; a usage error for anything else.
function arguments.header(line)
  local name, value = line:match("^([^:]+):%s*(.-)%s*$")
  if not name then
    usage_error(("--header '%s' is not of the form 'Name: value'"):format(line))
  end
  return name, value
end

--- The values of a repeatable option that may also be separated by commas.
function arguments.list(values)
  local list = {}
  for _, value in ipairs(values or {}) do
    for item in value:gmatch("[^,]+") do
      list[#list + 1] = item:match("^%s*(.-)%s*$")
    end
  end
  return list
end

return arguments
