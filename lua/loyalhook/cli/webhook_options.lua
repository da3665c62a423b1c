-- The options that webhook create and webhook edit share: one for each setting of a webhook, named
-- after its field. What values are allowed is decided by the library; here they are only collected.

local arguments = require "loyalhook.cli.arguments"

local webhook_options = {}

local WHOLE_NUMBERS = {
  { "batch_size", "Events in one request, 1-1000 (default 100)." },
  { "batch_bytes_max", "Bytes of one request's body (default 1000000)." },
  { "batch_wait_ms", "Wait so long to fill a batch (default 0)." },
  { "retries_max", "Retries after the first attempt, 0-100 (default 5)." },
  { "retry_interval_s", "Seconds between attempts, 1-86400 (default 300)." },
  { "pause_after", "Pause after so many failed requests in a row, 0 never (default 5)." },
  { "timeout_ms", "Time for one attempt, 100-300000 (default 30000)." },
  { "max_in_flight", "Attempts at once, 1-1024 (default 4)." },
}

local COPIED = { "name", "url", "scheme", "success" }

--- Declares them. Returns the options for name, URL and event types, which a new webhook needs.
function webhook_options.declare(parser)
  local name = parser:option("--name", "Its name, unique in the account."):argname("NAME")
  local url = parser:option("--url", "Where requests are posted."):argname("URL")
  local types = parser:option("--event-type",
    "A type, category:NAME or '*'; repeatable, or separated by commas."):argname("TYPE"):count("*")
  parser:option("--scheme", "zinrelo (default) or standard."):argname("NAME")
  parser:option("--success", "Which answers count: 200 (default) or 2xx."):argname("RULE")
  parser:option("--header", "Sent with each request: 'Name: value'; repeatable."):argname("LINE")
    :count("*")
  parser:option("--retry-schedule", "Seconds before each retry instead of one interval: 5,60,600.")
    :argname("S,S,...")
  parser:flag("--ordered", "One request after the other: none overtakes one that failed.")
  for _, field in ipairs(WHOLE_NUMBERS) do
    arguments.integer_option(parser, "--" .. field[1]:gsub("_", "-"), field[2])
  end
  return name, url, types
end

--- The table of headers that repeated --header options name, nil if there are none.
function webhook_options.headers(lines)
  local headers, any = {}, false
  for _, line in ipairs(lines or {}) do
    local name, value = arguments.header(line)
    headers[name], any = value, true
  end
  return any and headers or nil
end

local function schedule(text)
  local seconds = {}
  for part in (text .. ","):gmatch("([^,]*),") do
    local number = part:match("^%s*(%d+)%s*$")
    if not number or #number > 9 then
      arguments.usage_error(("--retry-schedule '%s' is not a list of seconds like 5,60,600"):format(
        text))
    end
    seconds[#seconds + 1] = math.floor(tonumber(number))
  end
  return seconds
end

--- The fields that the options of this command line give.
function webhook_options.fields(args)
  local fields = { headers = webhook_options.headers(args.header), ordered = args.ordered }
  if args.event_type and #args.event_type > 0 then
    fields.event_types = arguments.list(args.event_type)
  end
  if args.retry_schedule then
    fields.retry_schedule = schedule(args.retry_schedule)
  end
  for _, name in ipairs(COPIED) do
    fields[name] = args[name]
  end
  for _, field in ipairs(WHOLE_NUMBERS) do
    fields[field[1]] = args[field[1]]
  end
  return fields
end

--- Declares the argument that names a webhook, and the account it may need.
function webhook_options.which(parser)
  parser:argument("WEBHOOK", "Its id or its name."):argname("ID|NAME"):target("webhook")
  parser:option("--account", "The account, if several have a webhook of this name.")
    :argname("NAME")
end

return webhook_options
