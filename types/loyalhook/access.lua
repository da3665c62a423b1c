---@meta loyalhook.access

--- Who may use the API and the console: tokens of programs, users with their logins, and the audit
--- log. Of tokens and logins the store has hashes only.
---@class loyalhook.access
local access = {}

--- One view of a store. It belongs to the process that opened the store.
---@class loyalhook.Access
local Access = {}

--- What access.new takes.
---@class loyalhook.AccessOf
---@field store userdata an open store: that of a sender or a receiver
---@field now_ms? fun(): integer the time; default: the system's

--- What access.open takes.
---@class loyalhook.AccessOptions
---@field store? string "sqlite:PATH" or a path; default "sqlite:loyalhook.db"
---@field key_file? string default: the store's path with .key
---@field create? boolean make a missing store and its key file
---@field as_is? boolean refuse a store of an older version instead of bringing it up to date
---@field now_ms? fun(): integer the time; default: the system's

--- Over a store that is open already. Closing it leaves the store open.
---@param given loyalhook.AccessOf which store
---@return loyalhook.Access access it
function access.new(given) end

--- Opens a store for this alone.
---@param given? loyalhook.AccessOptions what to open
---@return loyalhook.Access? access it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function access.open(given) end

--- Who changes something, for the audit log: noted in the transaction of the change.
---@class loyalhook.Actor
---@field who string "user:NAME", "token:ID", "command line"; what a program calls itself
---@field detail? string JSON text of an object, never with a secret; default: what is set

--- Who does it.
---@class loyalhook.By
---@field by? loyalhook.Actor who does it, for the audit log; default "lua"

-- ---- tokens of programs

--- What a token may do.
---@class loyalhook.NewToken
---@field name string what it is for; one token that holds has a name
---@field account? string only this account; default: all
---@field scope "read"|"write" whether it may change something

--- Makes a token.
---@param given loyalhook.NewToken what it may do
---@param by? loyalhook.Actor who makes it
---@return loyalhook.Token? token with its text, which is shown only here
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:create_token(given, by) end

--- All tokens, revoked ones too, oldest first.
---@return loyalhook.Token[]? tokens them
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:tokens() end

--- Revokes a token: it is refused from now on.
---@param id_or_name string its id or name, not its text
---@param by? loyalhook.Actor who does it
---@return loyalhook.Token? token as it is now
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:revoke_token(id_or_name, by) end

--- Whose token a text is.
---@param text string what a program sent
---@return loyalhook.TokenHolder? token id, name, account (nil: all), scope
---@return string? message why it is refused
---@return loyalhook.Code? code "denied" if it is none, or revoked
function Access:check_token(text) end

--- A token that was recognised.
---@class loyalhook.TokenHolder
---@field id string its id
---@field name string what it is for
---@field account? string its account; nil: all
---@field scope "read"|"write" whether it may change something

--- Counts a wrong try of an address, such as an unknown token.
---@param address string whose
---@return boolean? counted true
---@return string? message why the next one has to wait
---@return loyalhook.Code? code "too_many": it was not counted
---@return integer? wait_ms how long to wait
function Access:knock(address) end

--- Takes back what was counted of an address: it was right after all.
---@param address string whose
---@return boolean? done true
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:welcome(address) end

-- ---- users

--- A new user.
---@class loyalhook.NewUser
---@field user string the name: A-Z a-z 0-9 . _ @ + -, found in any case
---@field password string 12 bytes at least
---@field role "viewer"|"admin" who looks, or who does everything

--- Adds a user. The first one must be an admin.
---@param given loyalhook.NewUser whom
---@param by? loyalhook.Actor who does it
---@return loyalhook.User? user it
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:add_user(given, by) end

--- All users by name.
---@return loyalhook.User[]? users them
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:users() end

--- What is changed of a user.
---@class loyalhook.UserChange
---@field role? "viewer"|"admin" who looks, or who does everything
---@field disabled? boolean whether the user may not sign in
---@field password? string 12 bytes at least

--- Changes a user; that ends the user's logins.
---@param name string the user's name
---@param given loyalhook.UserChange what is changed
---@param by? loyalhook.Actor who does it
---@return loyalhook.User? user as it is now
---@return string? message why not
---@return loyalhook.Code? code "refused" if no enabled admin would be left
function Access:set_user(name, given, by) end

