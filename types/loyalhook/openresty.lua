---@meta loyalhook.openresty

--- loyalhook inside nginx with the Lua module, or OpenResty. Objects are made in init_by_lua and
--- hold no store; what blocks is done in a thread of nginx's pool, for many requests at a time.
---@class loyalhook.openresty
local openresty = {}

--- A receiver for nginx.
---@class loyalhook.NginxReceiver
local NginxReceiver = {}

--- A sender for nginx.
---@class loyalhook.NginxSender

--- What openresty.receiver takes.
---@class loyalhook.NginxReceiverOptions
---@field store? string "sqlite:PATH" or a path; default "sqlite:loyalhook.db"
---@field create? boolean make a missing store and its key file
---@field key_file? string default: the store's path with .key
---@field wal_bytes_max? integer size of the write-ahead log that is checkpointed; default 16777216
---@field sources? table<string, loyalhook.Source> by name ([A-Za-z0-9._-]{1,64})
---@field body_bytes_max? integer larger bodies are refused; default 10485760
---@field log? fun(level: string, message: string, fields: table) default: nginx's error log
---@field threads? string name of the thread_pool; default "loyalhook"
---@field waiting_max? integer requests of one nginx worker that may wait; default 1000
---@field wait_s? number how long one may wait; default 25

--- A receiver, made in init_by_lua. No store is opened.
---@param given? loyalhook.NginxReceiverOptions what to receive
---@return loyalhook.NginxReceiver? receiver it
---@return string? message why not
---@return loyalhook.Code? code "config"
function openresty.receiver(given) end

--- A content handler: takes the request at hand for a source, and answers it once its events are
--- durable. 503 has a Retry-After.
---@param receiver loyalhook.NginxReceiver which takes it
---@param source string the name of the sender
---@return integer status that was answered
function openresty.receive(receiver, source) end

--- What a request was.
---@class loyalhook.Seen
---@field headers? table<string, string|table> as they came
---@field raw_body? string the bytes, if nginx holds them in memory
---@field body_file? string where they are otherwise, until the request ends
---@field code? string why it was not accepted, or "total_count"
---@field message? string the same in words
---@field events? integer how many events it has
---@field added? integer how many of them are new
---@field duplicates? integer how many came before

--- Takes the request at hand without answering it.
---@param receiver loyalhook.NginxReceiver which takes it
---@param source string the name of the sender
---@return integer status to answer
---@return string body to answer, JSON
---@return loyalhook.Seen seen what the request was
function openresty.accept(receiver, source) end

--- What requests of one nginx worker shared.
---@class loyalhook.QueueFigures
---@field tasks integer so many times a thread was asked
---@field items integer for so many requests
---@field running integer requests that a thread has now
---@field waiting integer requests that wait for it

--- What this nginx worker's requests shared.
---@return loyalhook.QueueFigures figures since the worker started
function NginxReceiver:figures() end

--- What openresty.sender takes.
---@class loyalhook.NginxSenderOptions
---@field store? string "sqlite:PATH" or a path; default "sqlite:loyalhook.db"
---@field create? boolean make a missing store and its key file
---@field key_file? string default: the store's path with .key
---@field types? loyalhook.NewType[] event types of your own
---@field account? string of events that name none; default "default"
---@field wal_bytes_max? integer size of the write-ahead log that is checkpointed; default 16777216
---@field log? fun(level: string, message: string, fields: table) default: nginx's error log
---@field threads? string name of the thread_pool; default "loyalhook"
---@field waiting_max? integer requests of one nginx worker that may wait; default 1000
---@field wait_s? number how long one may wait; default 25

--- A sender for request handlers, made in init_by_lua. No store is opened.
---@param given? loyalhook.NginxSenderOptions what to open
---@return loyalhook.NginxSender? sender it
---@return string? message why not
---@return loyalhook.Code? code "invalid"
function openresty.sender(given) end

--- Accepts one event. It is durable when this returns; other requests of the nginx worker go on.
---@param sender loyalhook.NginxSender which takes it
---@param event_type string its type
---@param data loyalhook.Payload|table|string a payload of that type, a table, or JSON text
---@param place? loyalhook.Place where it belongs
---@return string? id of the event
---@return string? message why it was refused
---@return loyalhook.Code|"duplicate"|"overload"|"timeout"|"thread"|nil code of the failure
function openresty.emit(sender, event_type, data, place) end

--- Accepts many events in one transaction, all or none. An entry is a payload or { event_type,
--- data, account, id, idempotency_key }.
---@param sender loyalhook.NginxSender which takes them
---@param list table[] the events
---@return string[]? ids in the order of the list
---@return string? message why none was stored
---@return loyalhook.Code|"overload"|"timeout"|"thread"|nil code of the failure
---@return integer? index of the event that is to blame
function openresty.emit_many(sender, list) end

return openresty
