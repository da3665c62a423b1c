-- /tokens: what programs sign in with. Only an admin manages them.

local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local render = require("loyalhook.api.render")

local FIELDS = { "id", "name", "account", "scope", "created_at", "last_used_at", "revoked_at" }

local function shown(row)
  local view = render.pick(row, FIELDS)
  view.token = row.token
  return view
end

local function list(call)
  local rows, message, code = call.access:tokens()
  if not rows then
    return call:failed(message, code)
  end
  return call:ok({ tokens = render.list(rows, shown) })
end

local function create(call)
  local given = call.body
  local row, message, code = call.access:create_token({ name = given.name, scope = given.scope,
    account = given.account ~= json.null and given.account or nil }, call.by)
  if not row then
    return call:failed(message, code)
  end
  return { status = 201, value = shown(row) }
end

local function revoke(call)
  local row, message, code = call.access:revoke_token(call.path.token_id, call.by)
  if not row then
    return call:failed(message, code)
  end
  return call:ok(shown(row))
end

return {
  { "GET", "/tokens", need = "admin", all_accounts = true, run = list },
  { "POST", "/tokens", need = "admin", all_accounts = true, run = create, body = kinds.object({
    name = kinds.words(100), account = kinds.or_null(kinds.account),
    scope = kinds.choice({ "read", "write" }) }, { "name", "scope" }) },
  { "DELETE", "/tokens/{token_id}", need = "admin", all_accounts = true, run = revoke },
}
