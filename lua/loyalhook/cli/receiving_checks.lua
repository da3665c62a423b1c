-- What doctor looks at on the receiving side: sources, handlers, and the nginx of
-- `listen` and `serve`. Checks are as those in checks.lua, which lists them.

local receiving = {}

local function finding(name, status, message, ...)
  return { name = name, status = status, message = message:format(...) }
end

local function failed(name, message, code)
  return { name = name, status = "problem", message = tostring(message), code = code }
end

local function has_sources(known)
  return known.settings ~= nil and next(known.settings.sources or {}) ~= nil
end

--- Whether every source's secrets can be read.
function receiving.sources(known)
  if not has_sources(known) then
    return nil
  end
  local sources = require "loyalhook.receiver.sources"
  local checked, message, code = sources.check(known.settings.sources)
  if not checked then
    return failed("sources", message, code)
  end
  local names = {}
  for name, source in pairs(checked) do
    local secrets
    secrets, message, code = sources.secrets(source)
    if not secrets then
      return failed("sources", ("sources.%s: %s"):format(name, message), code)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return finding("sources", "ok", "%s: every secret can be read", table.concat(names, ", "))
end

-- Names of handlers that the store knows, are not configured, and have left something.
local function left_over(known, configured)
  local receiver = known.sender and require("loyalhook.receiver").open{ sources = {}, as_is = true,
    store = known.settings.store, key_file = known.settings.key_file }
  local names = {}
  for _, row in ipairs(receiver and receiver:handlers() or {}) do
    local unfinished = row.tasks.pending + row.tasks.running + row.tasks.retrying + row.behind
    if not configured[row.name] and unfinished > 0 then
      names[#names + 1] = row.name
    end
  end
  if receiver then
    receiver:close()
  end
  return names
end

--- Whether every configured handler loads, and none waits that is not configured.
function receiving.handlers(known)
  local settings = known.settings
  if not settings then
    return nil
  end
  local list, message, code = {}, nil, nil
  if settings.handlers then
    list, message, code = require("loyalhook.handlers.loader").load(settings.handlers, known.path,
      known.catalogue)
  end
  if not list then
    return failed("handlers", message, code)
  end
  local names, configured = {}, {}
  for index, handler in ipairs(list) do
    names[index], configured[handler.name] = handler.name, true
  end
  local left = left_over(known, configured)
  if #left > 0 then
    return finding("handlers", "warning", "not configured, but events wait for them: %s;"
      .. " 'loyalhook inbox handlers' says how many", table.concat(left, ", "))
  elseif #names == 0 then
    return nil
  end
  return finding("handlers", "ok", "%s", table.concat(names, ", "))
end

--- Whether listen and serve find what they run.
function receiving.nginx(known)
  local engine = require "loyalhook.engine"
  local folder, message = engine.folder_new()
  local found
  if folder then
    found, message = require("loyalhook.server.nginx").find(
      known.settings and known.settings.nginx, folder)
    engine.folder_remove(folder)
  end
  if found then
    return finding("nginx", "ok", "%s, %s, with Lua", found.version, found.program)
  elseif has_sources(known) then
    return finding("nginx", "warning", "%s; serve and listen need it", message)
  end
  return finding("nginx", "ok", "not used: %s", message)
end

return receiving
