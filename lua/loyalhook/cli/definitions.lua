-- What a command's definition says, as plain data. Completion, the manual page and the specs read
-- this, so that a command is written once: in its file in commands/ and its line in commands.lua.

local arguments = require "loyalhook.cli.arguments"

local definitions = {}

-- The name of a value ("NAME", "FILE"); with choices there is none.
local function value_name(element)
  local name = element._argname
  return type(name) == "table" and name[1] or name
end

local function of_argument(element)
  return {
    target = element._target or element._name,
    value = value_name(element) or element._name,
    choices = element._choices,
    required = element._minargs > 0,
    repeated = element._maxargs > 1,
    description = element._description or "",
  }
end

local function of_option(element)
  local takes_value = element._maxargs > 0
  return {
    names = element._public_aliases,
    target = element._target or element:_get_default_target(),
    takes_value = takes_value,
    value = takes_value and value_name(element) or nil,
    choices = element._choices,
    required = element._mincount > 0,
    repeated = element._maxcount > 1,
    description = element._description or "",
  }
end

local function shown(elements, of)
  local list = {}
  for _, element in ipairs(elements) do
    if not element._hidden then
      list[#list + 1] = of(element)
    end
  end
  return list
end

-- Which options exclude each other: first name → set of first names.
local function exclusions(parser)
  local excluded = {}
  for _, group in ipairs(parser._mutexes) do
    for _, element in ipairs(group) do
      excluded[element._name] = excluded[element._name] or {}
      for _, other in ipairs(group) do
        excluded[element._name][other._name] = other ~= element or nil
      end
    end
  end
  return excluded
end

local function of_parser(entry, command)
  local parser = arguments.parser(entry, command)
  return {
    name = entry.name, summary = entry.summary, usage = parser:get_usage():gsub("^Usage: ", ""),
    arguments = shown(parser._arguments, of_argument),
    options = shown(parser._options, of_option),
    excludes = exclusions(parser),
    examples = command.examples or {}, notes = command.notes,
  }
end

--- A command of the registry: { name, summary, usage, arguments, options, excludes, examples, notes
--- }. An argument has target, value (its name), choices, required, repeated, description; an option
--- has names ("--since", …), target, takes_value, value, choices, required, repeated, description.
--- excludes[name] is a set of the first names of options that it cannot stand beside.
function definitions.of(entry)
  return of_parser(entry, require(entry.module))
end

--- The options that every command has, as options of a command are described.
function definitions.common_options()
  return of_parser({ name = "" }, { arguments = function() end }).options
end

return definitions
