---@meta loyalhook.sender

--- The platform's side: configure webhooks, accept events, read the log.
---@class loyalhook.sender
local sender = {}

--- One handle on a store with a catalogue of event types. It belongs to the process that opened it.
---@class loyalhook.Sender
local Sender = {}

--- What sender.open takes.
---@class loyalhook.SenderOptions
---@field store? string "sqlite:PATH" or a path; default "sqlite:loyalhook.db"
---@field create? boolean make a missing store and its key file
---@field create_only? boolean refuse an existing store
---@field as_is? boolean refuse a store of an older version instead of bringing it up to date
---@field key_file? string default: the store's path with .key
---@field types? loyalhook.NewType[] event types of your own
---@field account? string of events and webhooks that name none; default "default"
---@field allow_http? boolean let webhooks have http:// URLs
---@field allow_networks? string[] CIDR texts of private networks that webhooks may reach
---@field ca_file? string certificate authorities; default: the system's
---@field webhooks_max? integer webhooks of one account; default 10
---@field wal_bytes_max? integer size of the write-ahead log that is checkpointed; default 16777216

--- Opens a sender. A missing store is an error unless `create` is set.
---@param given? loyalhook.SenderOptions what to open
---@return loyalhook.Sender? sender it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function sender.open(given) end

-- ---- accepting events

--- Where an event belongs.
---@class loyalhook.Place
---@field account? string whose event it is
---@field idempotency_key? string the same key, type and data give the first id again
---@field id? string the event's id, 24 lower-case hex digits; a key too

--- Accepts one event: a payload, or a table with event_type and data (a table) or data_json (text).
--- It is durable when this returns.
---@param event loyalhook.Payload|table what happened
---@param place? loyalhook.Place where it belongs
---@return string? id of the event
---@return string? message why it was refused; nothing is stored then
---@return loyalhook.Code|"duplicate"|nil code of the failure, or "duplicate" beside an id
function Sender:emit(event, place) end

--- Accepts one event whose data is JSON text, kept byte for byte.
---@param event_type string its type
---@param data_json string one JSON object
---@param place? loyalhook.Place where it belongs
---@return string? id of the event
---@return string? message why it was refused
---@return loyalhook.Code|"duplicate"|nil code of the failure, or "duplicate" beside an id
function Sender:emit_json(event_type, data_json, place) end

--- Accepts many events in one transaction, in order, all or none; at most 10,000. An entry is a
--- payload, { payload, account = … }, or a table with event_type, data or data_json, and a place.
---@param list table[] the events
---@return string[]? ids in the order of the list
---@return string? message why none was stored
---@return loyalhook.Code? code of the failure
---@return integer? index of the event that is to blame
function Sender:emit_many(list) end

--- What became of one event of emit_each.
---@class loyalhook.EmitResult
---@field id? string of an event that is stored
---@field duplicate? boolean it was known already
---@field code? loyalhook.Code of an event that was refused
---@field message? string why it was refused

--- Accepts what is good of many events in one transaction. Entries as for emit_many.
---@param list table[] the events
---@return loyalhook.EmitResult[]? results in the order of the list
---@return string? message why nothing could be stored at all
---@return loyalhook.Code? code of the failure
function Sender:emit_each(list) end

-- ---- webhooks

--- Which webhook is meant.
---@class loyalhook.Which
---@field account? string tells webhooks of one name apart
---@field if_revision? integer only if it is at this revision still; else "revision"
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"

--- Creates a webhook. name, url and event_types are required.
---@param given loyalhook.WebhookSettings what it shall be
---@param which? loyalhook.By who makes it
---@return loyalhook.Webhook? webhook with its secret, which is shown only here
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:create_webhook(given, which) end

--- Which webhooks are listed.
---@class loyalhook.WebhooksFilter
---@field account? string only this account's; default all
---@field with_deleted? boolean deleted ones too
---@field after? string only those behind the webhook with this id, which may be deleted by now
---@field limit? integer 1 to 1000; default all

--- All webhooks, oldest first.
---@param filter? loyalhook.WebhooksFilter which ones
---@return loyalhook.Webhook[]? webhooks them
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:webhooks(filter) end

--- One webhook.
---@param id_or_name string its id or name
---@param account? string only among this account's
---@return loyalhook.Webhook? webhook it
---@return string? message why not
---@return loyalhook.Code? code "not_found", or "conflict" if several have the name
function Sender:webhook(id_or_name, account) end

