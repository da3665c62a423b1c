-- loyalhook request show: one request, its events and every attempt.

local names = require "loyalhook.cli.names"
local shapes = require "loyalhook.cli.shapes"
local columns = require "loyalhook.cli.table"
local terminal = require "loyalhook.cli.terminal"

local show = {}

show.examples = {
  "loyalhook request show 61f11851bdfb9aac526d0c70",
  "loyalhook request show 61f11851bdfb9aac526d0c70 --json",
}

function show.arguments(parser)
  parser:argument("ID", "Its request_id."):argname("ID"):target("request")
end

local SHOWN = {
  "request_id", "account", "webhook", "webhook_id", "state", "reason", "total_count",
  "attempts_made", "next_attempt_at", "created_at", "finished_at",
}

-- What is said of an attempt's headers beside its number.
local function remark(attempt)
  if attempt.headers then
    return attempt.sent == false and " (nothing was sent; these would have been)" or ""
  elseif attempt.nonce then
    return ": not kept by the version that recorded it"
  end
  return ": not known, its worker was lost"
end

local function print_headers(attempt, output)
  output:line("")
  output:line(("headers of attempt %d%s"):format(attempt.number, remark(attempt)))
  for _, name in ipairs(attempt.header_names or {}) do
    output:line(("  %s: %s"):format(name, terminal.safe(attempt.headers[name])))
  end
end

local function print_attempts(request, output)
  local attempts = request.attempts
  if #attempts == 0 then
    output:line(request.state == "failed" and "no attempt was made" or "no attempts yet")
    return
  end
  local rows = {}
  for index, attempt in ipairs(attempts) do
    rows[index] = { attempt.number, attempt.started_at, attempt.duration_ms, attempt.status,
      attempt.error or attempt.response }
  end
  output:lines(columns.lines({ ">ATTEMPT", "STARTED", ">MS", ">STATUS", "ANSWER" }, rows))
  for _, attempt in ipairs(attempts) do
    print_headers(attempt, output)
  end
end

local function print_request(request, webhook, output)
  local pairs_list, whose = {}, { account = webhook.account, webhook = webhook.name }
  for _, name in ipairs(SHOWN) do
    local value = request[name] or whose[name]
    if value ~= nil and value ~= "" then
      pairs_list[#pairs_list + 1] = { name, value }
    end
  end
  output:lines(columns.pairs(pairs_list))
  output:line("")
  output:line("events")
  for _, id in ipairs(request.event_ids) do
    output:line("  " .. id)
  end
  output:line("")
  print_attempts(request, output)
end

function show.run(args, context)
  local sender = context:sender()
  local request, message, code = sender:request(args.request)
  if not request then
    if code == "not_found" and sender:event(args.request) then
      message = message .. ", but an event: loyalhook explain " .. args.request
    end
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.request_shown(request))
  else
    print_request(request, names.of(sender)(request.webhook_id), context.output)
  end
end

return show
