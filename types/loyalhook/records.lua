---@meta _

--- What the library returns of webhooks, requests, attempts and events. Fields that have no value
--- are nil; times are RFC 3339 in UTC with milliseconds. The command line prints the same names.
---@class loyalhook.records
local records = {}

--- A configured destination.
---@class loyalhook.Webhook
---@field id string 24 hex digits
---@field account string whose events it gets
---@field name string unique in its account
---@field url string where requests are posted
---@field status "enabled"|"paused"|"disabled"|"deleted" what becomes of its events
---@field status_reason? string why it is paused: failures or secret_unreadable
---@field status_since string when its status was set
---@field event_types string[] types, "category:NAME" or "*"
---@field batch_size integer events in one request at most
---@field batch_bytes_max integer bytes of one request's body at most
---@field batch_wait_ms integer so long is waited to fill a batch
---@field retries_max integer retries after the first attempt
---@field retry_interval_s integer seconds between attempts
---@field retry_schedule? integer[] seconds before each retry, instead of the interval
---@field pause_after integer so many failed requests in a row pause it; 0 never
---@field failed_in_a_row integer failed requests since the last delivered one
---@field timeout_ms integer time for one attempt
---@field max_in_flight integer attempts at once over all workers
---@field ordered boolean one request after the other
---@field success "200"|"2xx" which answers count
---@field scheme "zinrelo"|"standard" how requests are signed
---@field headers? table<string, string> sent with each request
---@field created_at string when it was created
---@field updated_at string when it was last changed
---@field revision integer rises with each change, also a pause; for if_revision
---@field secret? string only where it was made or changed: nothing else shows it
---@field secret_rotates_at? string until then the secret before a rotation signs

--- What create_webhook takes; update_webhook takes the same but account and secret.
---@class loyalhook.WebhookSettings
---@field account? string default: the sender's
---@field name? string 1 to 100 bytes, unique in the account
---@field url? string unique in the account
---@field secret? string 16 to 256 bytes; without one it is made
---@field scheme? "zinrelo"|"standard" default "zinrelo"
---@field success? "200"|"2xx" default "200"
---@field event_types? string[] types, "category:NAME" or "*"
---@field headers? table<string, string> sent with each request
---@field retry_schedule? integer[] seconds before each retry
---@field ordered? boolean default false
---@field batch_size? integer 1 to 1000, default 100
---@field batch_bytes_max? integer default 1000000
---@field batch_wait_ms? integer 0 to 60000, default 0
---@field retries_max? integer 0 to 100, default 5
---@field retry_interval_s? integer 1 to 86400, default 300
---@field pause_after? integer 0 to 1000, default 5
---@field timeout_ms? integer 100 to 300000, default 30000
---@field max_in_flight? integer 1 to 1024, default 4

--- One batch of events on its way to one webhook.
---@class loyalhook.Request
---@field request_id string 24 hex digits, the same at every attempt
---@field webhook_id string where it goes
---@field state "pending"|"sending"|"retrying"|"delivered"|"failed" how far it is
---@field reason? string why it failed
---@field total_count integer how many events it has
---@field event_ids string[] their ids, in emit order
---@field attempts_made integer attempts of its life
---@field next_attempt_at? string when it is due
---@field created_at string when it was formed
---@field finished_at? string when it was delivered or failed
---@field attempts? loyalhook.Attempt[] only where one request is asked for

--- One HTTP exchange for a request.
---@class loyalhook.Attempt
---@field number integer from 1, over the life of the request
---@field started_at string when its lease was taken
---@field duration_ms? integer nil if nobody saw its end
---@field status? integer the HTTP status, nil if no answer came
---@field error? string what went wrong, in words
---@field url string where it was sent
---@field nonce string what was signed with the body
---@field sent? boolean whether anything of it left; nil if that is not known
---@field headers? table<string, string> ours: what was sent, or would have been; nil: not known
---@field header_names? string[] their names, in the order sent
---@field response? string the first 4 KiB of the answer's body

--- Something that happened.
---@class loyalhook.Event
---@field id string 24 hex digits
---@field event_type string its type
---@field account string whose it is
---@field created_at string when it was accepted
---@field data table its data, decoded
---@field data_json string the exact bytes of its data

