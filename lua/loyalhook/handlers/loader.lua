-- Handlers as loyalhook.lua lists them: { use = "email", … } is one that comes with loyalhook, {
-- file = "handlers/points.lua", … } a merchant's own. What stands beside is handed on as options.
-- An own file is one plain Lua file with all globals (its own assignments to globals stay in it);
-- it returns a handler, or a function that makes one of the options.

local chunk = require("loyalhook.config.chunk")
local contract = require("loyalhook.handlers.contract")
local nearest = require("loyalhook.nearest")
local plain = require("loyalhook.plain")

local loader = {}

--- Those that come with loyalhook, by name.
loader.shipped = { "crm.hubspot", "crm.salesforce", "email", "forward", "log", "wallet.http",
  "wallet.stripe" }

local function refuse(where, message)
  return nil, where .. ": " .. message, "config"
end

local function is_shipped(name)
  for _, known in ipairs(loader.shipped) do
    if name == known then
      return true
    end
  end
  return false
end

local function options_of(entry)
  local given = {}
  for name, value in pairs(entry) do
    if name ~= "use" and name ~= "file" then
      given[name] = value
    end
  end
  return given
end

-- Calls a maker of handlers. Returns what it returned, or nil, message.
local function make(maker, given)
  local ok, results = chunk.call(function()
    return { maker(given) }
  end)
  if not ok then
    return nil, chunk.text(results)
  elseif results[1] == nil then
    return nil, results[2] ~= nil and chunk.text(results[2]) or "no handler was returned"
  end
  return results[1]
end

local function shipped(entry, where)
  if not is_shipped(entry.use) then
    return refuse(where, ('no handler "%s" comes with loyalhook%s'):format(plain.line(entry.use),
      nearest.hint(entry.use, loader.shipped)) .. "; an own one is named by file")
  end
  where = ("%s (%s)"):format(where, entry.use)
  local handler, message = make(require("loyalhook.handlers." .. entry.use).new,
    options_of(entry))
  if not handler then
    return refuse(where, message:gsub("^[^%s:]+:%d+: ", ""))
  end
  return handler, where
end

-- What the file returns; or nil, message. Both name the file, and the line where there is one.
local function run(path)
  local text, problem = chunk.read(path)
  local compiled
  if text then
    compiled, problem = chunk.compile(text, path, setmetatable({}, { __index = _G }))
  end
  if not compiled then
    return nil, problem
  end
  local ok, result, endless = chunk.call(compiled)
  if not ok and (endless or type(result) ~= "string" or not result:find(path, 1, true)) then
    return nil, path .. ": " .. chunk.text(result)
  elseif not ok then
    return nil, result
  elseif type(result) ~= "table" and type(result) ~= "function" then
    return nil, ("%s: must return a handler, or a function that makes one, got %s"):format(path,
      type(result))
  end
  return result
end

local function own(entry, where, folder)
  local path = entry.file
  if folder and path:sub(1, 1) ~= "/" then
    path = folder .. path
  end
  local made, message = run(path)
  if type(made) == "function" then
    made, message = make(made, options_of(entry))
    message = message and (message:find(path, 1, true) and message or path .. ": " .. message)
  elseif made and next(options_of(entry)) then
    return refuse(where, ("%s takes no options such as %s: it returns a handler, not a function "
      .. "that makes one"):format(path, tostring(next(options_of(entry)))))
  end
  if not made then
    return refuse(where, message)
  end
  return made, path
end

-- A handler and what it is called in messages; or nil, message, "config".
local function load_one(entry, where, folder)
  if type(entry) ~= "table" or (entry.use == nil) == (entry.file == nil) then
    return refuse(where, "expected { use = NAME, … } or { file = PATH, … }")
  end
  local key = entry.use and "use" or "file"
  if type(entry[key]) ~= "string" or entry[key] == "" or entry[key]:find("%z") then
    return refuse(where, key .. ": expected a text")
  elseif entry.use then
    return shipped(entry, where)
  end
  return own(entry, where, folder)
end

--- Loads the handlers of a configuration. entries: its setting `handlers`; path: of loyalhook.lua,
-- which the files' paths are relative to; catalogue: the event types that are known. Each is
-- checked against the contract. Returns a list of handlers, or nil, message, "config".
function loader.load(entries, path, catalogue)
  local folder, list = path and path:match("^(.*/)"), {}
  for index, entry in ipairs(entries) do
    local handler, where, code = load_one(entry, ("handlers[%d]"):format(index), folder)
    local message = where
    if handler then
      local checked
      checked, message, code = contract.check(handler, where, catalogue)
      handler = checked and handler
    end
    if not handler then
      return nil, message, code
    end
    list[index] = handler
  end
  return list
end

return loader
