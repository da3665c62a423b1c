-- What an HTTP answer means to a handler, as far as vendors agree: which statuses pass if one
-- waits, and the sentence that stands at the failed task. Answers are foreign text.

local json = require("loyalhook.json")
local plain = require("loyalhook.plain")
local secret = require("loyalhook.handlers.secret")

local answers = {}

local EXCERPT_MAX = 200 -- bytes of an answer in a message
local LOOKED_AT_MAX = 4096
local MASKED_MAX = 65536 -- where secrets are looked for: a cut one at its end is never shown
local PASSING = { [408] = true, [423] = true, [425] = true, [429] = true }

--- Whether the same request may well succeed later.
function answers.passes(status)
  return PASSING[status] or status >= 500
end

-- What a person mends (a token, a permission), or what two requests at once made of it.
local MENDED = { [401] = true, [403] = true, [409] = true }

--- What a handler returns for an answer that is no success, where repeating is safe: "retry", or
-- "fail" if the same request would be refused again.
function answers.kind(status)
  return (answers.passes(status) or MENDED[status]) and "retry" or "fail"
end

--- The decoded body, or nil if it is not whole or not a JSON object or list.
function answers.json(answer)
  local value = not answer.truncated and json.decode(answer.body) or nil
  return type(value) == "table" and value or nil
end

--- Does context.http. secrets: a list of what the request shows to be let in, which an answer may
-- repeat; no sentence about it will.
function answers.ask(context, request, secrets)
  local answer, message, code = context.http(request)
  if answer then
    answer.secrets = secrets
  end
  return answer, message, code
end

--- "HubSpot answered 400: …": with `detail` (what the vendor calls the matter), else with the
-- beginning of the body.
function answers.sentence(vendor, answer, detail)
  local text = (detail or answer.body or ""):sub(1, MASKED_MAX)
  text = plain.line(secret.masked(text, answer.secrets or {}):sub(1, LOOKED_AT_MAX))
  text = text:sub(1, plain.whole(text, EXCERPT_MAX))
  return ("%s answered %d%s"):format(vendor, answer.status, text ~= "" and ": " .. text or "")
end

--- What a handler returns when there was no answer. `message` and `code` are context.http's. What
-- cannot be sent at all is failed; for the rest the runtime decides by `when_unknown`.
function answers.none(vendor, message, code)
  return nil, vendor .. ": " .. message, code == "invalid" and "fail" or nil
end

return answers
