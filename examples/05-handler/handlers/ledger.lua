-- A handler of one's own: writes down what members earn and spend. It stands in loyalhook.lua as
-- { file = "handlers/ledger.lua", path = "ledger.csv" }; what stands beside `file` are the options.

return function(options)
  if type(options.path) ~= "string" then
    return nil, "path: missing, the file to write to"
  end

  local function handle(event, context)
    local award = (event.data.transaction_info or {}).award_info or {}
    local points = tonumber(award.points)
    if not points then
      return nil, "the event has no points", "fail" -- a retry would not help: listed for a person
    end
    local file, problem = io.open(options.path, "a")
    if not file then
      return nil, problem -- tried again: after 10 s, 30 s, 90 s …
    end
    -- The key is the same at every attempt: whoever reads the file drops a line that came twice.
    file:write(("%s,%s,%s,%d\n"):format(context.idempotency_key, event.member_id,
      event.event_type, points))
    file:close()
    context.log("info", "written down", { member = event.member_id, points = points })
    return true
  end

  return {
    name = "ledger",
    event_types = { "event_points_earned", "event_points_redeemed" },
    serial = "member", -- one member's events in order
    handle = handle,
  }
end
