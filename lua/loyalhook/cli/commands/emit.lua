-- loyalhook emit: accept one event, or many from a file. When it exits with 0 the events are on the
-- disk. Reading many is bulk.lua's business.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local input = require "loyalhook.cli.input"

local emit = {}

emit.examples = {
  "loyalhook emit event_points_earned --data '{\"member_info\":{\"member_id\":\"m-1\"}}'",
  "loyalhook emit event_member_update --data-file member.json --idempotency-key update-17",
  "loyalhook emit --ndjson events.ndjson",
  "produce-events | loyalhook emit --ndjson - --json",
}
emit.notes = [[
A line of --ndjson is one object: {"event_type":…, "data":{…}} and, if wanted, "id", "account",
"idempotency_key". Lines are stored in batches of up to 1000. What is wrong with a line is said
with its number; the other lines are stored, and the exit code is 5. The ids go to stdout (not to
a terminal), in the order of the lines.]]

function emit.arguments(parser)
  parser:argument("TYPE", "The event's type; loyalhook events lists them."):args("?")
    :argname("TYPE"):target("event_type")
  parser:mutex(
    parser:option("--data", "The event's data, a JSON object."):argname("JSON"),
    parser:option("--data-file", "File with the data; - or neither: stdin."):argname("FILE"),
    parser:option("--ndjson", "Many events from a file, - for stdin."):argname("FILE"))
  parser:option("--account", "The account of events that name none."):argname("NAME")
  parser:option("--idempotency-key", "The same key again stores nothing and prints the first id.")
    :argname("KEY")
  parser:option("--id", "The event's id, 24 lower-case hex digits; default a new one.")
    :argname("ID")
end

local function check_combination(args)
  if args.ndjson and (args.event_type or args.idempotency_key or args.id) then
    arguments.usage_error("with --ndjson an event's type, id and idempotency_key are in its line",
      "Run 'loyalhook emit --help' for the form of a line.")
  elseif not args.ndjson and not args.event_type then
    arguments.usage_error("an event type is needed, or --ndjson FILE",
      "Run 'loyalhook events' for the list of types.")
  end
end

local function data_of(args)
  if args.data then
    return args.data
  end
  local path = args.data_file or "-"
  if path == "-" and require("loyalhook.cli.terminal").is_terminal(0) then
    arguments.usage_error("the event's data is needed: --data JSON, --data-file FILE or stdin")
  end
  return input.read(path, require("loyalhook.core").limits.event_bytes_max)
end

local function emit_one(args, context)
  local sender = context:sender()
  local data, message, code = data_of(args)
  if not data then
    return nil, message, code
  elseif data == "" then
    return nil, "data: empty; give it with --data JSON, --data-file FILE or on stdin", "invalid"
  end
  local id
  id, message, code = sender:emit_json(args.event_type, data,
    { idempotency_key = args.idempotency_key, id = args.id })
  if not id then
    return nil, message, code
  end
  local duplicate = code == "duplicate"
  if context.json then
    context.output:document(document.object("id", id, "ids", document.list{ id },
      "duplicate", duplicate))
  else
    context.output:line(id)
    if duplicate then
      context.output:note("known already: nothing was stored")
    end
  end
end

function emit.run(args, context)
  check_combination(args)
  if args.ndjson then
    return require("loyalhook.cli.bulk").emit(args.ndjson, context)
  end
  return emit_one(args, context)
end

return emit
