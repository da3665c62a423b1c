-- Checks on Lua: who requires whom, what is not called, how long and deep functions are.

local checks = {}
local function check(name, look) checks[#checks + 1] = { name = name, look = look } end

local function contains(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then return true end
  end
  return false
end

-- "lua/loyalhook/cli/emit.lua" → "cli.emit"; the init file of a folder is the folder.
local function module_of(path)
  local name = path:match("^lua/loyalhook/(.*)%.lua$")
  return name and name:gsub("/", "."):gsub("%.?init$", "")
end

local function group_of(module, rules)
  local first = module:match("^[^.]*")
  if contains(rules.groups.pure.modules, first) then return "pure" end
  return rules.groups[first] and first or "top"
end

check("Lua modules require only what is below them", function(sources, rules, report)
  for _, file in ipairs(sources) do
    local module = file.kind == "lua" and module_of(file.path)
    local group = module and group_of(module, rules)
    local may = group and (rules.groups[group] or rules.groups.top).may
    for number, line in ipairs(module and file.lines or {}) do
      local wanted = not line:find("^%s*%-%-")
        and line:match("require%s*%(?%s*[\"']([%w_.]+)[\"']")
      local own = wanted and wanted:match("^loyalhook%.(.+)$")
      local seen = own and own ~= "core" and own ~= "engine" and group_of(own, rules) or wanted
      if wanted == "loyalhook" then seen = "top" end
      if seen and not contains(may, seen) and seen ~= group then
        report(file.path, number, ("%s (%s) must not require %s"):format(module, group, wanted))
      end
    end
  end
end)

check("no banned names in Lua", function(sources, rules, report)
  for _, file in ipairs(sources) do
    local lines = file.kind == "lua" and module_of(file.path) and file.code_lines or {}
    for number, line in ipairs(lines) do
      for at, name in line:gmatch("()([%a_][%w_.]*)") do
        local why, before, after = rules.lua_banned[name], line:sub(1, at - 1), line:sub(at + #name)
        local own = before:find("[:.]%s*$") or before:find("function%s+$")
          or after:find("^%s*=[^=]")
        if why and not own then report(file.path, number, name .. ": " .. why) end
      end
    end
  end
end)

local openers = { ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }
local closers = { ["end"] = true, ["until"] = true }

-- Calls back for each function: name, first line, last line, nesting inside it, parameter text.
local function each_function(file, visit)
  local stack = {}
  for number, line in ipairs(file.code_lines) do
    for at, word in line:gmatch("()([%a_][%w_]*)") do
      if openers[word] then
        local block = { word = word, line = number, nesting = 0 }
        if word == "function" then
          block.name, block.parameters = line:match("^%s*([%w_.:]*)%s*(%b())", at + #word)
        end
        stack[#stack + 1] = block
      elseif closers[word] and #stack > 0 then
        local block = table.remove(stack)
        local parent = stack[#stack]
        if block.word == "function" then
          visit(block.name ~= "" and block.name or "function", block.line, number, block.nesting,
            block.parameters or "()")
        elseif parent then
          parent.nesting = math.max(parent.nesting, block.nesting + 1)
        end
      end
    end
  end
  return #stack
end

local function is_product(path)
  return path:find("^lua/") or path:find("^bin/") or path:find("^spec/tidy")
end

check("Lua functions are short, flat and take few parameters", function(sources, rules, report)
  for _, file in ipairs(sources) do
    if file.kind == "lua" and is_product(file.path) then
      local left = each_function(file, function(name, first, last, nesting, parameters)
        local function limit(what, value, most)
          if value > most then
            report(file.path, first, ("%s: %d %s, at most %d"):format(name, value, what, most))
          end
        end
        limit("lines", last - first + 1, rules.function_lines_max.lua)
        limit("levels of nesting", nesting, rules.nesting_max)
        limit("parameters", select(2, parameters:gsub("[%w_.]+", "")), rules.parameters_max)
      end)
      if left ~= 0 then report(file.path, #file.lines, "blocks do not match; cannot be read") end
    end
  end
end)

return checks
