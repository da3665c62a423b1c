-- HTTP requests and mails of handlers: handed to the worker's engine, and answered when a report
-- tells how they ended. What the engine has no room for waits here, in order. An exchange is
-- { task, ended, values }: values are what the handler's call returns.

local smtp = require("loyalhook.notices.smtp")

local Exchanges = {}
Exchanges.__index = Exchanges

local exchanges = {}

local MAILS_MAX = 12 -- the engine's other slots are for notices

-- What an error of the engine is called at the handler; others mean that nothing was sent.
local CODES = { invalid = "invalid", blocked = "blocked", closed = "closed" }

local function new_line()
  return { first = 1, last = 0, under_way = 0 }
end

--- engine: the worker's (call, send_mail, cancel_call, cancel_mail).
function exchanges.new(engine)
  return setmetatable({ _engine = engine, _calls = {}, _mails = {},
    _lines = { call = new_line(), mail = new_line() } }, Exchanges)
end

local function end_with(exchange, ...)
  exchange.ended, exchange.values = true, { n = select("#", ...), ... }
end

-- The engine's number of it, or nil, message, code.
local function hand_over(self, exchange)
  local request = exchange.request
  if exchange.kind == "call" then
    return self._engine:call(request)
  end
  local letter, message, code = smtp.letter(request.server, request.to, request.message)
  if not letter then
    return nil, message, code
  end
  return self._engine:send_mail(letter)
end

-- False if there is no room for it now.
local function start(self, exchange)
  local line = self._lines[exchange.kind]
  if exchange.kind == "mail" and line.under_way >= MAILS_MAX then
    return false
  end
  local number, message, code = hand_over(self, exchange)
  if number then
    exchange.number, exchange.request = number, nil
    self[exchange.kind == "call" and "_calls" or "_mails"][number] = exchange
    line.under_way = line.under_way + 1
  elseif code == "limit" and line.under_way > 0 then
    return false -- one that ends makes room
  else
    end_with(exchange, nil, message, CODES[code] or "not_sent")
  end
  return true
end

--- Begins an exchange of a task. kind: "call" (request as the engine's call takes it) or "mail"
-- (request = { server =, to =, message = }). It may have ended at once.
function Exchanges:begin(task, kind, request)
  local exchange = { task = task, kind = kind, request = request }
  local line = self._lines[kind]
  if line.first <= line.last or not start(self, exchange) then
    line.last = line.last + 1
    line[line.last] = exchange
  end
  return exchange
end

local function headers_of(list)
  local headers = {}
  for _, header in ipairs(list) do
    local name, value = header[1], header[2]
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

local function end_call(exchange, ended)
  exchange.sent = ended.sent
  if ended.outcome == "answered" then
    local retry_after_ms = ended.retry_after_ms or 0
    exchange.retry_after_ms = (ended.status == 429 or ended.status == 503) and retry_after_ms or nil
    exchange.rest_ms = ended.status == 429 and retry_after_ms or nil
    end_with(exchange, { status = ended.status, headers = headers_of(ended.headers),
      body = ended.body, truncated = ended.truncated, duration_ms = ended.duration_ms,
      retry_after_s = retry_after_ms > 0 and math.ceil(retry_after_ms / 1000) or nil })
    return
  end
  local code = ended.outcome == "blocked" and "blocked" or ended.sent and "unknown" or "not_sent"
  exchange.unknown = code == "unknown"
  end_with(exchange, nil, ended.error or ended.outcome, code)
end

local function end_mail(exchange, ended)
  exchange.sent = ended.verdict ~= "refused"
  exchange.unknown = ended.verdict == "unknown"
  end_with(exchange, { verdict = ended.verdict, stage = ended.stage, status = ended.status,
    error = ended.error, duration_ms = ended.duration_ms })
end

-- Those of one kind that a report says have ended; unknown numbers are somebody else's.
local function take(self, kind, under_way, reported, finish)
  local ended = {}
  for _, entry in ipairs(reported or {}) do
    local exchange = under_way[entry.number]
    if exchange then
      under_way[entry.number] = nil
      self._lines[kind].under_way = self._lines[kind].under_way - 1
      finish(exchange, entry)
      ended[#ended + 1] = exchange
    end
  end
  return ended
end

-- Starts what waits, as far as there is room. Adds to `ended` what ended at that.
local function start_waiting(self, kind, ended)
  local line = self._lines[kind]
  while line.first <= line.last do
    local exchange = line[line.first]
    if not exchange.cancelled and not start(self, exchange) then
      return
    end
    line[line.first] = nil
    line.first = line.first + 1
    if exchange.ended and not exchange.cancelled then
      ended[#ended + 1] = exchange
    end
  end
end

--- Takes what a report of the engine says has ended, and starts what waited. Returns the exchanges
-- that have ended.
function Exchanges:take(report)
  local ended = take(self, "call", self._calls, report.calls, end_call)
  for _, exchange in ipairs(take(self, "mail", self._mails, report.mails, end_mail)) do
    ended[#ended + 1] = exchange
  end
  start_waiting(self, "call", ended)
  start_waiting(self, "mail", ended)
  return ended
end

--- Gives up an exchange. Returns whether anything of it may have been sent.
function Exchanges:cancel(exchange)
  if exchange.ended then
    return exchange.sent or false
  elseif not exchange.number then
    exchange.cancelled = true
    return false
  end
  local is_call = exchange.kind == "call"
  local under_way = is_call and self._calls or self._mails
  under_way[exchange.number] = nil
  self._lines[exchange.kind].under_way = self._lines[exchange.kind].under_way - 1
  local cancel = is_call and self._engine.cancel_call or self._engine.cancel_mail
  return cancel(self._engine, exchange.number) ~= "unsent"
end

--- Ends an exchange that has not been handed over, with an error. Returns whether it was one.
function exchanges.refuse(exchange, message)
  if exchange.ended or exchange.number then
    return false
  end
  exchange.cancelled = true
  end_with(exchange, nil, message, "not_sent")
  return true
end

return exchanges
