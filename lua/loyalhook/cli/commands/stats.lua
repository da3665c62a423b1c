-- loyalhook stats: how much there is and how far it has got.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local columns = require "loyalhook.cli.table"

local stats = {}

stats.examples = {
  "loyalhook stats",
  "loyalhook stats --webhook crm --json",
}

-- In the order shown. "waiting" is known of one webhook only.
local FIGURES = {
  "accounts", "webhooks", "events", "waiting", "requests", "attempts", "oldest_undelivered_at",
  "database_bytes", "wal_bytes",
}

function stats.arguments(parser)
  parser:option("--webhook", "Only this webhook's: id or name."):argname("ID|NAME")
  parser:option("--account", "The webhook's account, where several use the same name.")
    :argname("NAME")
end

local function shown_requests(requests)
  local parts = {}
  for index, state in ipairs(fields.states) do
    parts[index] = ("%d %s"):format(requests[state] or 0, state)
  end
  return table.concat(parts, ", ")
end

function stats.run(args, context)
  if args.account and not args.webhook then
    arguments.usage_error("--account says whose webhook is meant, so --webhook is needed too")
  end
  local figures, message, code = context:sender():stats(args.webhook, args.account)
  if not figures then
    return nil, message, code
  end
  if type(figures.waiting) == "number" and figures.waiting < 0 then
    figures.waiting = nil
  end
  if context.json then
    figures.requests = document.pick(figures.requests, fields.states)
    context.output:document(document.pick(figures, FIGURES))
    return
  end
  figures.requests = shown_requests(figures.requests)
  local rows = {}
  for _, name in ipairs(FIGURES) do
    if figures[name] ~= nil then
      rows[#rows + 1] = { name, figures[name] }
    end
  end
  context.output:lines(columns.pairs(rows))
end

return stats
