---@meta loyalhook.handlers.wallet.stripe

--- Store credit at Stripe. In loyalhook.lua: handlers = { { use = "wallet.stripe", … } }.
---@class loyalhook.handlers.wallet.stripe
local stripe = {}

--- What an event of one type is worth. Either points or amount.
---@class loyalhook.Credit
---@field points? string path of a number of points
---@field rate? table { points = 100, amount = 500 }: 100 points are 5.00; default 1 for 1
---@field amount? string|number path of an amount in minor units, or the amount
---@field most? number refuse events that are worth more

--- Whose balance, and how much.
---@class loyalhook.StripeOptions
---@field secret_key? string of Stripe; or secret_key_file
---@field secret_key_file? string a file with the key, read at each use
---@field currency string three lower-case letters
---@field credits table<string, loyalhook.Credit> by event type
---@field customer? string path of the customer's id (cus_…)
---@field description? string of each transaction; default "Loyalty credit"
---@field url? string default "https://api.stripe.com"
---@field api_version? string default "2025-09-30.clover"
---@field name? string default "wallet.stripe"; of two of them each needs its own
---@field event_types? string[] default those in credits
---@field concurrency? number tasks at once, over all workers
---@field rate? table { count =, per_s = }: tasks begun, over all workers
---@field tries? number attempts of one task
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member" (the default): one member's events in order; or false
---@field when_unknown? string after what may have arrived: "retry" (the default) or "fail"

--- A handler that credits customers' balances.
---@param given loyalhook.StripeOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code "config"
function stripe.new(given) end

return stripe