--- Removes a user with its logins.
---@param name string the user's name
---@param by? loyalhook.Actor who does it
---@return loyalhook.User? user as it was
---@return string? message why not
---@return loyalhook.Code? code "refused" if no enabled admin would be left
function Access:remove_user(name, by) end

-- ---- signing in and out

--- Somebody who says who it is.
---@class loyalhook.SignIn
---@field user string the name, in any case
---@field password string the password
---@field address? string of the browser: wrong tries are counted for it, and for the user

--- A browser that is signed in.
---@class loyalhook.SignedIn
---@field login string the text for its cookie
---@field csrf string what its pages send back with each change
---@field user string the user's name
---@field role "viewer"|"admin" who looks, or who does everything

--- Signs a user in.
---@param given loyalhook.SignIn who it is
---@return loyalhook.SignedIn? login it
---@return string? message why not
---@return loyalhook.Code? code "denied", "too_many"
---@return integer? wait_ms of "too_many": how long to wait
function Access:sign_in(given) end

--- A login that holds.
---@class loyalhook.Login
---@field user string the user's name
---@field role "viewer"|"admin" who looks, or who does everything
---@field csrf string what its pages send back with each change
---@field created_at string when it began
---@field expires_at string when it ends if it is not used again

--- Whose login a cookie's text is.
---@param text string the cookie
---@return loyalhook.Login? login it
---@return string? message why it is refused
---@return loyalhook.Code? code "denied" if it is none, or over
function Access:check_login(text) end

--- Ends a login.
---@param text string the cookie
---@param by? loyalhook.Actor who does it
---@return boolean? done true, also if it was none
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:sign_out(text, by) end

--- A user who changes the password.
---@class loyalhook.PasswordChange
---@field user string the name
---@field password string the present one
---@field new_password string 12 bytes at least
---@field address? string of the browser

--- Gives a user who knows the present password another one; all its logins end.
---@param given loyalhook.PasswordChange the passwords
---@return boolean? done true
---@return string? message why not
---@return loyalhook.Code? code "denied", "too_many", "invalid"
---@return integer? wait_ms of "too_many": how long to wait
function Access:change_password(given) end

-- ---- the first user

--- Whether there is no user yet.
---@return boolean? needed whether a first-run token makes the first one
---@return string? message why that cannot be told
---@return loyalhook.Code? code of the failure
function Access:needs_first_run() end

--- How a console begins anew.
---@class loyalhook.FirstRunOptions
---@field remove_users? boolean remove all users first

--- Makes a first-run token, good for a day.
---@param given? loyalhook.FirstRunOptions how
---@param by? loyalhook.Actor who does it
---@return string? text of the token, which is shown only here
---@return string? message why not
---@return loyalhook.Code? code "refused" if there are users
function Access:make_first_run(given, by) end

--- The first user.
---@class loyalhook.FirstRun
---@field token string that make_first_run made
---@field user string the name
---@field password string 12 bytes at least
---@field address? string of the browser

--- Makes the first user, an admin, and signs it in.
---@param given loyalhook.FirstRun who it is
---@return loyalhook.SignedIn? login it
---@return string? message why not
---@return loyalhook.Code? code "denied", "refused" if there is a user already, "too_many" …
---@return integer? wait_ms of "too_many": how long to wait
function Access:first_run(given) end

-- ---- the audit log

--- An entry of the audit log.
---@class loyalhook.Note
---@field who string "user:NAME", "token:ID", "command line"
---@field what string such as "webhook.edit"
---@field object? string an id or a name
---@field account? string whose it is
---@field detail? string JSON text of an object, never with a secret

--- Adds an entry. What an access does itself is noted by itself.
---@param given loyalhook.Note what was done
---@return boolean? noted true
---@return string? message why not
---@return loyalhook.Code? code of the failure
function Access:note(given) end

--- Which entries are listed.
---@class loyalhook.AuditFilter
---@field who? string whose
---@field what? string such as "webhook.edit"; "webhook." for all that begin so
---@field object? string an id or a name
---@field account? string whose it is
---@field since? string|number RFC 3339, "30m", "2h", "7d", or milliseconds since 1970
---@field limit? integer 1 to 1000, default 50
---@field after? string the cursor of the page before

--- The audit log, newest first.
---@param filter? loyalhook.AuditFilter which entries
---@return loyalhook.AuditEntry[]? entries of this page
---@return string? following cursor of the next page, nil at the end; or why not
---@return loyalhook.Code? code of the failure
function Access:audit(filter) end

--- Closes the store if access.open opened it.
function Access:close() end

return access
