-- /webhooks: the destinations, and what is done with them.

local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local SECRET = kinds.any(256)
local ANYTHING = kinds.anything -- the library checks a webhook's settings itself
local SETTINGS = kinds.object(setmetatable({}, { __index = function()
  return ANYTHING
end }))
local OVERLAP_S = kinds.integer(0, 2592000)

local function etag(row)
  return { ETag = ('"r%d"'):format(row.revision or 0) }
end

local function shown(call, row)
  return call:ok(render.webhook(row, call.who), etag(row))
end

-- The revision that If-Match asks for, nil for any; or false, problem.
local function wanted_revision(call)
  local header = call.headers["if-match"]
  if not header or header == "*" then
    return nil
  end
  local digits = header:match('^"r([1-9]%d*)"$')
  if not digits or #digits > 15 then
    local _, failure = problem.new("invalid",
      'If-Match: expected an ETag of the webhook, such as "r7"')
    return false, failure
  end
  return tonumber(digits)
end

-- The problem of a change that the library refused; one that came too late shows what is there.
local function refused(call, id, message, code)
  local row = code == "revision" and call.sender:webhook(id, call.who.account)
  if not row then
    return call:failed(message, code)
  end
  return problem.new("revision", message, { current = render.webhook(row, call.who),
    headers = etag(row) })
end

-- Makes a change: make(id, which) → webhook, more or nil, message, code. Returns the webhook and
-- `more`, or nil, problem.
local function change(call, make)
  local if_revision, failure = wanted_revision(call)
  if if_revision == false then
    return nil, failure
  end
  local id = call.path.webhook_id
  local row, more, code = make(id, { account = call.who.account, if_revision = if_revision,
    by = call.by })
  if not row then
    return refused(call, id, more, code)
  end
  return row, more
end

local function list(call)
  local account, failure = call:account(call.query.account)
  if account == false then
    return nil, failure
  end
  local limit = call.query.limit or 50
  local rows, message, code = call.sender:webhooks({ account = account,
    with_deleted = call.query.deleted, after = call.query.after, limit = limit + 1 })
  if not rows then
    return call:failed(message, code)
  end
  local following
  if #rows > limit then
    rows[limit + 1], following = nil, rows[limit].id
  end
  local function shape(row)
    return render.webhook(row, call.who)
  end
  return call:ok(render.page("webhooks", render.list(rows, shape), following))
end

-- null is no value of a webhook's setting.
local function refuse_null(body)
  for name, value in pairs(body) do
    if value == json.null then
      return problem.values({ kinds.wrong(name, "a value, got null (leave it out)") })
    end
  end
  return true
end

local function create(call)
  local ok, failure = refuse_null(call.body)
  if not ok then
    return nil, failure
  end
  local given = call.body
  if given.account ~= nil and not kinds.account.value(given.account) then
    return problem.values({ kinds.wrong("account", select(2, kinds.account.value(1))) })
  end
  given.account, failure = call:account_or_default(given.account)
  if not given.account then
    return nil, failure
  end
  local row, message, code = call.sender:create_webhook(given, { by = call.by })
  if not row then
    return call:failed(message, code)
  end
  local headers = etag(row)
  headers.Location = "/api/v1/webhooks/" .. row.id
  return { status = 201, value = render.webhook(row, call.who), headers = headers }
end

-- Whether If-None-Match names this tag; a proxy that compresses makes tags weak.
local function has_tag(header, tag)
  for part in (header or ""):gmatch("[^,%s]+") do
    if part == "*" or part:gsub("^W/", "") == tag then
      return true
    end
  end
  return false
end

local function get(call)
  local row, failure = call:webhook(call.path.webhook_id)
  if not row then
    return nil, failure
  end
  if has_tag(call.headers["if-none-match"], etag(row).ETag) then
    return { status = 304, headers = etag(row) }
  end
  return shown(call, row)
end

local function edit(call)
  local ok, failure = refuse_null(call.body)
  if not ok then
    return nil, failure
  elseif next(call.body) == nil then
    return problem.values({ { code = "invalid", detail = "nothing to change was given" } })
  end
  local row
  row, failure = change(call, function(id, which)
    return call.sender:update_webhook(id, call.body, which)
  end)
  if not row then
    return nil, failure
  end
  return shown(call, row)
end

-- A handler that calls a method of the sender without more.
local function plain_change(method)
  return function(call)
    local row, failure = change(call, function(id, which)
      return call.sender[method](call.sender, id, which)
    end)
    if not row then
      return nil, failure
    end
    return shown(call, row)
  end
end

local function enable(call)
  local row, job = change(call, function(id, which)
    which.retry_failed = call.body.retry_failed
    return call.sender:enable_webhook(id, which)
  end)
  if not row then
    return nil, job
  end
  return call:ok({ webhook = render.webhook(row, call.who),
    job = job and render.job(job) or json.null },
    etag(row))
end

local function rotate(call)
  local overlap_s = call.body.now and 0 or call.body.overlap_s
  local row, failure = change(call, function(id, which)
    which.secret, which.overlap_s = call.body.secret, overlap_s
    return call.sender:rotate_secret(id, which)
  end)
  if not row then
    return nil, failure
  end
  return shown(call, row)
end

local PROBE = { "delivered", "webhook_id", "url", "request_id", "event_id", "event_type", "outcome",
  "status", "duration_ms", "error", "response" }

local function test(call)
  local row, failure = call:webhook(call.path.webhook_id)
  if not row then
    return nil, failure
  end
  local result, message, code = call.sender:test_webhook(row.id, { account = call.who.account,
    event_type = call.body.event_type, by = call.by })
  if not result then
    return call:failed(message, code)
  end
  return call:ok(render.pick(result, PROBE))
end

local NOTHING = kinds.object({})
local ONE = "/webhooks/{webhook_id}"

return {
  { "GET", "/webhooks", need = "read", run = list, query = { account = kinds.account,
    deleted = kinds.flag, limit = kinds.limit, after = kinds.id } },
  { "POST", "/webhooks", need = "write", run = create, body = SETTINGS },
  { "GET", ONE, need = "read", run = get },
  { "PATCH", ONE, need = "write", run = edit, body = SETTINGS },
  { "DELETE", ONE, need = "write", run = plain_change("delete_webhook") },
  { "POST", ONE .. "/enable", need = "write", run = enable,
    body = kinds.object({ retry_failed = kinds.flag }) },
  { "POST", ONE .. "/disable", need = "write", body = NOTHING,
    run = plain_change("disable_webhook") },
  { "POST", ONE .. "/rotate-secret", need = "write", run = rotate,
    body = kinds.object({ secret = SECRET, overlap_s = OVERLAP_S, now = kinds.flag }) },
  { "POST", ONE .. "/test", need = "write", run = test,
    body = kinds.object({ event_type = kinds.event_type }) },
}
