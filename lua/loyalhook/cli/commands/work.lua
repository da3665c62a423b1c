-- loyalhook work: a worker in the foreground, for a service manager or a terminal. Its log goes to
-- stderr, one line per message; what it did altogether is said at its end.

local working = require "loyalhook.cli.working"

local work = {}

work.examples = {
  "loyalhook work",
  "loyalhook work --until-idle            # deliver what is due, then end",
  "loyalhook work --concurrency 64 --log-format json 2>> worker.log",
}
work.notes = [[
SIGTERM or Ctrl-C: no new attempts are begun, those in flight may finish (30 s), then it ends; a
second one ends it at once. Any number of workers can share one store.

The log goes to stderr, a line a message: with a time unless that is a terminal or systemd's journal
(which gets priorities). With --log-format json it is one object a line: time, level, message and
what belongs to it.]]

function work.arguments(parser)
  parser:flag("--until-idle", "End with 0 when nothing is due or in flight.")
  parser:option("--role", "deliver or handle; default all there is."):choices(
    { "deliver", "handle" })
  working.arguments(parser)
end

-- What a worker of this role works on and with.
local function parts_of(role, context)
  if role == "deliver" then
    local parts = working.parts(context)
    parts.handlers = nil
    return parts
  elseif role ~= "handle" then
    return working.parts(context)
  end
  local settings, handlers = context:settings(), context:handlers()
  if not handlers[1] then
    return nil, "role handle: no handlers are configured; list them in the setting handlers",
      "config"
  end
  return { handlers = handlers, types = settings.types, receiver = context:receiver(),
    retention_days = settings.retention_days, dedupe_days = settings.dedupe_days,
    failed_retention_days = settings.failed_retention_days, allow_http = settings.allow_http,
    allow_networks = settings.allow_networks, ca_file = settings.ca_file }
end

function work.run(args, context)
  local parts, message, code = parts_of(args.role, context)
  if not parts then
    return nil, message, code
  end
  local voice = working.voice(context)
  parts.log = voice.say
  local worker
  worker, message, code = require("loyalhook.worker").new(parts)
  if not worker then
    return working.failure(message, code, voice)
  end
  local store = context:settings().store
  voice.note(("working on %s; Ctrl-C ends it"):format(store), "working", { store = store })
  return working.run(worker, { parts = parts, until_idle = args.until_idle }, context, voice)
end

return work
