-- Checks on all files: form, size, heads, pairs of code and test, and that lists name what exists.

local checks = {}
local function check(name, look) checks[#checks + 1] = { name = name, look = look } end

local function by_path(sources)
  local map = {}
  for _, file in ipairs(sources) do map[file.path] = file end
  return map
end

-- Kinds whose form is ours; .txt, .json and .md may have long lines.
local ours = { c = true, h = true, lua = true, py = true, sh = true, rockspec = true,
  bootstrap = true, run = true, conf = true }
local text = { md = true, txt = true, json = true, svg = true }

local function look_at_line(line, is_ours, columns_max)
  local width = utf8.len(line) or #line
  if is_ours and width > columns_max then return width .. " columns" end
  if is_ours and line:find("\t") then return "has a tab" end
  if line:find("[ \t\r]$") then return "ends in white space" end
end

check("lines are short, without tabs, and end cleanly", function(sources, rules, report)
  for _, file in ipairs(sources) do
    local is_ours = ours[file.kind]
    if is_ours or text[file.kind] then
      for number, line in ipairs(file.lines) do
        local complaint = look_at_line(line, is_ours, rules.columns_max)
        if complaint then report(file.path, number, complaint) end
      end
      local unfinished = file.text ~= "" and file.text:sub(-1) ~= "\n" and is_ours
      if unfinished then report(file.path, #file.lines, "no line break at the end") end
      if not utf8.len(file.text) then report(file.path, 1, "not UTF-8") end
    end
  end
end)

check("files are not too long", function(sources, rules, report)
  for _, file in ipairs(sources) do
    local most, lines = rules.lines_max[file.kind], #file.lines
    if most and lines > most then
      report(file.path, lines, ("%d lines, at most %d"):format(lines, most))
    end
  end
end)

check("each file says at its head what lives in it", function(sources, _, report)
  for _, file in ipairs(sources) do
    local first = file.lines[1] or ""
    if first:find("^#!") then first = file.lines[2] or "" end
    local c, lua = file.kind == "c" or file.kind == "h", file.kind == "lua"
    if (c and not first:find("^/%*")) or (lua and not first:find("^%-%-")) then
      report(file.path, 1, "no comment at its head")
    end
  end
end)

local function mark_in(line)
  for _, mark in ipairs { "TODO", "FIXME", "XXX" } do
    if line:find("%f[%w]" .. mark .. "%f[%W]") and not line:find("#%d") then return mark end
  end
end

check("no unnamed rooms, loose marks or places of one machine", function(sources, rules, report)
  for _, file in ipairs(sources) do
    local name = file.path:lower()
    if name:find("util") or name:find("helper") or name:find("misc") then
      report(file.path, 1, "say which room is missing")
    end
    local is_looked_at = not file.path:find("^spec/tidy") and file.kind ~= "png"
    for number, line in ipairs(is_looked_at and file.lines or {}) do
      local mark = mark_in(line)
      if mark then report(file.path, number, mark .. " without an issue number") end
      for _, place in ipairs(rules.places) do
        if line:find(place, 1, true) then report(file.path, number, "names " .. place) end
      end
    end
  end
end)

check("every part of the core has a C test", function(sources, _, report)
  local files = by_path(sources)
  for path in pairs(files) do
    local name = path:match("^src/core/([%w_]+)%.c$")
    local test = name and "spec/c/test_" .. name .. ".c"
    if test and not files[test] then report(path, 1, "no " .. test) end
  end
end)

-- "lua/loyalhook/cli/emit.lua" has spec/unit/cli_emit_spec.lua, or the spec of its whole folder.
check("every Lua module has a spec", function(sources, _, report)
  local files = by_path(sources)
  for path in pairs(files) do
    local name = path:match("^lua/loyalhook/(.*)%.lua$")
    if name then
      local flat = name:gsub("/", "_")
      local folder = name:match("^(.*)/[^/]+$")
      local known = files["spec/unit/" .. flat .. "_spec.lua"]
        or (folder and files["spec/unit/" .. folder:gsub("/", "_") .. "_spec.lua"])
        or (name == "init" and files["spec/unit/loyalhook_spec.lua"])
      if not known then report(path, 1, "no spec/unit/" .. flat .. "_spec.lua") end
    end
  end
end)

-- The rockspec, run as what it is: a table of assignments.
local function rockspec_files(file)
  local spec = {}
  assert(load(file.text, "@" .. file.path, "t", spec))()
  local listed = {}
  for _, module in pairs(spec.build.modules) do
    local paths = type(module) == "table" and module.sources or { module }
    for _, path in ipairs(paths) do listed[path] = true end
  end
  local install = spec.build.install or {}
  for _, path in pairs(install.bin or {}) do listed[path] = true end
  return listed
end

check("the rockspec lists every file and no other", function(sources, _, report)
  local files = by_path(sources)
  for path, file in pairs(files) do
    if file.kind == "rockspec" then
      local listed = rockspec_files(file)
      for listed_path in pairs(listed) do
        if not files[listed_path] then report(path, 1, "lists an absent " .. listed_path) end
      end
      for other in pairs(files) do
        local wanted = other:find("^src/.*%.c$") or other:find("^lua/.*%.lua$")
          or other == "bin/loyalhook"
        if wanted and not listed[other] then report(path, 1, "does not list " .. other) end
      end
    end
  end
end)

-- Links of a page that lead into the tree: "[…](path)" and "[…](path#part)".
local function link_target(page, link)
  local folder = page:match("^(.*/)") or ""
  local path = (folder .. link:gsub("#.*$", "")):gsub("%./", "", link:find("^%./") and 1 or 0)
  local changed
  repeat path, changed = path:gsub("[^/]+/%.%./", "", 1) until changed == 0
  return path
end

check("links in the docs lead somewhere", function(sources, _, report)
  local files, folders = by_path(sources), {}
  for path in pairs(files) do
    for at in path:gmatch("()/") do folders[path:sub(1, at - 1)] = true end
  end
  for _, file in ipairs(sources) do
    for number, line in ipairs(file.kind == "md" and file.lines or {}) do
      for link in line:gmatch("%]%(([^)%s]+)%)") do
        local inside = not link:find("^%a+:") and not link:find("^#")
        local target = inside and link_target(file.path, link)
        if target and not files[target] and not folders[target:gsub("/$", "")] then
          report(file.path, number, "leads nowhere: " .. link)
        end
      end
    end
  end
end)

check("targets that the docs name exist in the Makefile", function(sources, _, report)
  local makefile = by_path(sources).Makefile
  for _, file in ipairs(makefile and sources or {}) do
    for number, line in ipairs(file.kind == "md" and file.lines or {}) do
      for _, pattern in ipairs {
        "`make ([%l-]+)", "^%s+make ([%l-]+)", "%./bootstrap (%l[%l-]*)",
      } do
        local target = line:match(pattern)
        if target and not makefile.text:find("\n" .. target:gsub("%-", "%%-") .. ":") then
          report(file.path, number, "no such target: " .. target)
        end
      end
    end
  end
end)

return checks
