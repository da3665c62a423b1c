-- One handler without a worker: reads a JSON document { handler, options, events = { { event_type,
-- data, id } } } on stdin, hands the events over one after the other and prints, for each, a line
-- with what the handler answered. Its mails go out for real, one at a time. Options say nothing of
-- time: now_ms in the document is the clock.

local engine = require "loyalhook.engine"
local json = require "loyalhook.json"
local smtp = require "loyalhook.notices.smtp"
local time = require "loyalhook.time"

local given = assert(json.decode(io.read("*a")))
local handler, message, code = require("loyalhook.handlers." .. given.handler).new(given.options)
if not handler then
  print(json.encode({ refused = message, code = code }))
  os.exit(0)
end

local function context_of(event, lines)
  local context = { attempt = 1, first_attempt_ms = given.now_ms, source = event.source,
    handler = handler.name, idempotency_key = event.id .. "." .. event.source .. "."
      .. handler.name }
  context.now_ms = function() return given.now_ms end
  context.log = function(level, text, fields)
    table.insert(lines, { level = level, message = text, fields = fields })
  end
  context.mail = function(mail)
    local letter, problem, problem_code = smtp.letter(mail.server, mail.to, mail.message)
    if not letter then
      return nil, problem, problem_code
    end
    letter.ca_file, letter.timeout_ms = given.ca_file, given.timeout_ms
    return engine.mail(letter)
  end
  return context
end

for _, event in ipairs(given.events) do
  event.source, event.received_ms = "zinrelo", given.now_ms
  event.received_at, event.data_json = time.format(given.now_ms), json.encode(event.data)
  event.member_id = event.data.member_info and event.data.member_info.member_id
  local lines = json.array({})
  local thread = coroutine.create(handler.handle)
  local ok, done, problem, kind = coroutine.resume(thread, event, context_of(event, lines))
  assert(ok, done)
  assert(coroutine.status(thread) == "dead", "the handler waits for something")
  print(json.encode({ done = done or false, message = problem, kind = kind, log = lines }))
end
