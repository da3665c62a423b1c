-- loyalhook notices: what an administrator must hear of, newest first, a page at a time; with
-- "test", one mail through the configured server to see whether it works.

local arguments = require "loyalhook.cli.arguments"
local page = require "loyalhook.cli.page"
local shapes = require "loyalhook.cli.shapes"

local notices = {}

notices.examples = {
  "loyalhook notices",
  "loyalhook notices --webhook crm --since 2h",
  "loyalhook notices test --to me@example.com    # does the mail server take our mails?",
}
notices.notes = [[
Each failed request and each paused webhook makes a notice. Where a mail server is configured
(notices in loyalhook.lua), workers mail them: the first at once, then at most one mail about a
webhook in five minutes. MAILED says whether a mail server has taken over the mail.
Exit code of test: 0 the server took the mail over, 1 it did not.]]

function notices.arguments(parser)
  parser:argument("ACTION", "test: send one test mail instead."):args("?"):choices({ "test" })
    :target("action")
  parser:option("--webhook", "Only this webhook's: id or name."):argname("ID|NAME")
  parser:option("--account", "Only this account's."):argname("NAME")
  parser:option("--since", "Only those made since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  page.options(parser)
  parser:option("--to", "Of test: who gets the mail (default: notices.to)."):argname("ADDRESS")
end

local FILTERS = { "webhook", "account", "since", "limit", "after" }

local FORM = { shape = shapes.notice,
  heads = { "MADE", "ACCOUNT", "WEBHOOK", "WHAT", "REASON", "REQUEST", "MAILED" },
  row = function(notice)
    return { notice.created_at, notice.account, notice.webhook_name,
      notice.kind == "paused" and "webhook paused" or "request failed", notice.reason,
      notice.request_id, notice.mailed and "yes" or "no" }
  end }

local function list_them(args, context)
  local list, following, code = context:sender():notices(page.filter(args, FILTERS))
  if not list then
    return nil, following, code
  end
  page.show(context, "notices", list, following, FORM)
end

function notices.run(args, context)
  if args.action == "test" then
    for _, name in ipairs(FILTERS) do
      if args[name] ~= nil then
        arguments.usage_error(("--%s does not go with test"):format(name))
      end
    end
    return require("loyalhook.cli.test_mail").run(args, context)
  elseif args.to then
    arguments.usage_error("--to goes with: loyalhook notices test")
  end
  return list_them(args, context)
end

return notices
