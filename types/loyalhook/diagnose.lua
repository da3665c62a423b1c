---@meta loyalhook.diagnose

--- Why a signature does not fit: what `loyalhook verify` says.
---@class loyalhook.diagnose
local diagnose = {}

--- The answer about a signature.
---@class loyalhook.Verdict
---@field valid boolean whether it fits
---@field code? loyalhook.Code of the refusal
---@field sentence? string what is wrong
---@field hint? string what to do

--- Verifies like signature.verify, and explains a failure.
---@param given loyalhook.VerifyOptions what arrived
---@return loyalhook.Verdict verdict the answer
function diagnose.explain(given) end

return diagnose
