-- A worker's mails about notices: what is due is leased from the store, written,
-- handed to the engine, and recorded when a report tells how it ended. Nothing here
-- waits, and nothing that goes wrong here hurts delivery: a mail that could not be
-- written or handed over is recorded as refused and tried again later, and while
-- mails do not get through, the mail server is left alone for up to a minute.

local content = require("loyalhook.notices.content")
local core = require("loyalhook.core")
local html = require("loyalhook.notices.html")
local mime = require("loyalhook.notices.mime")
local smtp = require("loyalhook.notices.smtp")
local text = require("loyalhook.notices.text")

local Mailer = {}
Mailer.__index = Mailer

local mailer = {}

local NAME = "loyalhook"
local MAILS_MAX = 4 -- at once: mail servers count connections, and handlers send mails too
local REST_MS, REST_MAX_MS = 1000, 60000

--- The bytes of a mail. said: as content.of returns it. envelope: from, to, message_id, date_ms.
function mailer.write(said, envelope)
  return mime.message({
    from = { address = envelope.from, name = NAME }, to = envelope.to, subject = said.subject,
    date_ms = envelope.date_ms, message_id = envelope.message_id, boundary = core.id(),
    text = text.render(said), html = html.render(said),
  })
end

--- engine: the worker's (lease_mail, send_mail, record_mail); notices: { smtp =, to = } as
-- configured; say: the worker's log. Returns a mailer, or nil, message, "config".
function mailer.new(engine, notices, say)
  local server, message, code = smtp.check(notices.smtp)
  if not server then
    return nil, message, code
  end
  local to
  to, message, code = smtp.recipients(notices.to, "notices.to")
  if not to then
    return nil, message, code
  end
  local _, problem
  _, problem, code = smtp.password(server) -- better now than at the first mail
  if problem then
    return nil, problem, code
  end
  return setmetatable({ _engine = engine, _server = server, _to = to, _say = say, _pending = {},
    _under_way = 0, _unrecorded = {}, _failures = 0, _rest_until_ms = 0 }, Mailer)
end

local LEVELS = { accepted = "info", refused = "error", unknown = "warn" }
local WORDS = {
  accepted = "notice mailed",
  refused = "a mail about notices was refused; it will be tried again",
  unknown = "a mail about notices may have arrived; it will be sent again as it was",
}

local function log_end(self, mailing, ended)
  local level = LEVELS[ended.verdict]
  if ended.verdict == "accepted" and ended.error then
    level = "warn" -- somebody did not get it
  end
  self._say(level, WORDS[ended.verdict], { webhook = mailing.webhook.id,
    account = mailing.webhook.account, status = ended.status, error = ended.error,
    ms = ended.duration_ms, message_id = mailing.message_id })
end

local function rest(self, ended)
  self._failures = ended.verdict == "accepted" and 0 or self._failures + 1
  local rest_ms = self._failures == 0 and 0
    or math.min(REST_MAX_MS, REST_MS * 2 ^ math.min(self._failures - 1, 10))
  self._rest_until_ms = core.now_ms() + rest_ms
end

local function ended_as(self, mailing, ended)
  log_end(self, mailing, ended)
  rest(self, ended)
  table.insert(self._unrecorded, { mailing = mailing.mailing, message_id = mailing.message_id,
    again = mailing.again, verdict = ended.verdict, error = ended.error })
end

-- What the store cannot take now (a full disk) is offered again in the next round.
local function record(self)
  while self._unrecorded[1] and self._engine:record_mail(self._unrecorded[1]) do
    table.remove(self._unrecorded, 1)
  end
end

-- The engine's number of the mail, or nil, message.
local function send(self, mailing)
  local to = mailing.notify or self._to
  local written, message = pcall(mailer.write, content.of(mailing), { from = self._server.from,
    to = to, message_id = mailing.message_id, date_ms = core.now_ms() })
  if not written then
    return nil, message
  end
  local letter
  letter, message = smtp.letter(self._server, to, message)
  if not letter then
    return nil, message
  end
  return self._engine:send_mail(letter)
end

local function lease(self)
  local mailing, message, code = self._engine:lease_mail({ host = self._server.host,
    fallback = #self._to > 0 })
  if mailing == nil then
    self._say("warn", "no mail could be leased", { code = code, error = message })
    rest(self, {})
  end
  return mailing
end

local function take_ends(self, report)
  for _, ended in ipairs(report.mails) do
    local mailing = self._pending[ended.number]
    self._pending[ended.number] = nil
    if mailing then
      self._under_way = self._under_way - 1
      ended_as(self, mailing, ended)
    end
  end
end

--- Whether a mail is to be leased now, as far as a report of the engine tells.
function Mailer:may_lease(report)
  local left_ms = self._rest_until_ms - core.now_ms()
  return report.mail_due and not self._unrecorded[1] and (left_ms <= 0 or left_ms > REST_MAX_MS)
end

--- Does what a report of the engine asks for. Returns how many mails it handed over.
function Mailer:handle(report)
  local started = 0
  take_ends(self, report)
  record(self)
  for _ = self._under_way + 1, MAILS_MAX do
    local mailing = self:may_lease(report) and lease(self)
    if not mailing then
      break
    end
    local number, message = send(self, mailing)
    if number then
      self._pending[number] = mailing
      self._under_way = self._under_way + 1
      started = started + 1
    else
      ended_as(self, mailing, { verdict = "refused", error = message })
      record(self)
    end
  end
  return started
end

return mailer
