---@meta _

--- What a handler is: a plugin that reacts to received events. One's own is a Lua file that returns
--- such a table, or a function that makes one of its options; see the guide "Your own handler".
---@class loyalhook.handler
local handler = {}

--- What a worker runs.
---@class loyalhook.Handler
---@field name string [a-z0-9_.-]{1,64}, unique in a worker; its place in the inbox is kept by it
---@field event_types string[] types, "category:NAME" or "*"
---@field handle function (event, context) → true; or nil, a message and perhaps "retry" or "fail"
---@field when_unknown? "retry"|"fail" what becomes of a task that may have had its effect
---@field serial? "member" one member's tasks run in order, one at a time
---@field concurrency? integer tasks at once over all workers; default 16
---@field rate? loyalhook.HandlerRate starts over all workers
---@field tries? integer attempts of a task; default 10
---@field timeout_s? number seconds that one attempt may last; default 300
---@field from? "head"|"start" where a handler that is new to the store begins; default "head"
---@field batch_max? integer events that handle_batch takes at once
---@field handle_batch? function (events, context) → as handle, for all; or a list, one for each

--- How often tasks may start.
---@class loyalhook.HandlerRate
---@field count integer so many
---@field per_s number in so many seconds

--- A received event as a handler sees it.
---@class loyalhook.HandledEvent
---@field id string what the source calls it
---@field source string who sent it
---@field event_type string of what type
---@field received_ms integer when it was accepted
---@field received_at string the same, RFC 3339
---@field data table its data, decoded; null is loyalhook.null
---@field data_json string the exact bytes
---@field member_id? string whose event it is

--- What a handler gets beside the event.
---@class loyalhook.HandlerContext
---@field handler string its name
---@field source? string of the event; nil if a batch has several
---@field attempt integer which attempt this is, from 1; of a batch the highest
---@field first_attempt_ms integer when the first one began
---@field idempotency_key? string the same at each attempt; not in a batch
---@field idempotency_keys? string[] in a batch: one for each event
local HandlerContext = {}

--- The present.
---@return integer ms milliseconds since 1970
function HandlerContext.now_ms() end

--- Writes a line to the worker's log, with the handler's name and the event's id.
---@param level "debug"|"info"|"warn"|"error" how important it is
---@param message string a sentence
---@param fields? table name to text, number or boolean
function HandlerContext.log(level, message, fields) end

--- Sends a request and lets other tasks run until it has ended.
---@param request loyalhook.HandlerRequest what to send
---@return loyalhook.HandlerAnswer? answer whatever its status
---@return string? message what went wrong
---@return "not_sent"|"unknown"|"blocked"|"invalid"|"closed"|nil code whether it may have arrived
function HandlerContext.http(request) end

--- Sends a mail and lets other tasks run until it has ended.
---@param letter loyalhook.HandlerLetter what to send
---@return loyalhook.HandlerMailEnd? ended how
---@return string? message what went wrong
---@return string? code as of http
function HandlerContext.mail(letter) end

--- Lets other tasks run until something is so, for instance until another one has fetched a token.
---@param ready fun(): boolean asked again and again; quick, without effects
---@param timeout_ms integer for how long
---@return boolean ready false: the time is over
function HandlerContext.wait(ready, timeout_ms) end

--- An HTTP request.
---@class loyalhook.HandlerRequest
---@field url string https://…; http only where the worker allows it
---@field method? string default POST with a body, else GET
---@field headers? table<string, string> name to value
---@field body? string the bytes
---@field timeout_ms? integer default 30000
---@field answer_bytes_max? integer of the answer's body; default 1048576

--- Its answer.
---@class loyalhook.HandlerAnswer
---@field status integer the HTTP status
---@field headers table<string, string> lower-case name to value; repeated ones joined by ", "
---@field body string as much as came and was wanted
---@field truncated boolean the body goes on
---@field retry_after_s? integer what the answer asks for
---@field duration_ms integer how long it took

--- A mail.
---@class loyalhook.HandlerLetter
---@field server table as loyalhook.notices.smtp.check returns it
---@field to string[] addresses
---@field message string its bytes

--- How a mail ended.
---@class loyalhook.HandlerMailEnd
---@field verdict "accepted"|"refused"|"unknown" what the mail server said, or that it said nothing
---@field stage string what it was about when it ended: server, sender, recipient or message
---@field status? integer the SMTP code
---@field error? string what went wrong
---@field duration_ms integer how long it took

return handler
