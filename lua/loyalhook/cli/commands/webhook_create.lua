-- loyalhook webhook create: one option per field of a webhook. What values are allowed is decided
-- by the library; here they are only collected.

local arguments = require "loyalhook.cli.arguments"
local input = require "loyalhook.cli.input"
local shapes = require "loyalhook.cli.shapes"
local columns = require "loyalhook.cli.table"

local create = {}

create.examples = {
  "loyalhook webhook create --name crm --url https://example.com/crm --event-type category:member",
  "loyalhook webhook create --name all --url https://example.com/all --event-type '*' \\\n"
    .. "    --batch-size 50 --retry-interval-s 60",
  "loyalhook webhook create --name crm --url https://example.com/crm \\\n"
    .. "    --event-type event_points_earned,event_points_redeemed --secret-file secret.txt",
}
create.notes = "Without a secret of yours one is made; it is printed once and never shown again."

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

local COPIED = { "account", "name", "url", "scheme" }

function create.arguments(parser)
  parser:option("--name", "Its name, unique in the account."):argname("NAME"):count("1")
  parser:option("--url", "Where requests are posted."):argname("URL"):count("1")
  parser:option("--event-type", "A type, category:NAME or '*'; repeatable, or separated by commas.")
    :argname("TYPE"):count("+")
  parser:option("--account", "The account (default: the configured one).")
    :argname("NAME")
  input.secret_options(parser, "The secret that signs")
  parser:option("--scheme", "zinrelo (default) or standard."):argname("NAME")
  parser:option("--header", "Sent with each request: 'Name: value'; repeatable."):argname("LINE")
    :count("*")
  for _, field in ipairs(WHOLE_NUMBERS) do
    arguments.integer_option(parser, "--" .. field[1]:gsub("_", "-"), field[2])
  end
end

local function headers_of(lines)
  local headers, any = {}, false
  for _, line in ipairs(lines or {}) do
    local name, value = arguments.header(line)
    headers[name], any = value, true
  end
  return any and headers or nil
end

local function fields_of(args)
  local fields = {
    event_types = arguments.list(args.event_type),
    headers = headers_of(args.header),
  }
  for _, name in ipairs(COPIED) do
    fields[name] = args[name]
  end
  for _, field in ipairs(WHOLE_NUMBERS) do
    fields[field[1]] = args[field[1]]
  end
  return fields
end

local function print_webhook(webhook, secret_is_new, output)
  output:lines(columns.pairs(shapes.webhook_pairs(webhook)))
  if secret_is_new then
    output:lines(columns.pairs{ { "secret", webhook.secret } })
    output:note("The secret is shown only this once: give it to the receiver now.")
  end
end

function create.run(args, context)
  local fields = fields_of(args)
  local secret, message, code = input.secret(args)
  if message then
    return nil, message, code
  end
  fields.secret = secret
  local webhook
  webhook, message, code = context:sender():create_webhook(fields)
  if not webhook then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.webhook_created(webhook))
  else
    print_webhook(webhook, secret == nil, context.output)
  end
end

return create
