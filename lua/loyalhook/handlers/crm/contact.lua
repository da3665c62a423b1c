-- From an event to the contact that it changes, the same for every CRM: which one (the value at a
-- path), and what it gets (mapping.lua). A deleted member's contact is left alone, or gets what the
-- settings say.

local mapping = require("loyalhook.handlers.crm.mapping")
local template = require("loyalhook.handlers.template")
local view = require("loyalhook.handlers.view")

local contact = {}

--- The options that a CRM handler takes beside its own.
contact.KINDS = { id_from = "string", mapping = "table", on_delete = "string or table",
  without_id = "string" }

--- Checks those options. defaults = { id_from, mapping }; native as in mapping.values. Returns what
-- contact.of takes, or nil, message, "config".
function contact.check(given, defaults, native, where)
  local self = { id_from = given.id_from or defaults.id_from, native = native,
    skips = given.without_id == "skip" }
  local message, code
  self.mapping, message, code = mapping.check(given.mapping, defaults.mapping, where .. ".mapping")
  if self.mapping then
    self.on_delete, message, code = mapping.check_delete(given.on_delete, where .. ".on_delete")
  end
  if self.mapping and self.on_delete ~= nil then
    local ok
    ok, message, code = mapping.check_without_id(given.without_id, where .. ".without_id")
    if ok then
      return self
    end
  end
  return nil, message, code
end

--- The id and the fields of an event's contact; or nil and the event's result: true (nothing is to
-- be done) or { message, kind }.
function contact.of(self, event, context)
  local deleted = event.event_type == "event_member_delete"
  if deleted and not self.on_delete then
    return nil, true
  end
  local data = view.of(event)
  local id = template.text(template.value(data, self.id_from))
  if not id or id == "" then
    return nil, self.skips
      or { message = self.id_from .. ": absent in this event", kind = "fail" }
  elseif deleted then
    return id, self.on_delete
  end
  return id, mapping.values(self.mapping, data, self.native, function(target)
    context.log("warn", "a value does not fit its field and is left out",
      { field = target, event = event.id })
  end)
end

return contact
