-- loyalhook serve: the HTTP API and a receiver for the configured sources on an nginx of its own,
-- and a worker in this process. For a service manager or a terminal.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local scope = require "loyalhook.cli.scope"
local working = require "loyalhook.cli.working"

local serve = {}

serve.examples = {
  "loyalhook serve",
  "loyalhook serve --port 8080 --host 0.0.0.0",
  "loyalhook serve --log-format json 2>> serve.log",
}
serve.notes = [[
The HTTP API is at /api/v1, for programs with a token (loyalhook token create) and for people who
sign in; while there is no user, a first-run token is printed that makes the first one. Senders post
to /receive/NAME, where NAME is one of the sources in loyalhook.lua; what is answered 200 is in the
inbox, durably. The worker delivers, sends mails and runs the handlers, as loyalhook work does.
/healthz answers 200, /healthz/ready too if the store can be written and a worker lives, /metrics is
for Prometheus. Without --host only this machine can connect: put a proxy with TLS in front of it,
and set public_url.

SIGTERM or Ctrl-C: nginx answers what it has begun, the worker drains (30 s), then it ends. An nginx
that ends by itself is started again.]]

local PORT, HOST = 8480, "127.0.0.1"

function serve.arguments(parser)
  arguments.port_option(parser, "Where it listens (default 8480); 0: a free port.")
  parser:option("--host", "Address that it listens on (default 127.0.0.1; 0.0.0.0 is all).")
    :argname("ADDRESS")
  working.arguments(parser)
end

-- As nginx writes an address.
local function host_of(text)
  text = text or HOST
  if not text:find("^[%x:.]+$")
    or require("loyalhook.core").address_refused(text) == "not an address" then
    arguments.usage_error(("--host: '%s' is no IP address"):format(text))
  end
  return text:find(":", 1, true) and "[" .. text .. "]" or text
end

local function names_of(sources)
  local names = {}
  for name in pairs(sources) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The text of a first-run token, while nobody can sign in; or nil. That none could be made is said:
-- receiving goes on.
local function first_run_token(context, voice)
  local access = context:access()
  local needed, message, code = access:needs_first_run()
  local token
  if needed then
    token, message, code = access:make_first_run({}, context.by)
  end
  if needed ~= false and not token and code ~= "refused" then -- refused: a user has come meanwhile
    voice.say("warn", "no first-run token could be made", { code = code, error = message })
  end
  return token
end

local function announce(web, host, names, context, voice)
  local base = ("http://%s:%d"):format(host, web.port)
  local url, token = base .. "/receive/", first_run_token(context, voice)
  if context.json then
    context.output:document(document.object("url", url, "sources", document.list(names), "api",
      base .. "/api/v1", "first_run_token", token))
    context.output:flush()
  end
  voice.note(("serving at %s; Ctrl-C ends it"):format(base), "serving", { url = base })
  if #names > 0 then
    voice.note(("receiving at %s… for %s"):format(url, table.concat(names, ", ")), "receiving",
      { url = url })
  end
  if token then
    voice.note("nobody can sign in yet; the first-run token makes the first user, within a day: "
      .. token, "first-run token", { token = token })
  end
end

-- Looks after nginx between the worker's rounds; when told to end, nginx ends too.
local function watch(web, problem)
  local now_ms = require("loyalhook.core").now_ms
  return function(report)
    if report.signal then
      web:quit_soon()
    end
    local ok, message, code = web:look(now_ms())
    if not ok then
      problem.message, problem.code = message, code
      return "stop"
    end
  end
end

local function work(args, host, context, keep)
  local settings = context:settings()
  local parts, voice = working.parts(context), working.voice(context)
  local signalled = scope.signals(keep)
  parts.log = voice.say
  local worker = keep(require("loyalhook.worker").new(parts))
  local web, message, code = require("loyalhook.server.serve").start{ folder = scope.folder(keep),
    program = settings.nginx, host = host, port = args.port or PORT, store = settings.store,
    key_file = settings.key_file, wal_bytes_max = settings.wal_bytes_max,
    sources = settings.sources, api = require("loyalhook.server.front").api(settings, host),
    trusted_proxies = settings.trusted_proxies, log = voice.say, stopped = signalled }
  if not web and signalled() then
    return signalled() == "INT" and exit_codes.INTERRUPTED or exit_codes.OK
  end
  keep(web, message, code)
  announce(web, host, names_of(settings.sources or {}), context, voice)
  local problem = {}
  local result
  result, message, code = working.run(worker, { parts = parts, on_report = watch(web, problem) },
    context, voice)
  if problem.message then
    return working.failure(problem.message, problem.code, voice)
  end
  return result, message, code
end

function serve.run(args, context)
  local host = host_of(args.host)
  return scope.run(function(keep)
    return work(args, host, context, keep)
  end)
end

return serve
