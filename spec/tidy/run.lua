-- Runs every check over the tree, then over the planted offences, and prints TAP.
-- A check is { name =, look = function(sources, rules, report) }; report(path, line, message).

local source = require "tidy.source"

local checks = {}
for _, name in ipairs { "tidy.c", "tidy.code", "tidy.house" } do
  for _, check in ipairs(require(name)) do checks[#checks + 1] = check end
end

-- Findings of one check; those with a listed exception are dropped and mark it as used.
local function find(check, sources, rules, used)
  local found = {}
  check.look(sources, rules, function(path, line, message)
    local excused = rules.exceptions[check.name] and rules.exceptions[check.name][path]
    if excused then
      used[check.name .. path] = true
    else
      found[#found + 1] = ("%s:%d: %s"):format(path, line, message)
    end
  end)
  return found
end

-- An exception that excuses nothing any more has to go.
local function stale_exceptions(rules, used)
  local found = {}
  for name, files in pairs(rules.exceptions) do
    for path in pairs(files) do
      if not used[name .. path] then
        found[#found + 1] = path .. ": exception to " .. name .. " is not needed"
      end
    end
  end
  return found
end

local count, failed = 0, 0
local function result(title, found)
  count = count + 1
  if #found > 0 then failed = failed + 1 end
  print(("%s %d - %s"):format(#found == 0 and "ok" or "not ok", count, title))
  for _, line in ipairs(found) do print("#   " .. line) end
end

local function by_name(name)
  for _, check in ipairs(checks) do
    if check.name == name then return check end
  end
  error("no check is named " .. name)
end

return function(rules)
  local sources, used = source.all(), {}
  for _, check in ipairs(checks) do result(check.name, find(check, sources, rules, used)) end
  result("every exception is needed", stale_exceptions(rules, used))

  local planted_rules = setmetatable({ exceptions = {} }, { __index = rules })
  for _, offence in ipairs(require "tidy.planted") do
    local files = {}
    for path, text in pairs(offence.files) do files[#files + 1] = source.new(path, text) end
    local found = find(by_name(offence.check), files, planted_rules, {})
    local ok = (#found > 0) == (offence.fine ~= true)
    result(("planted: %s (%s)"):format(offence.title, offence.check),
      ok and {} or { offence.fine and table.concat(found, "; ") or "was not found" })
  end
  print("1.." .. count)
  return failed == 0
end
