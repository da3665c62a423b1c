-- Reads the tree: which files there are, their lines, and their code without comments and strings.
-- What a rule looks at is a source: { path, kind, text, lines, code, code_lines }.

local source = {}

-- Folders that hold the project's own text.
local roots = "src lua types bin spec examples demo docs contrib .ci"

local function kind_of(path)
  if path == "bin/loyalhook" then return "lua" end
  return path:match("%.([%w]+)$") or path:match("([^/]+)$")
end

local function split(text)
  local lines = {}
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- Keeps line breaks, so that line numbers stay.
local function blank(text) return (text:gsub("[^\n]", " ")) end

local function strip_c(text)
  local out, at = {}, 1
  while at <= #text do
    local two, one = text:sub(at, at + 1), text:sub(at, at)
    local last
    if two == "/*" then
      last = select(2, text:find("*/", at + 2, true)) or #text
      out[#out + 1] = blank(text:sub(at, last))
    elseif two == "//" then
      last = (text:find("\n", at, true) or #text + 1) - 1
    elseif one == '"' or one == "'" then
      last = at + 1
      while last <= #text and text:sub(last, last) ~= one do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
      out[#out + 1] = one .. one
    else
      last = (text:find("[/\"']", at + 1) or #text + 1) - 1
      out[#out + 1] = text:sub(at, last)
    end
    at = last + 1
  end
  return table.concat(out)
end

-- The end of a Lua long bracket that begins at `at`, or nil.
local function long_bracket_end(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  return select(2, text:find("]" .. level .. "]", at, true)) or #text
end

local function strip_lua(text)
  local out, at = {}, 1
  while at <= #text do
    local one = text:sub(at, at)
    local last
    if text:sub(at, at + 1) == "--" then
      last = long_bracket_end(text, at + 2) or (text:find("\n", at, true) or #text + 1) - 1
      out[#out + 1] = blank(text:sub(at, last))
    elseif one == "[" and long_bracket_end(text, at) then
      last = long_bracket_end(text, at)
      out[#out + 1] = '""' .. blank(text:sub(at, last)):gsub(" ", "")
    elseif one == '"' or one == "'" then
      last = at + 1
      while last <= #text and text:sub(last, last) ~= one do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
      out[#out + 1] = '""'
    else
      last = (text:find("[-%[\"']", at + 1) or #text + 1) - 1
      out[#out + 1] = text:sub(at, last)
    end
    at = last + 1
  end
  return table.concat(out)
end

--- A source from a path and its text.
function source.new(path, text)
  local self = { path = path, kind = kind_of(path), text = text, lines = split(text) }
  if self.kind == "c" or self.kind == "h" then
    self.code = strip_c(text)
  elseif self.kind == "lua" or self.kind == "rockspec" then
    self.code = strip_lua(text:gsub("^#![^\n]*", ""))
  end
  if self.code then self.code_lines = split(self.code) end
  return self
end

--- All sources of the checkout, in order of their paths.
function source.all()
  local list = {}
  local find = io.popen("find " .. roots .. " -type f ! -name '*.pyc' 2>/dev/null; ls -p | "
    .. "grep -v /")
  for path in find:lines() do
    local file = io.open(path, "rb")
    if file then
      list[#list + 1] = source.new(path, file:read("a"))
      file:close()
    end
  end
  find:close()
  table.sort(list, function(a, b) return a.path < b.path end)
  return list
end

return source
