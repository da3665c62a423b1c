-- Who changes something, as the audit log is to know it: what the methods of a sender, a
-- receiver and an access make of their caller's `by`. The store notes it in the transaction of
-- the change (sender/webhook_fields.lua says what of a webhook may stand there).

local core = require("loyalhook.core")
local json = require("loyalhook.json")

local actor = {}

local PROGRAM = "lua" -- one that does not say who it is

-- Its JSON; of what cannot be said in JSON, or at too great length, only the names.
local function text_of(set)
  local text = json.encode(set)
  if text and #text <= core.limits.audit_detail_max then
    return text
  end
  local names = json.array()
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return assert(json.encode({ set = names }))
end

--- What the store takes. by: { who = "user:anna", detail = JSON text of an object, never with a
-- secret }, or nil: the program ("lua"). set: a table of what is set, which is the detail unless
-- there is one; nil: none, or what the store counts.
function actor.of(by, set)
  by = by or { who = PROGRAM }
  return { who = by.who, detail = by.detail or set and text_of(set) }
end

return actor
