-- loyalhook listen: the real receiver, on an nginx of its own, at any path of a loopback port.
-- Shows each request with its verdict and, when refused, why. For those who try a sender.

local arguments = require "loyalhook.cli.arguments"
local arrivals = require "loyalhook.cli.arrivals"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local input = require "loyalhook.cli.input"
local journal = require "loyalhook.server.journal"
local plain = require "loyalhook.plain"
local respond = require "loyalhook.server.respond"
local scope = require "loyalhook.cli.scope"
local sources = require "loyalhook.receiver.sources"

local listen = {}
local engine, server -- loaded when it runs: help needs neither

listen.examples = {
  "loyalhook listen                                    # makes a secret and shows it",
  "loyalhook listen --port 8080 --secret-file secret.txt",
  "loyalhook listen --respond '500*2, timeout, 429/5, 200'",
  "loyalhook listen --forward http://127.0.0.1:3000/hooks",
}
listen.notes = [[
Without --store what it records is in a temporary store that goes with it. --forward posts each new
event, signed with the same secret, to a URL, and tries again when that fails.

--respond answers by script, a word a request, the last one for ever:
  200           received as always: verified, recorded, answered
  STATUS        another status, 200 to 599; STATUS/N with Retry-After: N
  slow, slow/N  as 200, but answered after 5 or N seconds
  timeout       never answered
  half          half an answer, then the connection ends
  close, reset  the connection ends, or is reset, without an answer
  WORD*N        the word for N requests
What is not answered 200 is verified and shown, but not recorded.

Ctrl-C or SIGTERM ends it and its nginx.]]

local PORT = 8484
local ANYWHERE = { "0.0.0.0/0", "::/0" }
local SOURCE = "listen"
local ROUND_MS = 100 -- between two looks into the log of requests
local GRACE_MS = 2000
local FORWARD = "listen.forward"

function listen.arguments(parser)
  arguments.port_option(parser, "Where it listens on 127.0.0.1 (default 8484); 0: a"
    .. " free one.")
  input.secret_options(parser, "The secret that requests are signed with")
  parser:option("--scheme", "zinrelo (default) or standard."):choices({ "zinrelo", "standard" })
  parser:option("--source", "Record as from this sender; a configured one has its own secrets.")
    :argname("NAME")
  parser:option("--forward", "Post each new event, signed, to this URL too."):argname("URL")
  parser:option("--respond", "Answer by script: 500,timeout,reset,slow,200 and so on.")
    :argname("SCRIPT")
end

-- The source to accept from: by its secret, as configured, or with a new secret, which is shown.
-- Returns { name, config, secret (if it is new) }, or nil, message, code.
local function source_of(args, context)
  local secret, message, code = input.secret(args)
  if message then
    return nil, message, code
  elseif secret then
    return { name = args.source or SOURCE, given = true,
      config = { secrets = { secret }, scheme = args.scheme } }
  end
  local configured = context:settings().sources or {}
  local name = args.source or next(configured)
  if not args.source and name and next(configured, name) then
    arguments.usage_error("several sources are configured: choose one with --source, or give a"
      .. " secret")
  elseif name and not configured[name] then
    return nil, ("source '%s' is not configured: give its secret with --secret-stdin or"
      .. " --secret-file"):format(name), "config"
  elseif name then
    return { name = name, config = configured[name] }
  end
  secret, message, code = require("loyalhook.core").secret.generate()
  return secret and { name = SOURCE, config = { secrets = { secret }, scheme = args.scheme },
    secret = secret }, message, code
end

-- What a person must know to send something.
local function announce(web, source, args, context)
  local url = ("http://127.0.0.1:%d/"):format(web.port)
  if context.json then
    context.output:document(document.object("url", url, "source", source.name,
      "secret", source.secret, "store", args.store))
    context.output:flush()
    return
  end
  local output = context.output
  output:note(("listening on %s and every path below; Ctrl-C ends it"):format(url))
  if source.secret then
    output:note("secret (made for this run; sign with it): " .. source.secret)
  end
  if args.forward then
    output:note("each new event is posted to " .. plain.without_tokens(args.forward))
  end
end

-- A function that shows what has come since its last call, and tells how nginx ended if it has.
local function watch(web, requests, context)
  local function show(row)
    if context.json then
      context.output:document(arrivals.document(row))
    else
      context.output:lines(arrivals.lines(row))
    end
  end
  return function()
    requests:each(function(line)
      local row = journal.parse(line)
      if row then
        show(row)
      end
    end)
    context.output:flush()
    return web:ended()
  end
