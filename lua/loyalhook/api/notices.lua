-- /notices: what an administrator must hear of, and whether the mails arrive.

local kinds = require("loyalhook.api.kinds")
local fields = require("loyalhook.fields")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local ADDRESSES = kinds.list(kinds.words(254), 1, 20)
local MAIL = { "verdict", "status", "error", "duration_ms", "url", "from", "to" }

local function notice(row)
  local shown = render.pick(row, fields.notice)
  shown.mailed = row.mailed == true
  return shown
end

local function list(call)
  local account, failure = call:account(call.query.account)
  if account == false then
    return nil, failure
  end
  local rows, following, code = call.sender:notices({ account = account,
    webhook = call.query.webhook, since = call.query.since, limit = call.query.limit,
    after = call.query.after })
  if not rows then
    return call:failed(following, code)
  end
  return call:ok(render.page("notices", render.list(rows, notice), following))
end

local function test_mail(call)
  if not call.api.test_mail then
    return problem.new("unconfigured",
      "no mail server is configured: notices.smtp in loyalhook.lua")
  end
  -- Noted before it is sent: no mail goes out without its entry.
  local ended, message, code = call.api.test_mail(call.body.to, function(to)
    return call.access:note({ who = call.by.who, what = "notices.test_mail",
      detail = render.text({ to = to }) })
  end)
  if not ended and code == "config" then
    return problem.new("unconfigured", message)
  elseif not ended then
    return call:failed(message, code)
  end
  return call:ok(render.pick(ended, MAIL))
end

return {
  { "GET", "/notices", need = "read", run = list, query = { account = kinds.account,
    webhook = kinds.id, since = kinds.since, limit = kinds.limit, after = kinds.cursor } },
  { "POST", "/notices/test-mail", need = "write", all_accounts = true, run = test_mail,
    body = kinds.object({ to = ADDRESSES }) },
}