--- Changes some fields. New event_types hold for events emitted from now on, all else for each
--- attempt that starts from now on; an empty retry_schedule or headers takes them away.
---@param id_or_name string its id or name
---@param given loyalhook.WebhookSettings the fields to change, without account and secret
---@param which? loyalhook.Which where the name needs it
---@return loyalhook.Webhook? webhook as it is now
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:update_webhook(id_or_name, given, which) end

--- How a webhook is enabled.
---@class loyalhook.EnableOptions
---@field account? string where the name needs it
---@field if_revision? integer only if it is at this revision still; else "revision"
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"
---@field retry_failed? boolean retry what failed because of the pause that ends

--- Delivers to a paused or disabled webhook again, events emitted from now on. What failed stays
--- failed until it is retried.
---@param id_or_name string its id or name
---@param which? loyalhook.EnableOptions how
---@return loyalhook.Webhook? webhook as it is now
---@return loyalhook.Job|string|nil job that retries, with retry_failed; or why not
---@return loyalhook.Code? code of the failure
function Sender:enable_webhook(id_or_name, which) end

--- Stops a webhook: what was accepted for it fails, later events are not recorded for it.
---@param id_or_name string its id or name
---@param which? loyalhook.Which where the name needs it
---@return loyalhook.Webhook? webhook as it is now
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:disable_webhook(id_or_name, which) end

--- Deletes a webhook for good, like disabling it. Its name and URL are free again.
---@param id_or_name string its id or name
---@param which? loyalhook.Which where the name needs it
---@return loyalhook.Webhook? webhook as it is now
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:delete_webhook(id_or_name, which) end

--- How a secret is rotated.
---@class loyalhook.Rotation
---@field account? string where the name needs it
---@field if_revision? integer only if it is at this revision still; else "revision"
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"
---@field secret? string the new one; without it one is made
---@field overlap_s? integer so long the present secret signs; default 86400, 0 at once

--- Gives a webhook a new secret; the present one signs for a while.
---@param id_or_name string its id or name
---@param given? loyalhook.Rotation how
---@return loyalhook.Webhook? webhook with the new secret, which is shown only here
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:rotate_secret(id_or_name, given) end

--- How a webhook is tried.
---@class loyalhook.Trial
---@field account? string where the name needs it
---@field event_type? string of the sample; default: the first it wants
---@field seed? integer which sample
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"

--- What came of trying a webhook.
---@class loyalhook.TrialResult
---@field delivered boolean whether the answer counts
---@field webhook_id string which webhook
---@field url string where it was sent
---@field request_id string of this one request
---@field event_id string of the sample
---@field event_type string of the sample
---@field outcome string what became of the attempt
---@field status? integer the HTTP status
---@field duration_ms integer how long it took
---@field error? string what went wrong
---@field response? string the beginning of the answer

--- Sends one sample event as a worker would, whatever the webhook's status is. Nothing is stored
--- but who did it.
---@param id_or_name string its id or name
---@param given? loyalhook.Trial how
---@return loyalhook.TrialResult? result what came of it
---@return string? message why no attempt could be made
---@return loyalhook.Code? code of the failure
function Sender:test_webhook(id_or_name, given) end

-- ---- what became of events

--- The log of requests, newest first. A page may hold fewer than asked for and still have a next
--- one.
---@param filter? loyalhook.RequestsFilter which ones
---@return loyalhook.Request[]? requests of this page
---@return string? following cursor of the next page, nil at the end; or why not
---@return loyalhook.Code? code of the failure
function Sender:requests(filter) end

--- One request with its attempts.
---@param request_id string its id
---@return loyalhook.Request? request it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:request(request_id) end

--- The exact bytes of a request's body, which every attempt sends.
---@param request_id string its id
---@return string? body the envelope
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:request_body(request_id) end

--- One event.
---@param event_id string its id
---@return loyalhook.Event? event it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:event(event_id) end

--- Why an event was delivered, or was not (yet), webhook by webhook.
---@param event_id string its id
---@return loyalhook.Explanation? found the answer
---@return string? message why there is none
---@return loyalhook.Code? code "not_found" also for one that retention has cut
function Sender:explain(event_id) end

--- Figures of the store, of one account, or of one webhook.
---@param given? loyalhook.StatsFilter|string which; or a webhook's id or name
---@param account? string where that name needs it
---@return loyalhook.Stats? figures of what is meant
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:stats(given, account) end