end

-- Goes on until a signal comes. Returns its name, or nil, message, code.
local function go_on(look, signalled)
  local signal, ended
  repeat
    ended = look()
    signal = signalled()
    if not ended and not signal then
      engine.pause(ROUND_MS)
    end
  until ended or signal
  return signal, ended, "io"
end

local function show_forwarded(report, output)
  for _, told in ipairs(report.tasks or {}) do
    local line = arrivals.forwarded_line(told)
    if output.json then
      output:document(arrivals.forwarded(told))
    elseif line then
      output:line(line)
    end
  end
end

-- The same with a worker that forwards.
local function go_on_forwarding(worker, look, output)
  local ended
  local result, signal, code = worker:run{ round_ms = ROUND_MS, grace_ms = GRACE_MS,
    on_report = function(report)
      ended = look()
      show_forwarded(report, output)
      output:flush()
      return ended and "stop"
    end }
  if ended then
    return nil, ended, "io"
  end
  return result and signal, signal, code
end

-- The worker of --forward runs this one handler, for the URL that a person named: so no address is
-- refused to it.
local function open_worker(args, receiver, source, context)
  local config, settings = source.config, context:settings()
  local handler, message, code = require("loyalhook.handlers.forward").new{ name = FORWARD,
    url = args.forward, scheme = config.scheme, secret = config.secrets and config.secrets[1],
    secret_file = not config.secrets and config.secret_files[1] or nil }
  if not handler then
    return nil, message, code
  end
  return require("loyalhook.worker").new{ receiver = receiver, handlers = { handler },
    log_level = settings.log_level, log_format = settings.log_format,
    retention_days = settings.retention_days,
    failed_retention_days = settings.failed_retention_days, ca_file = settings.ca_file,
    allow_http = true, allow_networks = ANYWHERE }
end

-- Everything is opened, run, and closed again. Returns as go_on does.
local function work(args, source, steps, context, keep)
  local signalled = scope.signals(keep)
  local folder = scope.folder(keep)
  local store = args.store or ("sqlite:%s/loyalhook.db"):format(folder)
  local receiver = keep(require("loyalhook.receiver").open{ store = store,
    create = not args.store, sources = {} })
  local worker = args.forward and keep(open_worker(args, receiver, source, context))
  local web, requests, code = server.start{ folder = folder, program = context:settings().nginx,
    port = args.port or PORT, store = store, source = source.name,
    sources = { [source.name] = source.config }, steps = steps,
    stopped = signalled }
  if not web and signalled() then
    return signalled()
  end
  keep(web, requests, code, function() web:kill() end)
  keep(requests)
  announce(web, source, args, context)
  local look = watch(web, requests, context)
  local signal, message
  if worker then
    signal, message, code = go_on_forwarding(worker, look, context.output)
  else
    signal, message, code = go_on(look, signalled)
  end
  web:quit()
  look()
  return signal, message, code
end

-- Before anything is opened: the URL of --forward.
local function check_forward(url)
  if not url or engine.url_check(url, { allow_http = true, allow_networks = ANYWHERE }) then
    return true
  end
  return nil, "--forward: expected http://… or https://… without a user name, a password or spaces",
    "invalid"
end

-- And the source's secrets; those that were given here are in no setting.
local function check_source(source)
  local checked, message, code = sources.check({ [source.name] = source.config })
  if checked then
    return true
  end
  local about = ("sources.%s.secrets"):format(source.name)
  if source.given and message:sub(1, #about) == about then
    message = "the secret" .. message:sub(#about + 1)
  end
  return nil, message, code
end

function listen.run(args, context)
  engine, server = require "loyalhook.engine", require "loyalhook.server.listen"
  local steps, source, message, code
  if args.respond then
    steps, message, code = respond.parse(args.respond)
    if not steps then
      return nil, message, code
    end
  end
  local ok
  ok, message, code = check_forward(args.forward)
  if ok then
    source, message, code = source_of(args, context)
    ok = source
  end
  if ok then
    ok, message, code = check_source(source)
  end
  if not ok then
    return nil, message, code
  end
  local signal
  signal, message, code = scope.run(function(keep)
    return work(args, source, steps, context, keep)
  end)
  if not signal then
    return nil, message, code
  end
  return signal == "INT" and exit_codes.INTERRUPTED or exit_codes.OK
end

return listen
