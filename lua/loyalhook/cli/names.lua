-- Whose a request is: rows of the log name their webhook by id, people know it by account and name.

local names = {}

--- A function from a webhook's id to { account =, name = } (of one that retention has deleted
-- altogether: no account, the id as name). Each is looked up once.
function names.of(sender)
  local known = {}
  return function(id)
    if not known[id] then
      local webhook = sender:webhook(id)
      known[id] = webhook and { account = webhook.account, name = webhook.name } or { name = id }
    end
    return known[id]
  end
end

return names
