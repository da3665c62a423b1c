---@meta loyalhook.events

--- Event types: which exist, in which category, and what a subscription means. The module answers
--- as the default catalogue.
---@class loyalhook.events : loyalhook.Catalogue
local events = {}

--- A catalogue of its own, so that two senders with different types do not notice each other.
---@class loyalhook.Catalogue
local Catalogue = {}

--- An event type of your own.
---@class loyalhook.NewType
---@field name string a-z 0-9 _ . and at most 64 of them
---@field category string an existing or a new one
---@field description? string when it happens
---@field title? string its name for people

--- An event type of a catalogue.
---@class loyalhook.EventType
---@field name string of the type
---@field category string it belongs to
---@field title string its name for people
---@field description string when it happens
---@field data table<string, any> what is known of its data
---@field info? string the member of data that its details are in
---@field builtin boolean it is one of the twenty

--- A catalogue with everything that the default one has, and types of your own.
---@param types? loyalhook.NewType[] in addition
---@return loyalhook.Catalogue? catalogue it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function events.new(types) end

--- The default catalogue as an object.
---@return loyalhook.Catalogue catalogue it
function events.default() end

--- Adds an event type. The same type again is a no-op.
---@param entry loyalhook.NewType the type
---@return true? done
---@return string? message why not
---@return loyalhook.Code? code "invalid", "conflict" for another category, "limit"
function Catalogue:register(entry) end

--- One type.
---@param name string its name
---@return loyalhook.EventType? entry a copy, or nil
function Catalogue:get(name) end

--- The category of a type.
---@param name string its name
---@return string? category or nil for an unknown type
function Catalogue:category(name) end

--- All types in catalogue order.
---@param category? string only this one's
---@return loyalhook.EventType[] entries copies
function Catalogue:all(category) end

--- All categories in catalogue order.
---@return table[] categories { name, title, types = { names } }
function Catalogue:categories() end

--- The types that somebody may have meant, nearest first, at most three.
---@param name string what was written
---@return string[] names of types
function Catalogue:nearest(name) end

--- What a call answers for a type that is not registered.
---@param name string what was written
---@return nil nothing
---@return string message that names the nearest
---@return loyalhook.Code code "unknown_type"
function Catalogue:unknown(name) end

--- Checks one entry of a webhook's event_types.
---@param selector string a type, "category:NAME" or "*"
---@return true? known
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Catalogue:check_selector(selector) end

--- The types that a list of selectors means now.
---@param selectors string[] types, "category:NAME" or "*"
---@return string[]? names in catalogue order
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Catalogue:expand(selectors) end

return events
