-- loyalhook audit: who changed what, newest first, a page at a time.

local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local json = require "loyalhook.json"
local page = require "loyalhook.cli.page"

local audit = {}

audit.examples = {
  "loyalhook audit --since 7d",
  "loyalhook audit --who user:anna --what webhook.",
}
audit.notes = [[
Noted is what is changed over the API and in the console, and what these commands change of tokens
and users. Entries are kept for failed_retention_days.]]

function audit.arguments(parser)
  parser:option("--who", "Only what this one changed: user:NAME, token:ID, 'command line'.")
    :argname("NAME")
  parser:option("--what", "Only this: webhook.edit, or webhook. for all that begin so.")
    :argname("WORD")
  parser:option("--object", "Only changes of this: an id or a name."):argname("ID|NAME")
  parser:option("--account", "Only this account's."):argname("NAME")
  parser:option("--since", "Only what was changed since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  page.options(parser)
end

local function shape(row)
  local shown = {}
  for name, value in pairs(row) do
    shown[name] = value
  end
  shown.detail = row.detail and document.raw(json.encode(row.detail))
  return document.pick(shown, fields.audit)
end

local FILTERS = { "who", "what", "object", "account", "since", "limit", "after" }

local FORM = { shape = shape, heads = { "AT", "WHO", "WHAT", "OBJECT", "ACCOUNT", "DETAIL" },
  row = function(entry)
    return { entry.at, entry.who, entry.what, entry.object or false, entry.account or false,
      entry.detail and json.encode(entry.detail) or false }
  end }

function audit.run(args, context)
  local list, following, code = context:access():audit(page.filter(args, FILTERS))
  if not list then
    return nil, following, code
  end
  page.show(context, "entries", list, following, FORM)
end

return audit
