-- Writes verified requests into the inbox, as many as there are in one transaction,
-- and says what each is to be answered.

local answers = require("loyalhook.receiver.answers")

local recorder = {}

--- entries: what gates let pass, { source, body, scheme, id }. Returns an outcome for each. All
-- that parse are recorded, or, with 503 as the answer to every one, none.
function recorder.record(store, entries, now_ms)
  local results, message, code = store:inbox_accept(entries, now_ms)
  local outcomes = {}
  for index = 1, #entries do
    local result = results and results[index]
    if not result then
      outcomes[index] = answers.failed(code, message)
    elseif result.code then
      outcomes[index] = answers.refused(result.code, result.message)
    else
      outcomes[index] = answers.accepted(result)
    end
  end
  return outcomes
end

return recorder
