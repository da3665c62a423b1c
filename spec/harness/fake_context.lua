-- What a handler gets beside the event, for specs: context.http gives the prepared answers one by
-- one and keeps the requests; time is a number that the spec sets; waits end at once.

local fake = {}

--- An answer as context.http gives it; body may be a text.
function fake.answer(status, body, headers)
  return { status = status, body = body or "", headers = headers or {}, truncated = false,
    duration_ms = 1 }
end

--- A context. given: answers (each an answer, { false, message, code } or a function(request) that
-- returns what http returns), attempt, first_attempt_ms, now_ms, idempotency_key.
-- context.requests are those that were made, context.lines what was logged.
function fake.new(given)
  given = given or {}
  local context = { attempt = given.attempt or 1, first_attempt_ms = given.first_attempt_ms or 1000,
    idempotency_key = given.idempotency_key or "e1.zinrelo.test", source = "zinrelo",
    handler = "test", requests = {}, lines = {} }
  function context.now_ms()
    return given.now_ms or 2000
  end
  function context.log(level, message, fields)
    context.lines[#context.lines + 1] = { level = level, message = message, fields = fields }
  end
  function context.wait(ready)
    return ready()
  end
  function context.http(request)
    context.requests[#context.requests + 1] = request
    local answer = (given.answers or {})[#context.requests]
    if answer == nil then
      error("no answer was prepared for request " .. #context.requests)
    elseif type(answer) == "function" then
      return answer(request)
    elseif answer[1] == false then
      return nil, answer[2], answer[3]
    end
    return answer
  end
  return context
end

--- An event as the runtime hands it over.
function fake.event(event_type, data, id)
  local json = require("loyalhook.json")
  return { id = id or "e1", source = "zinrelo", event_type = event_type,
    received_ms = 1640796461000, received_at = "2021-12-29T16:47:41.000Z", data = data,
    data_json = assert(json.encode(data)),
    member_id = data.member_info and data.member_info.member_id }
end

return fake
