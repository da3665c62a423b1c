---@meta loyalhook.handlers.email

--- Mails to a programme's members. In loyalhook.lua: handlers = { { use = "email", … } }.
---@class loyalhook.handlers.email
local email = {}

--- How mails of one type read. What is left out is the default's.
---@class loyalhook.EmailTemplate
---@field subject? string one line
---@field text? string the text; without an html of one's own it goes alone
---@field html? string|false a page; false: text alone
---@field needs? string[] names without which the mail is not sent but fails: { "otp_info.pin" }

--- How members get no more mails (RFC 2369, RFC 8058).
---@class loyalhook.Unsubscribe
---@field url? string https://…, a template: "https://shop.example/out?m={{member_info.id}}"
---@field mailto? string an address

--- Who is mailed about what, through which server, in which words.
---@class loyalhook.EmailOptions
---@field event_types string[] the types that are mailed; "*" and categories are not taken
---@field smtp loyalhook.SmtpOptions the mail server
---@field from_name? string shown beside the sender's address; default program.name
---@field reply_to? string the address that answers go to
---@field program? table<string, string> {{program.name}}, url, support, address and any others
---@field templates? table<string, loyalhook.EmailTemplate> by event type
---@field template_folder? string folder with TYPE.subject, TYPE.txt and TYPE.html
---@field fields? string[] names that templates may use beside the published ones
---@field unsubscribe? loyalhook.Unsubscribe how members get no more of them
---@field max_age_s? table<string, number|false> by type; default 600 s for codes
---@field transactional? string[] types that unsubscribed members get too, as they get codes
---@field name? string default "email"; of two of them each needs its own
---@field concurrency? number mails at once, over all workers; default 8
---@field rate? table { count =, per_s = }: mails begun, over all workers
---@field tries? number attempts of one mail
---@field timeout_s? number of one attempt
---@field from? string where a new handler begins: "head" or "start"
---@field serial? string|boolean "member": a member's mails one after the other
---@field when_unknown? string "retry" (the default: a copy has the same Message-ID) or "fail"

--- A handler that mails members.
---@param given loyalhook.EmailOptions the options
---@return table? handler for a worker
---@return string? message why not
---@return loyalhook.Code? code of the failure
function email.new(given) end

--- The sources of a type's default templates, to begin one's own with.
---@param event_type string its name
---@return loyalhook.EmailTemplate? template nil: the type has none
function email.template(event_type) end

--- What a mail of a type would say. Sends nothing.
---@param given table the options of new that matter: program, templates, template_folder, …
---@param event_type string its name
---@param data? table of an event; default a sample
---@return loyalhook.EmailTemplate? mail subject, text and html as they would arrive
---@return string? message why not
---@return loyalhook.Code? code of the failure
function email.preview(given, event_type, data) end

return email
