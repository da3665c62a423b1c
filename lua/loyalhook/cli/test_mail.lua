-- One test mail through the configured server, for a person who waits for its answer.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"

local test_mail = {}

-- What the mail says, in the form of notices/content.lua.
local function said(server, settings)
  return {
    subject = "Test mail from loyalhook", title = "Mails about notices work",
    sentences = { "This mail was sent by: loyalhook notices test. Mails about failed requests and"
      .. " paused webhooks come the same way." },
    facts = { { "Mail server", server.url }, { "From", server.from },
      { "Store", settings.store } },
    reasons = {}, requests = {}, more = 0, steps = {},
    footer = "Nothing needs to be done.",
  }
end

-- The server and the recipients, or nil, message, code.
local function whereto(args, settings)
  local smtp = require "loyalhook.notices.smtp"
  local notices = settings.notices or {}
  if not notices.smtp then
    return nil, "no mail server is configured: notices.smtp in loyalhook.lua, or"
      .. " LOYALHOOK_SMTP_URL and LOYALHOOK_NOTICES_FROM", "config"
  end
  local server, message, code = smtp.check(notices.smtp)
  if not server then
    return nil, message, code
  end
  local list = args.to and arguments.list({ args.to }) or notices.to or {}
  local to
  to, message = smtp.recipients(list, args.to and "--to" or "notices.to")
  if not to then
    return nil, message, args.to and "invalid" or "config"
  elseif #to == 0 then
    arguments.usage_error("--to ADDRESS is needed: notices.to names nobody")
  end
  return server, to
end

local function report(ended, letter, context)
  if context.json then
    context.output:document(document.object("verdict", ended.verdict, "status", ended.status,
      "error", ended.error, "duration_ms", ended.duration_ms, "url", letter.url, "from",
      letter.from, "to", document.list(letter.to)))
    return
  end
  local answer = ended.status and (" (%d)"):format(ended.status) or ""
  local to = table.concat(letter.to, ", ")
  if ended.verdict == "accepted" then
    context.output:line(("%s took over the mail for %s%s, in %d ms"):format(letter.url, to, answer,
      ended.duration_ms))
    if ended.error then
      context.output:note(ended.error)
    end
  else
    local what = ended.verdict == "unknown" and "may have taken over" or "did not take over"
    context.output:line(("%s %s the mail for %s: %s"):format(letter.url, what, to,
      ended.error or "no answer"))
  end
end

--- Sends it and says what the server answered. Returns an exit code, or nil, message, code.
function test_mail.run(args, context)
  local core, mailer = require "loyalhook.core", require "loyalhook.notices.mailer"
  local settings = context:settings()
  local server, to, code = whereto(args, settings)
  if not server then
    return nil, to, code
  end
  local message = mailer.write(said(server, settings), { from = server.from, to = to,
    message_id = core.id() .. "@" .. server.host, date_ms = core.now_ms() })
  local letter, problem
  letter, problem, code = require("loyalhook.notices.smtp").letter(server, to, message)
  if not letter then
    return nil, problem, code
  end
  letter.ca_file = settings.ca_file
  local ended
  ended, problem, code = require("loyalhook.engine").mail(letter)
  if not ended then
    return nil, problem, code
  end
  report(ended, letter, context)
  return ended.verdict == "accepted" and exit_codes.OK or exit_codes.FAILURE
end

return test_mail