--- A retry of many requests, worked off in steps.
---@class loyalhook.Job
---@field id string its id
---@field account? string only this account's
---@field webhook_id? string only this webhook's
---@field since? string only those created since then
---@field until? string only those created before then
---@field reason? string only those that failed for this
---@field created_at string when it was ordered
---@field total? integer how many there are, once it is known
---@field retried integer so many are done
---@field left_over integer so many were left, because their webhook is not enabled any more
---@field finished_at? string when it was over

--- What an administrator must hear of.
---@class loyalhook.Notice
---@field id integer its number; newer ones are higher
---@field kind "failed"|"paused" a request failed, or a webhook was paused
---@field account string whose webhook it is
---@field webhook_id string which webhook
---@field webhook_name string its name now
---@field request_id? string the request that failed
---@field reason string why the request failed, or why the webhook was paused
---@field created_at string when it happened
---@field mailed boolean a mail server has taken over a mail that tells of it

--- A merchant of the platform.
---@class loyalhook.Account
---@field name string its name
---@field notify? string[] who gets its mails; nil: those that the configuration names
---@field webhooks integer how many it has

--- What became of an event at one webhook.
---@class loyalhook.ExplainedWebhook
---@field webhook_id string which webhook
---@field name string its name
---@field status string its status now
---@field verdict string in one word
---@field explanation string in a sentence
---@field hint? string the command that helps
---@field subscribed? boolean whether it wanted the event
---@field span? table { mode, reason, event_types, since } of the span that decided
---@field request? loyalhook.Request in which it is; each attempt has an explanation

--- What became of an event.
---@class loyalhook.Explanation
---@field event table { id, event_type, account, created_at }
---@field explanation? string what holds for all webhooks
---@field workers integer how many are alive
---@field webhooks loyalhook.ExplainedWebhook[] of the event's account

--- Lengths of time in milliseconds that so many of a hundred do not exceed.
---@class loyalhook.Percentiles
---@field p50 integer half of them
---@field p95 integer 95 of a hundred
---@field p99 integer 99 of a hundred

--- What was done lately.
---@class loyalhook.Recent
---@field since string where it begins
---@field delivered integer requests
---@field delivered_events integer in them
---@field failed integer requests
---@field attempts integer how many
---@field failed_attempts integer of them without success
---@field delivered_per_hour integer requests
---@field failed_per_hour integer requests
---@field attempt_ms? loyalhook.Percentiles of one HTTP exchange
---@field delivery_ms? loyalhook.Percentiles from emit to the answer that was a success

--- Figures of one webhook.
---@class loyalhook.WebhookStats
---@field webhook_id string which one
---@field account string its account
---@field name string its name
---@field status string its status
---@field waiting integer matching events in no request yet
---@field waiting_at_least? boolean counting stopped at a limit
---@field requests table<string, integer> by state
---@field attempts integer in the log
---@field oldest_undelivered_at? string when the oldest event not finished was emitted
---@field last_delivered_at? string when a request was delivered last
---@field recent loyalhook.Recent what it did lately

--- Figures of what was received.
---@class loyalhook.InboxStats
---@field events integer in the inbox; old ones between kept failed ones count too
---@field tasks table<string, integer> by state
---@field oldest_unfinished_at? string when the oldest event with an unfinished task was received

--- Figures of the store, and of the webhooks meant, together and each.
---@class loyalhook.Stats
---@field events integer in the log of the store
---@field webhooks integer not deleted, of the store
---@field accounts integer of the store
---@field database_bytes integer size of its file
---@field wal_bytes integer size of its write-ahead log
---@field waiting integer matching events in no request yet
---@field waiting_at_least? boolean counting stopped at a limit
---@field requests table<string, integer> by state
---@field attempts integer in the log
---@field oldest_undelivered_at? string when the oldest event not finished was emitted
---@field last_delivered_at? string when a request was delivered last
---@field recent loyalhook.Recent what was done lately
---@field inbox? loyalhook.InboxStats of the store; absent if nothing was ever received
---@field per_webhook? loyalhook.WebhookStats[] unless one webhook is meant
---@field more? boolean there are more webhooks than rows

return records

