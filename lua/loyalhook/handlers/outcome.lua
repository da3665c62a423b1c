-- What a handler's attempt comes to: from what its function returned or raised, or from why it was
-- cut short, to the results that the store records, one for each of its tasks. A handler that
-- breaks the contract fails its task at once: it may have had its effect, and would have it again.

local nearest = require("loyalhook.nearest")
local plain = require("loyalhook.plain")

local outcome = {}

local ERROR_MAX = 1000 -- bytes; the store keeps no more
local LOOKED_AT_MAX = 65536 -- of what is cut to that: it may be a whole answer
local PLAIN = { string = true, number = true, boolean = true, ["nil"] = true }

--- Any value as the error of a task: one line, without tokens of URLs. No metamethod is called.
function outcome.text(value)
  local kind = type(value)
  if kind == "table" and type(rawget(value, "message")) == "string" then
    value = rawget(value, "message")
  elseif not PLAIN[kind] then
    value = "a " .. kind .. " instead of a message"
  end
  local text = plain.without_tokens(plain.line(tostring(value):sub(1, LOOKED_AT_MAX)))
  return text:sub(1, plain.whole(text, ERROR_MAX))
end

local KINDS = { fail = "refusal", retry = "failure" }
local WORDS = { "fail", "retry" }

-- What the error says of a word that means nothing, but was probably meant to.
local function misspelt(kind)
  local word = type(kind) == "string" and not KINDS[kind] and plain.line(kind:sub(1, 20)) or ""
  local hint = nearest.hint(word, WORDS)
  return hint ~= "" and (' (a third result "%s" means nothing%s)'):format(word, hint) or ""
end

-- `was_unknown`: an exchange of the attempt may have had its effect.
local function failure(message, kind, was_unknown)
  local text, more = outcome.text(message), misspelt(kind)
  return { kind = KINDS[kind] or was_unknown and "unknown" or "failure",
    error = text:sub(1, plain.whole(text, ERROR_MAX - #more)) .. more }
end

local function broken(name, problem)
  return { kind = "refusal", error = ("%s %s; it returns true when all is done, or nil and a "
    .. "message"):format(name, problem) }
end

-- values: what the function returned.
local function one(name, values, was_unknown)
  local first, message, kind = values[1], values[2], values[3]
  if first == true then
    return { kind = "success" }
  elseif not first and message ~= nil then
    return failure(message, kind, was_unknown)
  elseif first == nil then
    return broken(name, "returned nothing")
  end
  return broken(name, first == false and "returned false without a message"
    or "returned a " .. type(first))
end

local function each(entry, was_unknown)
  if entry == true then
    return { kind = "success" }
  elseif type(entry) == "table" and rawget(entry, "message") ~= nil then
    return failure(rawget(entry, "message"), rawget(entry, "kind"), was_unknown)
  end
  return broken("handle_batch", "returned nothing for this event")
end

--- The results of an attempt whose function has returned. values: what it returned; count: how many
-- tasks it was for; is_batch: whether it was handle_batch.
function outcome.returned(values, count, is_batch, was_unknown)
  local results = {}
  local list = is_batch and type(values[1]) == "table" and values[1]
  for index = 1, count do
    if list then
      results[index] = each(rawget(list, index), was_unknown)
    else
      results[index] = one(is_batch and "handle_batch" or "handle", values, was_unknown)
    end
  end
  return results
end

--- The same result for all tasks of an attempt. kind: as the store has it.
function outcome.all(kind, message, count)
  local results = {}
  for index = 1, count do
    results[index] = { kind = kind, error = outcome.text(message) }
  end
  return results
end

return outcome
