-- loyalhook backup FILE: a consistent copy of the store while it is in use.

local document = require "loyalhook.cli.document"

local backup = {}

backup.examples = { "loyalhook backup /var/backups/loyalhook-monday.db" }
backup.notes = "The key file is not copied: keep it somewhere else, and keep it. Without it the\n"
  .. "secrets in the copy cannot be read."

function backup.arguments(parser)
  parser:argument("FILE", "The new file; it must not exist."):argname("FILE"):target("file")
end

function backup.run(args, context)
  local done, message, code = context:sender():backup(args.file)
  if not done then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("file", args.file))
  else
    context.output:note("copied to " .. args.file .. "; the key file is not in it")
  end
end

return backup