--- An event that was received: a row of the inbox.
---@class loyalhook.Received
---@field id string the sender's id of it
---@field source string who sent it
---@field event_type string its type
---@field received_at string when it was accepted
---@field state "pending"|"failed"|"done" failed if a task is; pending if one is not finished
---@field tasks loyalhook.Task[] one for each handler that came to it
---@field member_id? string of its member; only where one event is asked for
---@field data? table its data, decoded; only where one event is asked for
---@field data_json? string the exact bytes that came; only where one event is asked for

--- One event's turn with one handler.
---@class loyalhook.Task
---@field handler string the handler's name
---@field state "pending"|"running"|"retrying"|"done"|"failed" how far it is
---@field reason? string why it failed: retries_exhausted, refused, unknown, poison or forgotten
---@field attempts_made integer attempts of its life
---@field next_attempt_at? string when it is due
---@field waits boolean for an earlier task of the same member
---@field error? string what the handler said last

--- A handler that a worker has loaded once.
---@class loyalhook.KnownHandler
---@field name string its name
---@field event_types string[] what it wants; "*" is everything
---@field behind integer events of the inbox that it has not come to yet
---@field tasks table<string, integer> how many it has in each state
---@field loaded_at string when a worker last had it
---@field created_at string when a worker first had it

--- A program's token for the API.
---@class loyalhook.Token
---@field id string its id
---@field name string what it is for
---@field account? string only this account; nil: all
---@field scope "read"|"write" whether it may change something
---@field created_at string when it was made
---@field last_used_at? string right to ten minutes
---@field revoked_at? string since then it is refused
---@field token? string its text; only where it is made: nothing else shows it

--- A user of the console.
---@class loyalhook.User
---@field user string the name
---@field role "viewer"|"admin" who looks, or who does everything
---@field disabled boolean whether the user may not sign in
---@field created_at string when it was added
---@field last_seen_at? string of the logins that hold, right to five minutes

--- An entry of the audit log.
---@class loyalhook.AuditEntry
---@field id integer its number
---@field at string when it was
---@field who string "user:NAME", "token:ID", "command line"
---@field what string such as "webhook.edit"
---@field object? string an id or a name
---@field account? string whose it is
---@field detail? table what was set

-- ---- what lists and retries are asked for

--- Which requests are listed.
---@class loyalhook.RequestsFilter
---@field state? string pending, sending, retrying, delivered or failed
---@field webhook? string id or name
---@field account? string only this account's
---@field event? string id of an event that it has
---@field member? string id of a member that one of its events is about
---@field event_type? string type of an event that it has, if that is still kept
---@field since? string|number RFC 3339, "30m", "2h", "7d", or milliseconds since 1970
---@field until? string|number the same; only those from before then
---@field limit? integer 1 to 1000, default 50
---@field after? string the cursor of the page before

--- Which figures.
---@class loyalhook.StatsFilter
---@field webhook? string id or name
---@field account? string only this account's, or where the name needs it
---@field since? string|number where `recent` begins, default "1h", at most "7d"

--- Which figures over time. The three numbers are whole multiples of 300,000, but for to_ms.
---@class loyalhook.SeriesFilter
---@field webhook? string id
---@field account? string only this account's
---@field from_ms integer begin of the first point
---@field to_ms integer no point begins later
---@field step_ms integer length of a point; at most 2016 points

--- What was done in a span of time.
---@class loyalhook.SeriesPoint
---@field from_ms integer|string begin of the span
---@field delivered integer requests
---@field delivered_events integer events in them
---@field failed integer requests
---@field attempts integer HTTP exchanges
---@field failed_attempts integer of them without success
---@field attempt_ms? loyalhook.Percentiles how long they took
---@field delivery_ms? loyalhook.Percentiles from emit to delivery

--- Which failed requests are retried.
---@class loyalhook.RetryFilter
---@field webhook? string id or name
---@field account? string only this account's
---@field since? string|number created since then; as for requests
---@field until? string|number created before then
---@field reason? string failed for this: retries_exhausted, worker_lost, paused, disabled, deleted
---@field dry_run? boolean only count them
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"

--- Whose requests may be retried.
---@class loyalhook.RetryScope
---@field account? string those of other accounts are unknown
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"
