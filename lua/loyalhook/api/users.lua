-- /users: who may sign in to the console. Only an admin manages them.

local kinds = require("loyalhook.api.kinds")
local plain = require("loyalhook.plain")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local FIELDS = { "user", "role", "disabled", "created_at", "last_seen_at" }
local ROLE = kinds.choice({ "viewer", "admin" })
local PASSWORD = kinds.any(1024)

local function shown(row)
  local view = render.pick(row, FIELDS)
  view.disabled = row.disabled == true
  return view
end

local function list(call)
  local rows, message, code = call.access:users()
  if not rows then
    return call:failed(message, code)
  end
  return call:ok({ users = render.list(rows, shown) })
end

local function create(call)
  local given = call.body
  local row, message, code = call.access:add_user({ user = given.user, password = given.password,
    role = given.role }, call.by)
  if not row then
    return call:failed(message, code)
  end
  return { status = 201, value = shown(row),
    headers = { Location = "/api/v1/users/" .. plain.percent(row.user) } }
end

local function edit(call)
  if next(call.body) == nil then
    return problem.values({ { code = "invalid", detail = "nothing to change was given" } })
  end
  local row, message, code = call.access:set_user(call.path.user, call.body, call.by)
  if not row then
    return call:failed(message, code)
  end
  return call:ok(shown(row))
end

local function remove(call)
  local row, message, code = call.access:remove_user(call.path.user, call.by)
  if not row then
    return call:failed(message, code)
  end
  return { status = 204 }
end

return {
  { "GET", "/users", need = "admin", all_accounts = true, run = list },
  { "POST", "/users", need = "admin", all_accounts = true, run = create, body = kinds.object({
    user = kinds.user, password = PASSWORD, role = ROLE }, { "user", "password", "role" }) },
  { "PATCH", "/users/{user}", need = "admin", all_accounts = true, run = edit,
    body = kinds.object({ role = ROLE, disabled = kinds.flag, password = PASSWORD }) },
  { "DELETE", "/users/{user}", need = "admin", all_accounts = true, run = remove },
}
