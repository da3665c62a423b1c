---@meta loyalhook.handlers.crm.hubspot

--- Contacts of a HubSpot account. In loyalhook.lua: handlers = { { use = "crm.hubspot", … } }.
---@class loyalhook.handlers.crm.hubspot
local hubspot = {}

--- Which account, and what its contacts get.
---@class loyalhook.HubspotOptions
---@field token? string of a private app; or token_file
---@field token_file? string a file with the token, read at each use
---@field url? string default "https://api.hubapi.com"
---@field api_version? string default "2026-09"; "v3" for the older paths
---@field id_property? string a property with unique values; default "email"
---@field batch_max? number contacts in one request, at most 100
---@field id_from? string path of what finds the contact; default "member_info.email_address"
---@field mapping? table field → path, table or false; over the defaults
---@field on_delete? string|table "ignore" (the default), or field → text of a deleted member
---@field without_id? string of an event without that value: "fail" (the default) or "skip"
---@field name? string default "crm.hubspot"; of two of them each needs its own
---@field event_types? string[] default { "category:member", "category:transaction" }
---@field concurrency? number tasks at once, over all workers
---@field rate? table { count =, per_s = }: tasks begun, over all workers
---@field tries? number attempts of one task
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member" (the default): one member's events in order; or false
---@field when_unknown? string after what may have arrived: "retry" (the default) or "fail"

--- A handler that upserts contacts.
---@param given loyalhook.HubspotOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code "config"
function hubspot.new(given) end

return hubspot
