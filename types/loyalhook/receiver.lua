---@meta loyalhook.receiver

--- The merchant's side: verify a request, record its events durably, answer. What is called here
--- blocks; in nginx use loyalhook.openresty.
---@class loyalhook.receiver
local receiver = {}

--- One handle on a store with the sources that may send. It belongs to the process that opened it.
---@class loyalhook.Receiver
local Receiver = {}

--- A sender that events are accepted from. With several secrets any of them may have signed.
---@class loyalhook.Source
---@field secrets? string[] at most 16 with those in files, none empty
---@field secret_files? string[] files with one line each, read when the receiver is opened
---@field scheme? "zinrelo"|"standard" default "zinrelo"
---@field tolerance_s? number the nonce may be so far from now; default 300; -1 accepts any age

--- What receiver.open takes.
---@class loyalhook.ReceiverOptions
---@field store? string "sqlite:PATH" or a path; default "sqlite:loyalhook.db"
---@field create? boolean make a missing store and its key file
---@field as_is? boolean refuse a store of an older version instead of bringing it up to date
---@field key_file? string default: the store's path with .key
---@field wal_bytes_max? integer size of the write-ahead log that is checkpointed; default 16777216
---@field sources? table<string, loyalhook.Source> by name ([A-Za-z0-9._-]{1,64})
---@field body_bytes_max? integer larger bodies are refused; default 10485760
---@field log? fun(level: string, message: string, fields: table) default: lines on stderr
---@field now_ms? fun(): number a clock, for tests

--- Opens a receiver. A source without a secret is refused; while a secret's file cannot be read,
--- its source's requests are answered 503.
---@param given? loyalhook.ReceiverOptions what to open
---@return loyalhook.Receiver? receiver it
---@return string? message why not
---@return loyalhook.Code? code "config", or of the store
function receiver.open(given) end

--- Takes a request: 200 once its events are in the inbox; 400 not an envelope; 401 signature,
--- nonce or source; 413 too large; 415 encoded; 503 not recorded, to be sent again.
---@param source string the name it claims
---@param headers table<string, string|table> name → value, in any case; a repeated one is a table
---@param raw_body string the bytes that arrived
---@return integer status to answer
---@return string body to answer, JSON
function Receiver:accept(source, headers, raw_body) end

--- Which events are listed.
---@class loyalhook.ReceivedFilter
---@field state? "pending"|"failed"|"done" how far their tasks are
---@field source? string who sent them
---@field event_type? string their type
---@field handler? string those that have a task of it
---@field since? string|number received since: RFC 3339, a length of time like "2h", or ms
---@field limit? integer 1 to 1000, default 50
---@field after? string cursor of the page before

--- The inbox, newest first.
---@param filter? loyalhook.ReceivedFilter which ones
---@return loyalhook.Received[]? events them
---@return string? next cursor of the next page, nil at the end; or why not
---@return loyalhook.Code? code of the failure
function Receiver:events(filter) end

--- The events with this id, one of each source that sent it, with their data.
---@param id string the sender's id
---@param source? string only of this one
---@return loyalhook.Received[]? events them
---@return string? message why not
---@return loyalhook.Code? code "not_found", or another
function Receiver:event(id, source) end

--- What is to be retried.
---@class loyalhook.TaskWish
---@field id string an event's id
---@field source? string only its event from this one
---@field handler? string only the task of this one

--- Retries failed tasks now, each with a fresh budget of tries.
---@param list (string|loyalhook.TaskWish)[] ids of events, or more precise
---@param given? loyalhook.By who does it
---@return table[]? outcomes { id, source, handler, outcome }: retried, not_failed or unknown
---@return string? message why not
---@return loyalhook.Code? code of the failure
---@return table[]? before outcomes of the transactions before
function Receiver:retry(list, given) end

--- Which failed tasks are retried.
---@class loyalhook.TaskRetryFilter
---@field handler? string of this one
---@field source? string of this one's events
---@field since? string|number of events received since
---@field dry_run? boolean only count them
---@field on_step? fun(count: integer) is told how many so far
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"

--- Retries all failed tasks that the filter means.
---@param given? loyalhook.TaskRetryFilter which ones
---@return table? result { retried }, or { dry_run, total }
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Receiver:retry_failed(given) end

--- The handlers that the store knows.
---@return loyalhook.KnownHandler[]? handlers them
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Receiver:handlers() end

--- Forgets a handler that is no longer used; its unfinished tasks fail.
---@param name string the handler's
---@param given? loyalhook.By who does it
---@return integer? failed how many tasks
---@return string? message why not
---@return loyalhook.Code? code "refused" while a worker has it loaded
function Receiver:forget_handler(name, given) end

--- Closes the store. Closing again does nothing.
function Receiver:close() end

return receiver
