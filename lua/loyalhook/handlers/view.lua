-- An event as the settings of handlers name its parts: the members of its data at the top
-- (member_info.first_name), beside them `event` (event.id, event.event_type, event.source,
-- event.received_at) and what a handler adds.

local view = {}

--- A table for template.value and templates. `extra` has the handler's own names, which win.
function view.of(event, extra)
  local all = {}
  for name, value in pairs(event.data) do
    all[name] = value
  end
  all.event = { id = event.id, event_type = event.event_type, source = event.source,
    received_at = event.received_at, member_id = event.member_id }
  for name, value in pairs(extra or {}) do
    all[name] = value
  end
  return all
end

return view
