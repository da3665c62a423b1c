---@meta loyalhook.handlers.log

--- A line in the worker's log for each event. In loyalhook.lua: handlers = { { use = "log" } }.
---@class loyalhook.handlers.log
local log = {}

--- What stands in the line.
---@class loyalhook.LogOptions
---@field level? string debug, info (the default), warn or error
---@field fields? table paths, or name → path, beside the event's id, type and source
---@field name? string default "log"; of two of them each needs its own
---@field event_types? string[] default { "*" }
---@field concurrency? number tasks at once, over all workers
---@field rate? table { count =, per_s = }: tasks begun, over all workers
---@field tries? number attempts of one task
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member": one member's events in order
---@field when_unknown? string "retry" or "fail": without meaning here

--- A handler that writes lines.
---@param given loyalhook.LogOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code "config"
function log.new(given) end

return log
