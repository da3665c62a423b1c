---@meta loyalhook.worker

--- Delivers a sender's requests, mails notices, and runs handlers of received events. Any number of
--- workers, in any number of processes, share one store.
---@class loyalhook.worker
local worker = {}

--- One sender has one worker.
---@class loyalhook.Worker
local Worker = {}

--- What worker.new takes.
---@class loyalhook.WorkerOptions
---@field sender? loyalhook.Sender whose requests are delivered
---@field receiver? loyalhook.Receiver whose store is worked on, if there is no sender
---@field handlers? loyalhook.Handler[] what reacts to received events
---@field types? table[] event types of one's own that handlers may name; default: the sender's
---@field concurrency? integer requests in flight at most; default 256
---@field retention_days? integer how long events and delivered requests are kept; default 30
---@field failed_retention_days? integer how long failed requests are kept; default 90
---@field dedupe_days? integer how long ids of received events are remembered; default 180
---@field log? fun(level: string, message: string, fields: table?) takes log messages
---@field log_level? "debug"|"info"|"warn"|"error" of the built-in log; default "info"
---@field log_format? "text"|"json" of the built-in log; default "text"
---@field allow_http? boolean default: the sender's, else false
---@field allow_networks? string[] default: the sender's
---@field ca_file? string default: the sender's
---@field notices? loyalhook.NoticesOptions who gets mails about notices, and how

--- Mails about notices; without smtp they are only listed.
---@class loyalhook.NoticesOptions
---@field smtp? loyalhook.SmtpOptions the mail server
---@field to? string[] who gets the mails of accounts without addresses of their own

--- A mail server.
---@class loyalhook.SmtpOptions
---@field url string smtp://host:port, or smtps://host:port for TLS from the first byte
---@field from string address that the mails come from
---@field user? string who signs in
---@field password? string of that user
---@field password_file? string file with it, read for each mail
---@field tls? "starttls"|"smtps"|"none" default: as the url says

--- A worker for a sender's store. Fails without the store's key file.
---@param given loyalhook.WorkerOptions what it works on
---@return loyalhook.Worker? worker it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function worker.new(given) end

--- A finished attempt.
---@class loyalhook.Finished
---@field request_id string which request
---@field webhook_id string where it went
---@field attempt integer its number
---@field total_count integer how many events it had
---@field outcome string what became of it
---@field status integer the HTTP status, 0 if no answer came
---@field duration_ms integer how long it took
---@field error string what went wrong, or empty
---@field state string of the request now
---@field reason string why it failed, or none
---@field next_attempt_ms integer when it is due again
---@field paused_webhook boolean this result paused the webhook

--- How a mail ended.
---@class loyalhook.MailEnd
---@field number integer which one of this worker
---@field verdict "accepted"|"refused"|"unknown" what the mail server said, or that it said nothing
---@field stage "server"|"sender"|"recipient"|"message" what it was about when it ended
---@field outcome string of the exchange
---@field status? integer the SMTP code
---@field duration_ms integer how long it took
---@field error? string what went wrong, or who was refused

--- How an HTTP request of a handler ended.
---@class loyalhook.CallEnd
---@field number integer which one of this worker
---@field outcome string of the exchange; "answered": the whole answer, or all that was wanted of it
---@field status integer the HTTP status, 0 if none came
---@field sent boolean false: no byte of the request has left this machine
---@field duration_ms integer how long it took
---@field retry_after_ms integer what the answer asked for, 0 if nothing
---@field headers string[][] name in lower case and value of each
---@field body string the answer's body, as far as it came and was wanted
---@field truncated boolean the body goes on
---@field error? string what went wrong

--- How an attempt of a handler ended.
---@class loyalhook.TaskEnd
---@field handler string its name
---@field id string of the event
---@field source string of the event
---@field event_type string of the event
---@field attempt integer its number
---@field kind "success"|"failure"|"refusal"|"unknown"|"given_back" what it came to
---@field state? "pending"|"running"|"retrying"|"done"|"failed" of the task now; nil: it is gone
---@field reason? string why it failed
---@field next_attempt_ms? integer when it is due again
---@field error? string what went wrong

--- What happened in one round.
---@class loyalhook.Report
---@field events loyalhook.Finished[] attempts that ended
---@field started integer attempts that began
---@field rescued integer attempts taken over from lost workers
---@field failed_unsent integer requests that failed without an attempt
---@field paused_unreadable integer webhooks paused because their secret does not decrypt
---@field job? table the stored job that a step was made of, as the store has it
---@field mails loyalhook.MailEnd[] mails that ended
---@field calls loyalhook.CallEnd[] HTTP requests of handlers that ended
---@field mail_due boolean a mail about notices is to be sent at once
---@field cleaned_events integer deleted by a run of retention that ended
---@field cleaned_requests integer the same
---@field cleaned_received integer the same, of the inbox
---@field tasks? loyalhook.TaskEnd[] attempts of handlers that were recorded; nil without handlers
---@field shortage? table { message, code }: tasks could not be recorded; they are offered again
---@field in_flight integer attempts, mails, calls and tasks that run now
---@field next_due_ms? integer when something is due; nil if nothing waits
---@field woken boolean something was committed to the store since the last round
---@field idle boolean nothing to do at the moment
---@field signal? "TERM"|"INT"|"HUP" a signal that came, once

--- One bounded round: waits up to timeout_ms if there is nothing to do, records, leases, sends.
--- After "full", "busy", "shortage" and "memory" nothing is lost and stepping may go on.
---@param timeout_ms? integer default 1000
---@return loyalhook.Report? report what happened
---@return string? message why not
---@return loyalhook.Code? code of the failure
---@return string? signal that came during a failed round
function Worker:step(timeout_ms) end

--- What run takes.
---@class loyalhook.RunOptions
---@field until_idle? boolean end when nothing is due or in flight
---@field grace_ms? integer how long a drain waits; default 30000
---@field catch_signals? boolean SIGTERM, SIGINT and SIGHUP drain; default true
---@field on_report? fun(report: loyalhook.Report): string? called after each round; "stop" drains
---@field round_ms? integer how long one round may wait; default 1000

--- Works until it is told to stop.
---@param given? loyalhook.RunOptions how
---@return "drained"|true|nil result "drained" after a signal or a stop, true when idle
---@return string? detail the signal's name; or why it could not go on
---@return loyalhook.Code? code of the failure
function Worker:run(given) end

--- From now on SIGTERM, SIGINT and SIGHUP show in the report; a second one ends the process.
---@return true? done
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Worker:catch_signals() end

--- Stops leasing; steps go on until in_flight is 0.
---@return true done
function Worker:drain() end

--- Ends what is in flight: unsent attempts are given back, others recorded as lost; so are tasks,
--- which are unknown then.
---@return true? done
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Worker:abort() end

--- Aborts what is in flight and ends the worker's session. Sender and receiver stay open.
function Worker:close() end

return worker
