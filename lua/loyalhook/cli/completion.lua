-- What may stand in place of the last word of a command line. Words of commands and options come
-- from their definitions; values of the store are looked up by the function that is handed in
-- (values.lua has the real one). How a shell asks is in shells.lua.

local arguments = require "loyalhook.cli.arguments"
local definitions = require "loyalhook.cli.definitions"

local completion = {}

local NOTHING = { arguments = {}, options = {}, excludes = {} }

-- A description for the place where the name of a command (or its second word) stands.
local function choice_of(words)
  return { arguments = { { words = words } }, options = definitions.common_options(),
    excludes = {} }
end

-- First words of all commands; a group stands for its commands.
local function first_words(registry)
  local words, seen = {}, {}
  for _, row in ipairs(registry.overview()) do
    local group = row[1]:match("^(%S+) ")
    local word = group or row[1]
    if not seen[word] then
      seen[word] = true
      words[#words + 1] = { word, group and table.concat(registry.of_group(group), ", ") or row[2] }
    end
  end
  words[#words + 1] = { "help", "help for a command" }
  return words
end

local function second_words(registry, group)
  local words = {}
  for _, row in ipairs(registry.overview(group)) do
    words[#words + 1] = { row[1]:match(" (%S+)$"), row[2] }
  end
  return words
end

-- The description of what the words before the current one stand for, and the words that are left
-- of them when the command is taken out.
local function situation(registry, before)
  local first = arguments.word_at(before, 1)
  local helps = first and before[first] == "help"
  if helps then
    before = arguments.without(before, first)
    first = arguments.word_at(before, 1)
  end
  if not first then
    return choice_of(first_words(registry)), before
  end
  local name, second = before[first], nil
  if #registry.of_group(name) > 0 then
    second = arguments.word_at(before, first + 1)
    if not second then
      return choice_of(second_words(registry, name)), arguments.without(before, first)
    end
    name = name .. " " .. before[second]
  end
  local entry = registry.find(name)
  if not entry or helps then
    return NOTHING, {}
  end
  return definitions.of(entry), arguments.without(before, first, second)
end

local function option_of(description, name)
  for _, option in ipairs(description.options) do
    for _, known in ipairs(option.names) do
      if known == name then
        return option
      end
    end
  end
  return nil
end

-- Reads the words before the current one: how many arguments there are, which options were used
-- with which values, whether the last one still wants its value, whether -- ended the options.
local function read(description, before)
  local state = { arguments = 0, used = {}, given = {}, options_end = false, pending = nil }
  for _, word in ipairs(before) do
    local name, value = word:match("^(%-%-[^=]+)=(.*)$")
    local option = not state.options_end and option_of(description, name or word)
    if state.pending then
      state.given[state.pending.target], state.pending = word, nil
    elseif option then
      state.used[option.names[1]] = true
      state.given[option.target] = value
      state.pending = option.takes_value and not value and option or nil
    elseif word == "--" then
      state.options_end = true
    elseif state.options_end or word:sub(1, 1) ~= "-" then
      state.arguments = state.arguments + 1
    end
  end
  return state
end

-- The options that may still come, as { name, description }.
local function options_left(description, state)
  local list = {}
  for _, option in ipairs(description.options) do
    local name = option.names[1]
    local possible = option.repeated or not state.used[name]
    for other in pairs(description.excludes[name] or {}) do
      possible = possible and not state.used[other]
    end
    if possible then
      list[#list + 1] = { option.names[#option.names], option.description }
    end
  end
  return list
end

local function words_of(choices)
  local words = {}
  for index, choice in ipairs(choices) do
    words[index] = { choice, "" }
  end
  return words
end

-- The values of an option or argument: kind, list.
local function values_of(element, state, current, look_up)
  if element.words then
    return "words", element.words
  elseif element.choices then
    return "words", words_of(element.choices)
  elseif element.value == "FILE" or element.value == "BODY" then
    return "files", {}
  end
  return "words", look_up(element, state.given, current)
end

-- Values in a list with commas come behind those that stand there already.
local function with_prefix(prefix, list)
  local words = {}
  for index, word in ipairs(list) do
    words[index] = { prefix .. word[1], word[2] }
  end
  return words
end

-- The option whose value is being typed, what of it is there, and what stands before that.
local function open_option(description, state, current)
  if state.pending then
    return state.pending, current, ""
  end
  local name, value = current:match("^(%-%-[^=]+)=(.*)$")
  local option = name and not state.options_end and option_of(description, name)
  return option or nil, value, name and name .. "="
end

local function argument_at(description, number)
  local last = description.arguments[#description.arguments]
  return description.arguments[number] or last and last.repeated and last or nil
end

--- What the last of `words` (all behind the program's name) could be. look_up(element, given,
--- current) returns values of an option or argument that has no fixed ones (see definitions.lua),
--- where given has the values of options so far. Returns "words" and an array of { word,
--- description }, or "files" and an empty one.
function completion.candidates(registry, words, look_up)
  local before, current = {}, words[#words] or ""
  for index = 1, #words - 1 do
    before[index] = words[index]
  end
  local description, rest = situation(registry, before)
  local state = read(description, rest)
  local option, text, prefix = open_option(description, state, current)
  if option then
    prefix = prefix .. (option.repeated and text:match("^.*,") or "")
    local kind, list = values_of(option, state, text:match("[^,]*$"), look_up)
    return kind, with_prefix(prefix, list)
  end
  local argument = argument_at(description, state.arguments + 1)
  if state.options_end and not argument then
    return "words", {}
  elseif argument and (state.options_end or current:sub(1, 1) ~= "-") then
    return values_of(argument, state, current, look_up)
  end
  return "words", options_left(description, state)
end

return completion
