-- /jobs: how far retries of many are.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local ALL = core.limits.list_limit_max -- finished ones are kept up to this number

local function list(call)
  local account, failure = call:account(call.query.account)
  if account == false then
    return nil, failure
  end
  local rows, message, code = call.sender:jobs({ limit = ALL })
  if not rows then
    return call:failed(message, code)
  end
  local page, after, following = json.array(), call.query.after, nil
  local limit = call.query.limit or 50
  for _, row in ipairs(rows) do
    if after then
      after = row.id ~= after and after or nil
    elseif not account or row.account == account then
      if #page == limit then
        following = page[limit].id
        break
      end
      page[#page + 1] = render.job(row)
    end
  end
  if after then
    return problem.values({ kinds.wrong("after", "the id of a job that is still kept") }, 400)
  end
  return call:ok(render.page("jobs", page, following))
end

local function get(call)
  local row, message, code = call.sender:job(call.path.job_id)
  if row and call.who.account and row.account ~= call.who.account then
    return problem.new("not_found", "no job has this id")
  elseif not row then
    return call:failed(message, code)
  end
  return call:ok(render.job(row))
end

return {
  { "GET", "/jobs", need = "read", run = list, query = { account = kinds.account,
    limit = kinds.limit, after = kinds.id } },
  { "GET", "/jobs/{job_id}", need = "read", run = get },
}
