---@meta loyalhook.handlers.crm.salesforce

--- Contacts of a Salesforce org. In loyalhook.lua: handlers = { { use = "crm.salesforce", … } }.
---@class loyalhook.handlers.crm.salesforce
local salesforce = {}

--- Which org, and what its contacts get.
---@class loyalhook.SalesforceOptions
---@field url string the My Domain: "https://NAME.my.salesforce.com"
---@field client_id string the app's consumer key
---@field client_secret? string the app's consumer secret; or client_secret_file
---@field client_secret_file? string a file with it, read when a token is fetched
---@field object? string API name; default "Contact"
---@field id_field? string name of an external id field; default "Loyalty_Member_Id__c"
---@field api_version? string default "v66.0"
---@field id_from? string path of what finds the contact; default "member_info.member_id"
---@field mapping? table field → path, table or false; over the defaults
---@field on_delete? string|table "ignore" (the default), or field → text of a deleted member
---@field without_id? string of an event without that value: "fail" (the default) or "skip"
---@field name? string default "crm.salesforce"; of two of them each needs its own
---@field event_types? string[] default { "category:member", "category:transaction" }
---@field concurrency? number tasks at once, over all workers
---@field rate? table { count =, per_s = }: tasks begun, over all workers
---@field tries? number attempts of one task
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member" (the default): one member's events in order; or false
---@field when_unknown? string after what may have arrived: "retry" (the default) or "fail"

--- A handler that upserts contacts.
---@param given loyalhook.SalesforceOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code "config"
function salesforce.new(given) end

return salesforce
