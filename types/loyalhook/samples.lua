---@meta loyalhook.samples

--- Sample events that look like a programme's. The same seed gives the same events.
---@class loyalhook.samples
local samples = {}

--- What samples are like.
---@class loyalhook.SampleOptions
---@field now_ms? number the present in the sample; default the start of 2025
---@field catalogue? loyalhook.Catalogue default: the default one

--- Sample data of one event type.
---@param event_type string its type
---@param seed? integer default 1
---@param options? loyalhook.SampleOptions how
---@return table? data of the event
---@return string? message why not
---@return loyalhook.Code? code "unknown_type"
function samples.event(event_type, seed, options) end

--- The same as JSON text.
---@param event_type string its type
---@param seed? integer default 1
---@param options? loyalhook.SampleOptions how
---@return string? json text of the data
---@return string? message why not
---@return loyalhook.Code? code "unknown_type"
function samples.json(event_type, seed, options) end

--- An iterator over sample events of all types, in which members return and balances move.
---@param seed? integer default 1
---@param count integer how many
---@param options? loyalhook.SampleOptions how
---@return fun(): table? next each { event_type, data }
function samples.stream(seed, count, options) end

return samples
