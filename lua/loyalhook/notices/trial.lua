-- One test mail through the configured server, for a person who waits for its answer.
-- Blocks until the server has answered.

local core = require("loyalhook.core")
local mailer = require("loyalhook.notices.mailer")
local smtp = require("loyalhook.notices.smtp")

local trial = {}

-- What the mail says, in the form of notices/content.lua.
local function said(server, settings)
  return {
    subject = "Test mail from loyalhook", title = "Mails about notices work",
    sentences = { "This mail was sent because somebody asked for a test. Mails about failed"
      .. " requests and paused webhooks come the same way." },
    facts = { { "Mail server", server.url }, { "From", server.from },
      { "Store", settings.store } },
    reasons = {}, requests = {}, more = 0, steps = {},
    footer = "Nothing needs to be done.",
  }
end

-- The server and the recipients, or nil, message, code.
local function whereto(settings, list)
  local notices = settings.notices or {}
  if not notices.smtp then
    return nil, "no mail server is configured: notices.smtp in loyalhook.lua, or"
      .. " LOYALHOOK_SMTP_URL and LOYALHOOK_NOTICES_FROM", "config"
  end
  local server, message, code = smtp.check(notices.smtp)
  if not server then
    return nil, message, code
  end
  local to
  to, message = smtp.recipients(list or notices.to or {}, list and "to" or "notices.to")
  if not to then
    return nil, message, list and "invalid" or "config"
  elseif #to == 0 then
    return nil, "notices.to names nobody: say who gets the mail", "config"
  end
  return server, to
end

--- Sends it to the addresses of `list`, or to those that the configuration names. settings: of
-- config.load (notices, store, ca_file). before(to), if given, is called when nothing is missing;
-- what it refuses with nil, message, code is not sent. Returns { verdict = "accepted", "refused" or
-- "unknown", status, error, duration_ms, url, from, to }, or nil, message, code ("config": no
-- server, nobody).
function trial.send(settings, list, before)
  local server, to, code = whereto(settings, list)
  if not server then
    return nil, to, code
  end
  local text = mailer.write(said(server, settings), { from = server.from, to = to,
    message_id = core.id() .. "@" .. server.host, date_ms = core.now_ms() })
  local letter, message
  letter, message, code = smtp.letter(server, to, text)
  if not letter then
    return nil, message, code
  end
  letter.ca_file = settings.ca_file
  local ended
  if before then
    ended, message, code = before(letter.to)
    if not ended then
      return nil, message, code
    end
  end
  ended, message, code = require("loyalhook.engine").mail(letter)
  if not ended then
    return nil, message, code
  end
  return { verdict = ended.verdict, status = ended.status, error = ended.error,
    duration_ms = ended.duration_ms, url = letter.url, from = letter.from, to = letter.to }
end

return trial
