-- loyalhook audit: who changed what, newest first, a page at a time.

local arguments = require "loyalhook.cli.arguments"
local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local json = require "loyalhook.json"
local shapes = require "loyalhook.cli.shapes"

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
  arguments.integer_option(parser, "--limit", "At most so many, 1-1000 (default 50).")
  parser:option("--after", "Go on after this cursor, printed at the end of a page.")
    :argname("CURSOR")
end

local function shape(row)
  local shown = {}
  for name, value in pairs(row) do
    shown[name] = value
  end
  shown.detail = row.detail and document.raw(json.encode(row.detail))
  return document.pick(shown, fields.audit)
end

local function print_table(list, following, output)
  if #list == 0 then
    output:note("no entries")
    return
  end
  local rows = {}
  for index, entry in ipairs(list) do
    rows[index] = { entry.at, entry.who, entry.what, entry.object or false, entry.account or false,
      entry.detail and json.encode(entry.detail) or false }
  end
  output:lines(columns.lines({ "AT", "WHO", "WHAT", "OBJECT", "ACCOUNT", "DETAIL" }, rows))
  if following then
    output:note("more: --after " .. following)
  end
end

function audit.run(args, context)
  local list, following, code = context:access():audit{ who = args.who, what = args.what,
    object = args.object, account = args.account, since = args.since, limit = args.limit,
    after = args.after }
  if not list then
    return nil, following, code
  end
  if context.json then
    context.output:document(document.object("entries", shapes.list(list, shape), "next",
      following))
  else
    print_table(list, following, context.output)
  end
end

return audit
