-- Values that a shell can complete: names of webhooks, event types, ids of requests. They are
-- looked up as the commands do it, with the store and configuration that the command line names;
-- where that fails there are none. Which option takes which stands in SOURCES: what two commands
-- call alike is the same thing.

local plain = require "loyalhook.plain"

local values = {}

local REQUESTS_MAX = 50 -- of the newest; a person looks for what has just happened
local ACCOUNTS_MAX = 1000

local function fixed(...)
  local list = {}
  for index = 1, select("#", ...) do
    list[index] = { (select(index, ...)), "" }
  end
  return function() return list end
end

local sources = {}

function sources.types(context)
  local list = {}
  for _, entry in ipairs(context:catalogue():all()) do
    list[#list + 1] = { entry.name, entry.description }
  end
  return list
end

function sources.categories(context)
  local list = {}
  for _, entry in ipairs(context:catalogue():categories()) do
    list[#list + 1] = { entry.name, entry.title }
  end
  return list
end

-- What --event-type takes: one type, or where it is repeatable also categories, which come first.
function sources.selectors(context, _, _, element)
  local list = {}
  if not element.repeated then
    return sources.types(context)
  end
  for _, pair in ipairs(sources.categories(context)) do
    list[#list + 1] = { "category:" .. pair[1], pair[2] }
  end
  for _, pair in ipairs(sources.types(context)) do
    list[#list + 1] = pair
  end
  return list
end

-- Names, and ids if the beginning of one stands there.
function sources.webhooks(context, given, current)
  local list = {}
  for _, webhook in ipairs(context:sender():webhooks{ account = given.account } or {}) do
    list[#list + 1] = { webhook.name, webhook.status .. ", account " .. webhook.account }
    if current:find("^%x+$") then
      list[#list + 1] = { webhook.id, webhook.name }
    end
  end
  return list
end

function sources.accounts(context)
  local list = {}
  for _, account in ipairs(context:sender():accounts{ limit = ACCOUNTS_MAX } or {}) do
    list[#list + 1] = { account.name, "" }
  end
  return list
end

function sources.tokens(context)
  local list = {}
  for _, token in ipairs(context:access():tokens() or {}) do
    if not token.revoked_at then
      list[#list + 1] = { token.name, ("%s, account %s"):format(token.scope, token.account or "*") }
    end
  end
  return list
end

function sources.users(context)
  local list = {}
  for _, user in ipairs(context:access():users() or {}) do
    list[#list + 1] = { user.user, user.role }
  end
  return list
end

local function requests(state)
  return function(context)
    local list = {}
    for _, request in ipairs(context:sender():requests{ state = state, limit = REQUESTS_MAX }) do
      list[#list + 1] = { request.request_id, ("%s, %d events, made %s"):format(request.state,
        request.total_count, request.created_at) }
    end
    return list
  end
end

-- Names of senders: those that are configured to be accepted.
function sources.sources(context)
  local list = {}
  for name in pairs(context:settings().sources or {}) do
    list[#list + 1] = { name, "" }
  end
  table.sort(list, function(left, right) return left[1] < right[1] end)
  return list
end

function sources.handlers(context)
  local list = {}
  for _, handler in ipairs(context:receiver():handlers() or {}) do
    list[#list + 1] = { handler.name, ("%d behind, %d failed"):format(handler.behind,
      handler.tasks.failed) }
  end
  return list
end

local function received(state)
  return function(context)
    local list = {}
    for _, event in ipairs(context:receiver():events{ state = state, limit = REQUESTS_MAX }) do
      list[#list + 1] = { event.id, ("%s, %s, received %s"):format(event.event_type, event.state,
        event.received_at) }
    end
    return list
  end
end

function sources.states()
  local names = require("loyalhook.fields").states
  return fixed((table.unpack or unpack)(names))()
end

-- By the first name of an option, or by an argument's target.
local SOURCES = {
  ["--event-type"] = sources.selectors, ["--category"] = sources.categories,
  ["--webhook"] = sources.webhooks, ["--account"] = sources.accounts,
  ["--state"] = sources.states, ["--scheme"] = fixed("zinrelo", "standard"),
  ["--success"] = fixed("200", "2xx"), ["--since"] = fixed("30m", "2h", "1d", "7d"),
  ["--until"] = fixed("30m", "2h", "1d", "7d"),
  event_type = sources.types, webhook = sources.webhooks, request = requests(nil),
  requests = requests("failed"), name = sources.accounts,
  token = sources.tokens, user = sources.users,
  ["--source"] = sources.sources, ["--handler"] = sources.handlers, handler = sources.handlers,
  received = received(nil), failed_received = received("failed"),
}

local MUTE = { json = true, note = function() end }

--- Values of an option or argument as definitions.lua describes it: an array of { value,
--- description }, empty if there are none or they cannot be had. given: the options that stand on
--- the line already; current: what of the value is there.
function values.look_up(element, given, current)
  local source = SOURCES[element.names and element.names[1] or element.target]
  if not source then
    return {}
  end
  local context = require("loyalhook.cli.context").new(given, MUTE, true)
  local done, list = pcall(source, context, given, current, element)
  context:close()
  local harmless = {}
  for _, pair in ipairs(done and list or {}) do
    if plain.line(pair[1]) == pair[1] then -- else it could not be typed
      harmless[#harmless + 1] = { pair[1], plain.line(pair[2]) }
    end
  end
  return harmless
end

return values
