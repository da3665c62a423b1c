-- /audit: who changed what. Only an admin reads it.

local kinds = require("loyalhook.api.kinds")
local render = require("loyalhook.api.render")

local FIELDS = { "id", "at", "who", "what", "object", "account", "detail" }

local function list(call)
  local rows, following, code = call.access:audit(call.query)
  if not rows then
    return call:failed(following, code)
  end
  return call:ok(render.page("entries", render.list(rows, function(row)
    return render.pick(row, FIELDS)
  end), following))
end

return {
  { "GET", "/audit", need = "admin", all_accounts = true, run = list, query = {
    who = kinds.words(128), what = kinds.words(64), object = kinds.words(256),
    account = kinds.account, since = kinds.since, limit = kinds.limit, after = kinds.cursor } },
}
