---@meta loyalhook.json

--- Lua tables to JSON text and back. The text is the same on every VM: keys sorted, no spaces.
---@class loyalhook.json
---@field null lightuserdata written as null, and what null decodes to
---@field empty_array table always written as []
local json = {}

--- How a value is encoded.
---@class loyalhook.EncodeOptions
---@field name? string path of the value itself in messages
---@field arrays? table<table, boolean> tables that are arrays even if they are empty

--- A Lua value as JSON text.
---@param value any
---@param options? loyalhook.EncodeOptions how
---@return string? text of it
---@return string? message with the path of what cannot be written
---@return loyalhook.Code? code "invalid"
function json.encode(value, options) end

--- JSON text as a Lua value, the same on both VMs. null becomes json.null; every array is marked as
--- json.array marks one. Whole numbers below 2^53 are integers on Lua 5.4, other numbers floats.
---@param text string
---@return any value
---@return string? message why not
---@return loyalhook.Code? code "invalid"
function json.decode(text) end

--- Marks a table as an array, so that it is written as [] when it is empty.
---@param value? table default: a new one
---@return table value the same table
function json.array(value) end

--- JSON text to be written as it is inside an encoded value.
---@param text string one JSON value
---@return table? marker for it
---@return string? message why not
---@return loyalhook.Code? code "invalid"
function json.raw(text) end

return json
