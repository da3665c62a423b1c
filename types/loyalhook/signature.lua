---@meta loyalhook.signature

--- Signing and verifying without a store. Needs loyalhook.core only, so it is safe in a web server.
---@class loyalhook.signature
local signature = {}

--- Prepared keys, for servers.
---@class loyalhook.Verifier
local Verifier = {}

--- What is signed, and how.
---@class loyalhook.SignOptions
---@field scheme? "zinrelo"|"standard" default "zinrelo"
---@field secret string the key
---@field body string the bytes to sign
---@field nonce? string|number zinrelo: milliseconds; default now
---@field id? string standard: the webhook-id
---@field timestamp? string|number standard: seconds; default now

--- Signs a body.
---@param given loyalhook.SignOptions what to sign, and how
---@return string? signature 128 hex digits, or "v1,…"
---@return string? stamp the nonce or timestamp that was signed; or why not
---@return loyalhook.Code? code of the failure
function signature.sign(given) end

--- The headers that a request with this body carries, Content-Type included.
---@param given loyalhook.SignOptions what to sign, and how
---@return table<string, string>? headers name → value
---@return string? message why not
---@return loyalhook.Code? code of the failure
function signature.headers(given) end

--- What is verified, and how.
---@class loyalhook.VerifyOptions
---@field scheme? "zinrelo"|"standard" default "zinrelo"
---@field secrets? string[] any of them may fit
---@field secret? string the only one
---@field body string the bytes that arrived
---@field headers table<string, string|table> name → value, in any case; a repeated one is a table
---@field now_ms? number milliseconds; default the system's clock
---@field tolerance_s? number default 300; -1 accepts any age

--- Verifies a request.
---@param given loyalhook.VerifyOptions what arrived
---@return true? valid
---@return string? message why not
---@return loyalhook.Code? code of the refusal
function signature.verify(given) end

--- The keys of a verifier.
---@class loyalhook.VerifierOptions
---@field scheme? "zinrelo"|"standard" default "zinrelo"
---@field secrets? string[] any of them may fit
---@field secret? string the only one
---@field tolerance_s? number default 300; -1 accepts any age

--- A verifier with prepared keys.
---@param given loyalhook.VerifierOptions the keys
---@return loyalhook.Verifier? verifier it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function signature.verifier(given) end

--- Verifies a request with the prepared keys.
---@param body string the bytes that arrived
---@param headers table<string, string|table> name → value
---@param now_ms? number default the system's clock
---@return true? valid
---@return string? message why not
---@return loyalhook.Code? code of the refusal
function Verifier:verify(body, headers, now_ms) end

return signature
