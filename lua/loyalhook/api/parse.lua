-- From what a request carries to values that handlers can trust: the query, and the
-- JSON of the body. What does not exist is refused, with the nearest that does. Pure.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")

local parse = {}

local PARAMETERS_MAX = 32
local QUERY_BYTES_MAX = 8192

local function hex(digits)
  return string.char(tonumber(digits, 16))
end

--- Percent-encoded text decoded, or nil if it is malformed or not UTF-8. plus: "+" is a space, as
-- in a query.
function parse.decoded(text, plus)
  if plus then
    text = text:gsub("+", " ")
  end
  if text:gsub("%%%x%x", ""):find("%", 1, true) then
    return nil
  end
  text = text:gsub("%%(%x%x)", hex)
  if text:find("%z") or not core.utf8_check(text) then
    return nil
  end
  return text
end

local function query_problem(field, detail)
  return problem.values({ { field = field, code = "invalid", detail = detail } }, 400)
end

-- name → text, or nil, problem.
local function pairs_of(query)
  local found, count = {}, 0
  if #query > QUERY_BYTES_MAX then
    return query_problem(nil, ("the query is longer than %d bytes"):format(QUERY_BYTES_MAX))
  end
  for part in query:gmatch("[^&]+") do
    local left, right = part:match("^([^=]*)=?(.*)$")
    local name, value = parse.decoded(left, true), parse.decoded(right, true)
    count = count + 1
    if not name or not value then
      return query_problem(nil, "the query is not percent-encoded UTF-8")
    elseif count > PARAMETERS_MAX then
      return query_problem(nil, ("more than %d parameters"):format(PARAMETERS_MAX))
    elseif found[name] then
      return query_problem(kinds.shown(name), "given twice")
    end
    found[name] = value
  end
  return found
end

--- The query as checked values. known: name → kind. Returns them, or nil, problem.
function parse.query(query, known)
  local given, failure = pairs_of(query or "")
  if not given then
    return nil, failure
  end
  local values, errors = {}, {}
  for _, name in ipairs(kinds.names_of(given)) do
    local kind = known[name]
    if not kind then
      errors[#errors + 1] = kinds.unknown("parameter", name, known)
    else
      local value, expected = kind.text(given[name])
      if value == nil then
        errors[#errors + 1] = kinds.wrong(name, expected)
      end
      values[name] = value
    end
  end
  if #errors > 0 then
    return problem.values(errors, 400)
  end
  return values
end

--- The JSON of a body as a value, or nil, problem. An empty one is an empty object.
function parse.json(body)
  if not body:find("%S") then
    return {}
  end
  local value, message = json.decode(body)
  if value == nil then
    return problem.new("invalid", "the body is not JSON: " .. message, { status = 400 })
  end
  return value
end

--- The members of a JSON body, checked. object: of kinds.object. Returns them, or nil, problem.
function parse.body(body, object)
  local value, failure = parse.json(body)
  if value == nil then
    return nil, failure
  end
  local checked, errors = kinds.check(object.members, object.required, value)
  if not checked then
    return problem.values(errors)
  end
  return checked
end

return parse
