-- 04: the handler. Verifies the raw body, drops what was seen before, queues the rest and answers
-- 200 at once; the work itself happens after the answer, because a slow answer is retried.
-- What is queued here lives in this process: if it dies, those events are gone although they were
-- answered. Where that matters, write them to your own database before answering.

local cjson = require("cjson.safe")
local signature = require("loyalhook.signature")

local receiver = {}
receiver.__index = receiver

local SEEN_S = 24 * 3600 -- longer than the sender goes on retrying

--- options.secrets: one secret, or both during a rotation.
function receiver.new(options)
  local verifier = signature.verifier { secrets = options.secrets }
  return setmetatable({ verifier = verifier }, receiver)
end

local function answer(status, text)
  ngx.status = status
  ngx.say(text)
  return ngx.exit(status)
end

-- What you do with an event. Runs after the answer has been sent.
local function handle(premature, events)
  if premature then return end
  for _, event in ipairs(events) do
    ngx.log(ngx.WARN, "received ", event.event_type, " ", event.id)
  end
end

-- Events not seen before, over all workers: `add` succeeds once.
local function fresh(events)
  local list = {}
  for _, event in ipairs(events) do
    if ngx.shared.seen:add(event.id, true, SEEN_S) then list[#list + 1] = event end
  end
  return list
end

function receiver:accept()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body then
    return answer(400, "no body, or one larger than client_body_buffer_size")
  end
  -- A header that came twice is a table here, and refused.
  local ok, message, code = self.verifier:verify(body, ngx.req.get_headers())
  if not ok then
    ngx.log(ngx.WARN, "refused: ", message)
    return answer(401, code)
  end
  local envelope = cjson.decode(body)
  if type(envelope) ~= "table" or type(envelope.events) ~= "table" then
    return answer(400, "not the envelope")
  end
  local events = fresh(envelope.events)
  if #events > 0 then
    local queued = ngx.timer.at(0, handle, events)
    if not queued then
      -- Not taken over: forget the ids again and let the sender retry.
      for _, event in ipairs(events) do ngx.shared.seen:delete(event.id) end
      return answer(503, "busy")
    end
  end
  return answer(200, "ok")
end

return receiver
