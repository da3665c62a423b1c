---@meta loyalhook.time

--- Instants as people and the wire write them. Inside, an instant is milliseconds since 1970.
---@class loyalhook.time
local time = {}

--- Whether three numbers are a date of the calendar.
---@param year integer
---@param month integer
---@param day integer
---@return boolean is_one
function time.is_date(year, month, day) end

--- RFC 3339 in UTC with milliseconds.
---@param ms number an instant
---@return string text like 2021-12-29T16:47:41.000Z
function time.format(ms) end

--- As the wire writes it.
---@param ms number an instant
---@return string text like 12/29/2021 16:47:41
function time.wire(ms) end

--- The day of an instant as the wire writes it.
---@param ms number an instant
---@return string text like 12/29/2021
function time.wire_date(ms) end

--- RFC 3339, also with a space for the T, or a date alone.
---@param text string
---@return integer? ms an instant
---@return string? message why not
---@return loyalhook.Code? code "invalid"
function time.parse(text) end

--- A moment in the past as people type it.
---@param text string|number "30m", "2h", "7d", RFC 3339, or milliseconds
---@param now_ms number the present
---@return integer? ms an instant
---@return string? message why not
---@return loyalhook.Code? code "invalid"
function time.since(text, now_ms) end

return time
