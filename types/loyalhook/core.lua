---@meta loyalhook.core

--- Pure functions in C: no store, no network, safe in a web server. What `signature`, `payload` and
--- `json` stand on.
---@class loyalhook.core
---@field limits table<string, integer> name → number
---@field _VERSION string the version
local core = {}

core.json = {}
core.event = {}
core.batch = {}
core.envelope = {}
core.delivery = {}
core.secret = {}

--- HMAC in lower-case hex.
---@param digest "sha512"|"sha256" which
---@param key string
---@param message string
---@return string? hex digits
---@return string? message_ why not
---@return loyalhook.Code? code of the failure
function core.hmac(digest, key, message) end

--- Signs a body; as signature.sign, without defaults.
---@param given loyalhook.SignOptions what to sign, and how
---@return string? signature 128 hex digits, or "v1,…"
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.sign(given) end

--- Verifies a request; as signature.verify.
---@param given loyalhook.VerifyOptions what arrived
---@return true? valid
---@return string? message why not
---@return loyalhook.Code? code of the refusal
function core.verify(given) end

--- A verifier with prepared keys; as signature.verifier.
---@param given loyalhook.VerifierOptions the keys
---@return loyalhook.Verifier? verifier it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.verifier(given) end

--- A new id.
---@param now_ms? integer default the system's clock
---@return string id 24 hex digits
function core.id(now_ms) end

--- The system's clock.
---@return integer ms milliseconds since 1970
function core.now_ms() end

--- A clock that nobody sets, for durations.
---@return integer ms milliseconds since some moment
function core.monotonic_ms() end

--- Whether a text is UTF-8.
---@param text string
---@return true? valid
---@return integer? offset of the first bad byte, from 1
function core.utf8_check(text) end

--- Why the guard refuses an address.
---@param ip string the address
---@param allowed? string[] CIDR texts that are exempt
---@return string? range in words, or nil if it may be contacted
function core.address_refused(ip, allowed) end

--- Whether a text is a mail address as loyalhook takes them: one dot-atom, "@", a host name, ASCII.
---@param address string the text
---@return true? good
---@return string? message what is wrong with it
---@return loyalhook.Code? code "invalid"
function core.mailbox_check(address) end

--- The kind of a text that is exactly one strict JSON value.
---@param text string
---@param depth_max? integer default 64
---@return string? kind object, array, string, number, true, false or null
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.json.check(text, depth_max) end

--- The members of an object as they stand in its text.
---@param text string
---@param depth_max? integer default 64
---@return table<string, string>? members name → JSON text
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.json.members(text, depth_max) end

--- The items of an array as they stand in its text.
---@param text string JSON
---@param depth_max? integer most levels of nesting; default 64
---@return string[]? items their JSON texts
---@return string? message what is wrong
---@return loyalhook.Code? code "invalid"
function core.json.items(text, depth_max) end

--- JSON text as a Lua value; json.decode is this with arrays marked. null becomes core.json.null.
---@param text string
---@param array_metatable? table every array gets it
---@param depth_max? integer nesting allowed, 1 to 128; default 64
---@return any value
---@return string? message why not, with the byte
---@return loyalhook.Code? code "invalid"
function core.json.decode(text, array_metatable, depth_max) end

--- Whether emit would take it.
---@param data string JSON text
---@return true? good
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.event.check(data) end

--- The member that an event is about.
---@param data string JSON text
---@return string? member its id
function core.event.member(data) end

--- How many events each batch takes.
---@param lengths table[]|integer[] bytes of each event, or { bytes of its type, bytes of its data }
---@param batch_size? integer events at most
---@param bytes_max? integer bytes of a body at most
---@return integer[] counts of the batches
function core.batch.split(lengths, batch_size, bytes_max) end

--- A request's body.
---@param given table { request_id, created_ms, events = { { id, event_type, data }, … } }
---@return string? body JSON text
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.envelope.build(given) end

--- The state machine.
---@param delivery table what a request is now
---@param input table what happened
---@param policy table of its webhook
---@param now_ms integer the present
---@return table? delivery what it is then
---@return table|string|nil effects what has to be done; or why not
---@return loyalhook.Code? code of the failure
function core.delivery.step(delivery, input, policy, now_ms) end

--- A new secret.
---@return string? secret of the form whsec_…
---@return string? message why not
---@return loyalhook.Code? code of the failure
function core.secret.generate() end

--- Whether a new secret will do.
---@param scheme "zinrelo"|"standard" which rule
---@param secret string it
---@return true? good
---@return string? message why not
---@return loyalhook.Code? code "secret_invalid"
function core.secret.check(scheme, secret) end

return core
