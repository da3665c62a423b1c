-- Answers that say what went wrong (RFC 9457), and which status each code of the
-- library has. A handler that cannot do what was asked returns nil and a problem.
-- Pure.

local problem = {}

local STATUS = {
  -- What is wrong with the request itself; a body that breaks a rule is 422 (see failed).
  invalid = 400, unknown_type = 400, unauthenticated = 401, denied = 401, forbidden = 403,
  csrf = 403, not_found = 404, method = 405, not_acceptable = 406, conflict = 409, limit = 409,
  refused = 409, secret_unreadable = 409, unconfigured = 409, revision = 412, too_large = 413,
  media_type = 415, host = 421, secret_invalid = 422, too_many = 429, full = 507,
  -- A bug.
  internal = 500,
}
local UNAVAILABLE = 503 -- what is not in the table is trouble of our own; it may pass
local RETRY_AFTER_S = 5

local TITLES = {
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [406] = "Not Acceptable", [409] = "Conflict",
  [412] = "Precondition Failed", [413] = "Content Too Large", [415] = "Unsupported Media Type",
  [421] = "Misdirected Request", [422] = "Unprocessable Content", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [503] = "Service Unavailable",
  [507] = "Insufficient Storage",
}

-- Of a body that is JSON but breaks a rule.
local OF_VALUES = { invalid = true, unknown_type = true, too_large = true, limit = true }

--- nil and a problem { status, code, detail, errors, headers, current }. more: errors = { { field,
-- index, code, detail }, … }, status (instead of the code's), headers, current.
function problem.new(code, detail, more)
  more = more or {}
  local status = more.status or STATUS[code] or UNAVAILABLE
  local headers = more.headers or {}
  if status == UNAVAILABLE then
    headers["Retry-After"] = RETRY_AFTER_S
  elseif status == 401 then
    headers["WWW-Authenticate"] = 'Bearer realm="loyalhook"'
  end
  return nil, { status = status, code = code == "denied" and "unauthenticated" or code,
    detail = detail, errors = more.errors, headers = headers, current = more.current }
end

--- nil and the problem of values that break rules: 422 (400 where they stand in a query). errors as
-- for new; the first one is the detail.
function problem.values(errors, status)
  local first = errors[1]
  local place = first.index and ("events[%d]"):format(first.index) or ""
  if first.field and not first.detail:find("^unknown ") then
    place = place .. (place ~= "" and "." or "") .. first.field
  end
  local detail = place ~= "" and place .. ": " .. first.detail or first.detail
  return problem.new(first.code, detail, { errors = errors,
    status = OF_VALUES[first.code] and (status or 422) or nil })
end

--- nil and the problem of what the library answered, nil, message, code. in_body: what was asked
-- for stood in a body. The member that a message begins with is named.
function problem.failed(message, code, in_body)
  if not OF_VALUES[code] then
    return problem.new(code, message)
  elseif code == "limit" then
    return problem.new(code, message)
  end
  local field, rest = message:match("^([%l_]+): (.+)$")
  return problem.new(code, message, { status = in_body and 422 or 400,
    errors = field and { { field = field, code = code, detail = rest } } or nil })
end

--- The words of a status.
function problem.title(status)
  return TITLES[status] or "Error"
end

--- The members of a problem's document.
function problem.document(given)
  return { type = "about:blank", title = problem.title(given.status), status = given.status,
    code = given.code, detail = given.detail, errors = given.errors, current = given.current }
end

return problem
