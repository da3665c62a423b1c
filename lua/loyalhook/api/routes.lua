-- Which path and method is answered by whom. A resource's file is a list of routes:
-- { "GET", "/webhooks/{id}", run = function(call), need = "read", "write", "admin",
-- "session" or "none", all_accounts = true if a token of one account does not do,
-- query = { name = kind }, body = kinds.object or a number of bytes for raw text }. Pure.

local kinds = require("loyalhook.api.kinds")
local parse = require("loyalhook.api.parse")

local routes = {}

local RESOURCES = { "accounts", "audit", "catalogue", "events", "health", "inbox", "jobs",
  "metrics", "notices", "requests", "session", "settings", "stats", "tokens", "users", "webhooks" }
local BASE = "/api/v1"

-- What a part of a path in braces may be.
local PARTS = { event_id = kinds.id, webhook_id = kinds.id, request_id = kinds.id,
  job_id = kinds.id, token_id = kinds.id, account = kinds.account, user = kinds.user,
  handler = kinds.handler, received_id = kinds.words(128) }

local function parts_of(path)
  local parts = {}
  for part in path:gmatch("/([^/]*)") do
    parts[#parts + 1] = part
  end
  return parts
end

local function add(table_of_paths, route)
  local method, path = route[1], route[2]
  local whole = route.bare and path or BASE .. path
  local entry = table_of_paths[whole]
  if not entry then
    entry = { parts = parts_of(whole), methods = {}, path = whole }
    table_of_paths[whole] = entry
    table.insert(table_of_paths, entry)
  end
  entry.methods[method] = route
end

--- All routes, by number of parts.
function routes.load()
  local paths = {}
  for _, name in ipairs(RESOURCES) do
    for _, route in ipairs(require("loyalhook.api." .. name)) do
      add(paths, route)
    end
  end
  return paths
end

-- What the braces stand for, or nil if the path is another one.
local function match(entry, parts)
  local captured = {}
  for index, part in ipairs(entry.parts) do
    local name = part:match("^{(.*)}$")
    if name then
      local value = parse.decoded(parts[index])
      if not value or not PARTS[name].value(value) then
        return nil
      end
      captured[name] = value
    elseif part ~= parts[index] then
      return nil
    end
  end
  return captured
end

--- The entry of a path { methods, path } and what its braces stand for, or nil. A path without
-- braces goes before one with.
function routes.find(paths, path)
  local exact = paths[path]
  if exact and not path:find("{", 1, true) then
    return exact, {}
  end
  local parts = parts_of(path)
  for _, entry in ipairs(paths) do
    if #entry.parts == #parts then
      local captured = match(entry, parts)
      if captured then
        return entry, captured
      end
    end
  end
  return nil
end

--- The methods of an entry, for Allow.
function routes.allow(entry)
  local names = { "OPTIONS" }
  for method in pairs(entry.methods) do
    names[#names + 1] = method
  end
  if entry.methods.GET then
    names[#names + 1] = "HEAD"
  end
  table.sort(names)
  return table.concat(names, ", ")
end

return routes
