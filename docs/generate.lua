-- Writes what the documentation has from the code: the manual page, and the tables of settings and
-- exit codes. From the top of a checkout, with the modules on the path (see the Makefile):
--
--     lua5.4 docs/generate.lua            writes the files
--     lua5.4 docs/generate.lua --check    ends with 1 where one would change
--
-- In a page, a generated part stands between <!-- generated: NAME --> and <!-- end -->.

package.path = "docs/man/?.lua;" .. package.path

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function exit_code_table()
  local rows = { "| code | meaning |", "|---|---|" }
  for _, pair in ipairs(require("loyalhook.cli.exit_codes").meanings) do
    rows[#rows + 1] = ("| %d | %s |"):format(pair[1], (pair[2]:gsub("loyalhook%.lua", "`%0`")))
  end
  return table.concat(rows, "\n") .. "\n"
end

local function variable_table()
  local rows = { "| variable | meaning |", "|---|---|" }
  for _, pair in ipairs(require("loyalhook.settings").variables) do
    rows[#rows + 1] = ("| `%s` | %s |"):format(pair[1], pair[2])
  end
  return table.concat(rows, "\n") .. "\n"
end

-- The page with the part of that name replaced.
local function with_part(path, parts)
  local text = read(path)
  for name, part in pairs(parts) do
    local before, after = "<!-- generated: " .. name .. " -->\n", "<!-- end -->"
    local _, from = text:find(before, 1, true)
    local to = from and text:find(after, from, true)
    assert(to, path .. " has no part " .. name)
    text = text:sub(1, from) .. part .. text:sub(to)
  end
  return text
end

local written = {
  ["docs/man/loyalhook.1"] = require("manual").page(require("loyalhook.core")._VERSION),
  ["docs/reference/configuration.md"] = with_part("docs/reference/configuration.md", {
    settings = require("loyalhook.template").reference(), variables = variable_table() }),
  ["docs/reference/command-line.md"] = with_part("docs/reference/command-line.md", {
    ["exit codes"] = exit_code_table() }),
}

local stale = {}
for path, text in pairs(written) do
  local file = io.open(path, "rb")
  if not file or file:read("a") ~= text then
    stale[#stale + 1] = path
  end
  if file then file:close() end
end
table.sort(stale)

if arg[1] == "--check" then
  for _, path in ipairs(stale) do
    io.stderr:write(path, ": not what `make generate` would write\n")
  end
  os.exit(#stale == 0 and 0 or 1)
end
for _, path in ipairs(stale) do
  local file = assert(io.open(path, "wb"))
  assert(file:write(written[path]))
  assert(file:close())
  io.stderr:write("written: ", path, "\n")
end
