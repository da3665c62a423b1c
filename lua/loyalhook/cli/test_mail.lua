-- One test mail through the configured server, for a person who waits for its answer.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"

local test_mail = {}

local function report(ended, context)
  if context.json then
    context.output:document(document.object("verdict", ended.verdict, "status", ended.status,
      "error", ended.error, "duration_ms", ended.duration_ms, "url", ended.url, "from",
      ended.from, "to", document.list(ended.to)))
    return
  end
  local answer = ended.status and (" (%d)"):format(ended.status) or ""
  local to = table.concat(ended.to, ", ")
  if ended.verdict == "accepted" then
    context.output:line(("%s took over the mail for %s%s, in %d ms"):format(ended.url, to, answer,
      ended.duration_ms))
    if ended.error then
      context.output:note(ended.error)
    end
  else
    local what = ended.verdict == "unknown" and "may have taken over" or "did not take over"
    context.output:line(("%s %s the mail for %s: %s"):format(ended.url, what, to,
      ended.error or "no answer"))
  end
end

--- Sends it and says what the server answered. Returns an exit code, or nil, message, code.
function test_mail.run(args, context)
  local settings = context:settings()
  local notices = settings.notices or {}
  local list = args.to and arguments.list({ args.to })
  if notices.smtp and #(list or notices.to or {}) == 0 then
    arguments.usage_error("--to ADDRESS is needed: notices.to names nobody")
  end
  local ended, message, code = require("loyalhook.notices.trial").send(settings, list)
  if not ended then
    return nil, (message:gsub("^to: ", "--to: ")), code
  end
  report(ended, context)
  return ended.verdict == "accepted" and exit_codes.OK or exit_codes.FAILURE
end

return test_mail
