---@meta loyalhook.fields

--- The names that scripts rely on: the fields of what the library returns, in order.
---@class loyalhook.fields
---@field webhook string[] of a webhook
---@field webhook_settings table<string, string> what create_webhook takes, name → kind
---@field request string[] of a request
---@field attempt string[] of an attempt
---@field event string[] of an event
---@field token string[] of a program's token
---@field user string[] of a user of the console
---@field audit string[] of an entry of the audit log
---@field states string[] of a request
---@field received string[] of an event of the inbox
---@field received_states string[] of an event of the inbox
---@field task string[] of a handler's task
---@field task_states string[] of a handler's task
---@field handler string[] of a handler that the store knows
local fields = {}

--- A copy of a row with json.null for each absent field.
---@param names string[] one of the lists
---@param row table what the library returned
---@return table copy of it
function fields.with_nulls(names, row) end

return fields
