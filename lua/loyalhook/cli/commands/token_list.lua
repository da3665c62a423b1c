-- loyalhook token list: all tokens, revoked ones too.

local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"

local list = {}

list.examples = { "loyalhook token list", "loyalhook token list --json" }
list.notes = "LAST USED is right to ten minutes. Revoked tokens are listed for"
  .. " failed_retention_days."

function list.arguments() end

function list.run(_, context)
  local tokens, message, code = context:access():tokens()
  if not tokens then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("tokens", shapes.list(tokens, shapes.token)))
    return
  elseif #tokens == 0 then
    context.output:note("no tokens; make one with: loyalhook token create")
    return
  end
  local rows = {}
  for index, token in ipairs(tokens) do
    rows[index] = { token.id, token.name, token.account or "all", token.scope,
      token.revoked_at and "revoked" or "enabled", token.created_at, token.last_used_at or false }
  end
  context.output:lines(columns.lines(
    { "ID", "NAME", "ACCOUNT", "SCOPE", "STATUS", "MADE", "LAST USED" }, rows))
end

return list
