-- What every shipped handler lets a merchant choose: its name (two of one kind need two), its event
-- types, and how it works (order, how many at once, how often, how long). The meaning is the
-- handler runtime's; here the options are only taken over.

local policy = {}

local KINDS = { name = "string", event_types = "table", serial = "string or boolean",
  concurrency = "number", rate = "table", tries = "number", timeout_s = "number",
  from = "string", when_unknown = "string" }

--- The options of a handler: these and its own, tables name → kind as options.check takes them.
function policy.known(...)
  local known = {}
  for _, kinds in ipairs({ KINDS, ... }) do
    for name, kind in pairs(kinds) do
      known[name] = kind
    end
  end
  return known
end

--- Puts what was given over the handler's defaults; serial = false takes the order away. Returns
-- the handler.
function policy.apply(handler, given)
  for name in pairs(KINDS) do
    if given[name] ~= nil then
      handler[name] = given[name]
    end
  end
  handler.serial = handler.serial or nil
  return handler
end

return policy
