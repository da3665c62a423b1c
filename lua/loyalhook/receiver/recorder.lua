-- Writes verified requests into the inbox, as many as there are in one transaction,
-- and says what each is to be answered.

local answers = require("loyalhook.receiver.answers")

local recorder = {}

local function outcome_of(result, message, code)
  if not result then
    return answers.failed(code, message)
  elseif result.code then
    return answers.refused(result.code, result.message)
  end
  return answers.accepted(result)
end

--- entries: what gates let pass, { source, body, scheme, id }. Returns an outcome for each. All
-- that parse are recorded, or, with 503 as the answer to every one, none; but a source that is one
-- too many for the store fails alone.
function recorder.record(store, entries, now_ms)
  local results, message, code = store:inbox_accept(entries, now_ms)
  local outcomes = {}
  for index, entry in ipairs(entries) do
    if code == "limit" and #entries > 1 then
      outcomes[index] = recorder.record(store, { entry }, now_ms)[1]
    else
      outcomes[index] = outcome_of(results and results[index], message, code)
    end
  end
  return outcomes
end

return recorder
