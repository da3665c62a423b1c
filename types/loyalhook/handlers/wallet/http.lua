---@meta loyalhook.handlers.wallet.http

--- Store credit at any HTTP API. In loyalhook.lua: handlers = { { use = "wallet.http", … } }.
---@class loyalhook.handlers.wallet.http
local http = {}

--- Asks the API whether a credit with this key exists, before a second try.
---@class loyalhook.Lookup
---@field url string a template
---@field headers? table<string, string> name → template
---@field found loyalhook.LookupFound what says that it does

--- What says that a credit exists. Status 404 says that it does not.
---@class loyalhook.LookupFound
---@field status? number default 200
---@field path? string into the answer's JSON, where there must be something
---@field equals? string a template: what must stand there

--- The request that credits, and how it may be repeated.
---@class loyalhook.WalletHttpOptions
---@field url string a template
---@field body string a template
---@field method? string POST (the default), PUT or PATCH
---@field headers? table<string, string> name → template
---@field secret_headers? table<string, string|table> name → file, or { prefix =, file = }
---@field content_type? string default "application/json"
---@field credits table<string, loyalhook.Credit> by event type
---@field decimals? number of amount_decimal; default 2
---@field success? number[] statuses; default { 200, 201, 204 }
---@field retry_statuses? number[] that mean "nothing happened"; default { 429 }
---@field idempotency_header? string a header by which the API knows a repetition
---@field lookup? loyalhook.Lookup how to ask whether a credit was made
---@field api_name? string in messages; default "the wallet"
---@field name? string default "wallet.http"; of two of them each needs its own
---@field event_types? string[] default those in credits
---@field concurrency? number tasks at once, over all workers
---@field rate? table { count =, per_s = }: tasks begun, over all workers
---@field tries? number attempts of one task
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member" (the default): one member's events in order; or false
---@field when_unknown? string default "fail"; with idempotency_header or lookup "retry"

--- A handler that credits through a request of your own.
---@param given loyalhook.WalletHttpOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code "config"
function http.new(given) end

return http