--- What was done in equal spans of time, oldest first; kept for a week.
---@param given loyalhook.SeriesFilter which
---@return loyalhook.SeriesPoint[]? points one a step
---@return integer|string|nil complete_from_ms what lies before is not all; or why there is none
---@return loyalhook.Code? code of the failure
function Sender:series(given) end

--- Numbers that only rise, for monitors.
---@return table<string, integer|table>? totals counts, and lengths of time
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:totals() end

--- Whether the store can do its work now.
---@return table? vitals { workers, key_present, writable, notices_last }
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:vitals() end

-- ---- manual retry

--- What became of one request that was to be retried.
---@class loyalhook.RetryOutcome
---@field request_id string which
---@field outcome "retried"|"not_failed"|"refused"|"unknown" what happened
---@field message? string what to do about a refusal

--- Retries failed requests now, each with a fresh budget of attempts.
---@param ids string[] request ids; up to 1000 are one transaction
---@param given? loyalhook.RetryScope whose
---@return loyalhook.RetryOutcome[]? outcomes each id once, in order
---@return string? message why not
---@return loyalhook.Code? code of the failure
---@return loyalhook.RetryOutcome[]? before the outcomes of the transactions before the failing one
function Sender:retry(ids, given) end

--- Retries all failed requests, or some, as a job that workers work off.
---@param given? loyalhook.RetryFilter which ones
---@return loyalhook.Job|table|nil job or { dry_run = true, total } of a dry run
---@return string? message why not
---@return loyalhook.Code? code "refused": the named webhook is not enabled
function Sender:retry_failed(given) end

--- How far a job is.
---@param id string its id
---@return loyalhook.Job? job it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:job(id) end

--- Makes one bounded step of a job, as workers do by themselves.
---@param id string its id
---@return loyalhook.Job? job after the step
---@return boolean|string|nil made false: a worker is at it, or it is over; else the message why not
---@return loyalhook.Code? code of the failure
function Sender:job_step(id) end

--- Which jobs are listed.
---@class loyalhook.JobsFilter
---@field limit? integer 1 to 1000, default 50

--- The jobs, newest first.
---@param given? loyalhook.JobsFilter which ones
---@return loyalhook.Job[]? jobs them
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:jobs(given) end

-- ---- notices and accounts

--- Which notices are listed.
---@class loyalhook.NoticesFilter
---@field account? string only this account's
---@field webhook? string only this webhook's: id or name
---@field since? string|number made since then: RFC 3339, "2h", "7d", or milliseconds
---@field limit? integer 1 to 1000, default 50
---@field after? string cursor of the page before

--- Notices, newest first: each failed request and each pause.
---@param filter? loyalhook.NoticesFilter which ones
---@return loyalhook.Notice[]? notices them
---@return string? next cursor of the next page; or why not
---@return loyalhook.Code? code of the failure
function Sender:notices(filter) end

--- Which accounts are listed.
---@class loyalhook.AccountsPage
---@field limit? integer 1 to 1000, default 50
---@field after? string the last name of the page before

--- Accounts by name.
---@param page? loyalhook.AccountsPage which ones
---@return loyalhook.Account[]? accounts them
---@return string? next name to go on after; or why not
---@return loyalhook.Code? code of the failure
function Sender:accounts(page) end

--- One account.
---@param name string which one
---@return loyalhook.Account? account it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:account(name) end

--- What can be said of an account.
---@class loyalhook.AccountSettings
---@field notify string[]|false who gets its mails; false: those that the configuration names
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"

--- Says who gets an account's mails. Makes the account if it is not there.
---@param name string which one
---@param given loyalhook.AccountSettings what about it
---@return loyalhook.Account? account after the change
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:set_account(name, given) end

-- ---- care

--- The sender's catalogue of event types.
---@return loyalhook.Catalogue catalogue it
function Sender:events() end

--- State of the store for people: integrity, key file, sizes.
---@param full? boolean read every page
---@return table? health what was found
---@return string? message why nothing
---@return loyalhook.Code? code of the failure
function Sender:health(full) end

--- Writes a consistent copy of the store, not of its key file, to a new file.
---@param path string the file
---@return true? done
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Sender:backup(path) end

--- Whether the key file is there and every secret decrypts.
---@return true? good
---@return string? message what is wrong
---@return loyalhook.Code? code of the failure
function Sender:key_check() end

--- Closes the store. Closing again does nothing.
function Sender:close() end

return sender
