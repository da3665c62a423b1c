-- loyalhook request retry: the same as loyalhook retry, where people look for it.

local retry = require "loyalhook.cli.commands.retry"

local request_retry = { arguments = retry.arguments, run = retry.run, notes = retry.notes,
  examples = {} }

for index, example in ipairs(retry.examples) do
  request_retry.examples[index] = example:gsub("^loyalhook retry", "loyalhook request retry")
end

return request_retry
