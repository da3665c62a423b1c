---@meta loyalhook.handlers.forward

--- Posts events on, signed. In loyalhook.lua: handlers = { { use = "forward", … } }.
---@class loyalhook.handlers.forward
local forward = {}

--- Where to, and how it is signed.
---@class loyalhook.ForwardOptions
---@field url string where to
---@field secret? string that signs; or secret_file
---@field secret_file? string a file with the secret, read at each use
---@field scheme? string "zinrelo" (the default) or "standard"
---@field success? string "200" (the default) or "2xx"
---@field headers? table<string, string> more of them
---@field timeout_ms? number default 30000
---@field name? string default "forward"; of two of them each needs its own
---@field event_types? string[] default { "*" }
---@field concurrency? number tasks at once, over all workers
---@field rate? table { count =, per_s = }: tasks begun, over all workers
---@field tries? number attempts of one task
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member": one member's events in order
---@field when_unknown? string after what may have arrived: "retry" (the default) or "fail"

--- A handler that posts each event to a URL.
---@param given loyalhook.ForwardOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code "config"
function forward.new(given) end

return forward
