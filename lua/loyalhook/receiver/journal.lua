-- What a receiver's log says of outcomes: the precise reason, which the answer does
-- not have, at most once in ten seconds for each reason and source. Strangers decide
-- how often they are refused; they must not decide how large the log gets.

local log = require("loyalhook.log")
local plain = require("loyalhook.plain")

local journal = {}

local EVERY_MS = 10000
local NAME_MAX = 64

--- A function (outcome, source, known, now_ms) that notes through `say` (level, message, fields)
-- what is worth it.
function journal.new(say)
  local brake = log.brake(EVERY_MS)
  return function(outcome, source, known, now_ms)
    if not outcome.level then
      return
    end
    local held = brake(outcome.code .. " " .. (known and source or ""), now_ms)
    if held then
      say(outcome.level, outcome.message, { source = plain.line(source):sub(1, NAME_MAX),
        code = outcome.code, status = outcome.status, total_count = outcome.total_count,
        repeated = held > 0 and held or nil })
    end
  end
end

return journal
