-- Checks on C: who includes whom, which calls are made, how long and deep functions are.

local checks = {}
local function check(name, look) checks[#checks + 1] = { name = name, look = look } end

local function is_c(file) return file.kind == "c" or file.kind == "h" end
local function room_of(path) return path:match("^src/([^/]+)/") end

-- Calls back for each C file of src with its room.
local function each_room_file(sources, visit)
  for _, file in ipairs(sources) do
    local room = is_c(file) and room_of(file.path)
    if room then visit(file, room) end
  end
end

local function each_include(file, visit)
  for number, line in ipairs(file.lines) do
    local quote, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
    if name then visit(name, quote == '"', number) end
  end
end

local function contains(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then return true end
  end
  return false
end

check("C rooms include only what is below them, through its door", function(sources, rules, report)
  each_room_file(sources, function(file, room)
    each_include(file, function(name, own, line)
      local other = own and name:match("^([^/]+)/")
      if not rules.rooms[room] then
        report(file.path, line, "room " .. room .. " is not known to spec/tidy.lua")
      elseif own and not other then
        report(file.path, line, ('"%s" is not written "room/header.h"'):format(name))
      elseif other and not contains(rules.rooms[room], other) then
        report(file.path, line, ("%s must not know %s"):format(room, name))
      elseif other and other ~= room and rules.doors[other]
          and not contains(rules.doors[other], name) then
        report(file.path, line, ("%s is not a door of %s"):format(name, other))
      end
    end)
  end)
end)

check("each library belongs to one room", function(sources, rules, report)
  each_room_file(sources, function(file, room)
    each_include(file, function(name, _, line)
      for _, library in ipairs(rules.libraries) do
        if name:find(library[1]) and room ~= library[2] then
          report(file.path, line, ("<%s> belongs to %s"):format(name, library[2]))
        end
      end
    end)
  end)
end)

check("core includes nothing of the system", function(sources, rules, report)
  each_room_file(sources, function(file, room)
    if room ~= "core" then return end
    each_include(file, function(name, own, line)
      local known = own
      for _, pattern in ipairs(rules.core_headers) do known = known or name:find(pattern) end
      if not known then report(file.path, line, "<" .. name .. "> is not the language's") end
    end)
  end)
end)

-- Calls of plain functions with these names; members (x.time(), x->time()) are not meant.
local function report_calls(file, names, why, report)
  for number, line in ipairs(file.code_lines) do
    for at, name in line:gmatch("()([%a_][%w_]*)%s*%(") do
      local before = line:sub(1, at - 1)
      local member = before:find("[%.>]%s*$") or before:find("%(%*$")
      if not member and contains(names, name) then
        report(file.path, number, name .. "(): " .. why)
      end
    end
  end
end

check("no banned calls in C", function(sources, rules, report)
  each_room_file(sources, function(file, room)
    report_calls(file, rules.banned_calls, "banned", report)
    if room ~= "clock" then
      report_calls(file, rules.clock_calls, "only src/clock reads time and randomness", report)
    end
    if room == "core" then
      report_calls(file, rules.core_calls, "core does no input or output", report)
    end
  end)
end)

check("no static mutable state outside the store", function(sources, _, report)
  each_room_file(sources, function(file, room)
    if room == "store" then return end
    for number, line in ipairs(file.code_lines) do
      local declared = line:match("^%s*static%s+(.*)$")
      local is_function = declared and declared:find("%(") and not declared:find("=")
      if declared and not is_function and not declared:find("%f[%w_]const%f[^%w_]")
         and not declared:find("_Static_assert") and not declared:find("^inline") then
        report(file.path, number, "static and not const")
      end
    end
  end)
end)

-- Parameters of a header text "name(a, b(c, d), e)": commas at depth one.
local function parameter_count(header)
  local depth, count, text = 0, 0, header:match("%b()") or "()"
  if text:find("^%(%s*%)$") or text:find("^%(%s*void%s*%)$") then return 0 end
  for char in text:gmatch("[(),]") do
    if char == "(" then depth = depth + 1 elseif char == ")" then depth = depth - 1
    elseif depth == 1 then count = count + 1 end
  end
  return count + 1
end

-- Calls back for each function body: name, first line, last line, deepest nesting, header.
local function each_function(file, visit)
  local depth, header, start, deepest = 0, "", 0, 0
  local in_function = false
  for number, line in ipairs(file.code_lines) do
    if line:find("^%s*#") or line:find("\\$") then goto continue end
    if depth == 0 then
      if header == "" then start = number end
      header = header .. " " .. line
    end
    for char in line:gmatch("[{}]") do
      if char == "{" then
        if depth == 0 then
          local before = header:match("^(.-){")
          in_function = before:find("%(") and not before:find("=") and true or false
          deepest = 0
        end
        depth = depth + 1
        deepest = math.max(deepest, depth)
      else
        depth = depth - 1
        if depth == 0 and in_function then
          visit(header:match("([%a_][%w_]*)%s*%(") or "?", start, number, deepest - 1, header)
          in_function = false
        end
      end
    end
    if depth == 0 and (line:find("[;}]%s*$") or line:find("^%s*$")) then header = "" end
    ::continue::
  end
end

check("C functions are short, flat and take few parameters", function(sources, rules, report)
  for _, file in ipairs(sources) do
    if is_c(file) then
      each_function(file, function(name, first, last, nesting, header)
        local function limit(what, value, most)
          if value > most then
            report(file.path, first, ("%s: %d %s, at most %d"):format(name, value, what, most))
          end
        end
        limit("lines", last - first + 1, rules.function_lines_max.c)
        limit("levels of nesting", nesting, rules.nesting_max)
        limit("parameters", parameter_count(header), rules.parameters_max)
      end)
    end
  end
end)

check("interfaces have few entries", function(sources, rules, report)
  for _, file in ipairs(sources) do
    if file.kind == "h" then
      for at, name, body in file.code:gmatch("()struct%s+([%w_]+)%s*(%b{})") do
        local _, entries = body:gsub("%(%s*%*%s*[%w_]+%s*%)%s*%(", "")
        local _, line = file.code:sub(1, at):gsub("\n", "")
        if entries > rules.interface_entries_max then
          report(file.path, line + 1, ("struct %s has %d entries"):format(name, entries))
        end
      end
    end
  end
end)

return checks
