-- Every setting of a deployment in one place: its type, range, default, the
-- environment variable and what it does. config.lua reads by it, template.lua
-- writes the commented loyalhook.lua and the table in the documentation from
-- it. Options of one webhook are not settings; they live in the store.

local settings = {}

local SMTP = {
  { name = "url", kind = "text", environment = "LOYALHOOK_SMTP_URL",
    default_text = "none: notices are only listed",
    description = "Mail server that takes mails about notices: smtp://host:587, or smtps://host "
      .. "for TLS from the first byte." },
  { name = "from", kind = "text", environment = "LOYALHOOK_NOTICES_FROM",
    default_text = "needed with a server",
    description = "Address that these mails come from." },
  { name = "user", kind = "text", environment = "LOYALHOOK_SMTP_USER", default_text = "none",
    description = "Who signs in at the mail server." },
  { name = "password_file", kind = "text", environment = "LOYALHOOK_SMTP_PASSWORD_FILE",
    default_text = "none",
    description = "File with that user's password; read for each mail." },
  { name = "password", kind = "text", default_text = "none",
    description = "The password itself, if loyalhook.lua is for its owner only." },
  { name = "tls", kind = "choice", values = { "starttls", "smtps", "none" },
    environment = "LOYALHOOK_SMTP_TLS", default_text = "as the url says",
    description = "starttls (without it nothing is sent), smtps, or none: mails and password "
      .. "travel in the clear." },
}

-- kind: text, flag, integer (min, max), choice (values), list (of texts), networks (a list of CIDR
-- texts), types, sources and handlers (tables in the file only), table (of `members`, which are
-- settings themselves). No `environment`: cannot be set there.
settings.list = {
  { name = "store", kind = "text", default = "sqlite:loyalhook.db",
    environment = "LOYALHOOK_STORE", example = '"sqlite:/var/lib/loyalhook/loyalhook.db"',
    description = "Where events, webhooks and requests are kept." },
  { name = "key_file", kind = "text", environment = "LOYALHOOK_KEY_FILE",
    example = '"/etc/loyalhook/loyalhook.db.key"', default_text = "the store's path with .key",
    description = "File with the key that encrypts webhook secrets. Keep a copy apart from the "
      .. "store." },
  { name = "account", kind = "text", default = "default", environment = "LOYALHOOK_ACCOUNT",
    example = '"shop-7"',
    description = "Account of events and webhooks that name none." },
  { name = "allow_http", kind = "flag", default = false, environment = "LOYALHOOK_ALLOW_HTTP",
    example = "true",
    description = "Let webhooks have http:// URLs. For development: bodies and signatures "
      .. "travel in the clear." },
  { name = "allow_networks", kind = "networks", environment = "LOYALHOOK_ALLOW_NETWORKS",
    example = '{ "127.0.0.0/8", "10.20.0.0/16" }', default_text = "none",
    description = "Networks (CIDR) that webhooks may reach although they are loopback, private "
      .. "or reserved." },
  { name = "ca_file", kind = "text", environment = "LOYALHOOK_CA_FILE",
    example = '"/etc/ssl/certs/ca-certificates.crt"', default_text = "the system's bundle",
    description = "Certificate authorities that endpoints are checked against." },
  { name = "concurrency", kind = "integer", min = 1, max = 4096, default = 256,
    environment = "LOYALHOOK_CONCURRENCY", example = "256",
    description = "Requests that one worker has in flight at most." },
  { name = "drain_grace_s", kind = "integer", min = 0, max = 3600, default = 30,
    environment = "LOYALHOOK_DRAIN_GRACE_S", example = "30",
    description = "Seconds that a worker told to stop waits for what is in flight." },
  { name = "retention_days", kind = "integer", min = 1, max = 36500, default = 30,
    environment = "LOYALHOOK_RETENTION_DAYS", example = "30",
    description = "Days that events and delivered requests are kept; workers delete them then." },
  { name = "failed_retention_days", kind = "integer", min = 1, max = 36500, default = 90,
    environment = "LOYALHOOK_FAILED_RETENTION_DAYS", example = "90",
    description = "Days that failed requests are kept, with their events, and notices." },
  { name = "dedupe_days", kind = "integer", min = 1, max = 36500, default = 180,
    environment = "LOYALHOOK_DEDUPE_DAYS", example = "180",
    description = "Days that a received event's id is remembered, so that it is not taken twice." },
  { name = "webhooks_max", kind = "integer", min = 1, max = 100000, default = 10,
    environment = "LOYALHOOK_WEBHOOKS_MAX", example = "10",
    description = "Webhooks that one account can have; deleted ones do not count." },
  { name = "wal_bytes_max", kind = "integer", min = 4096, max = 1073741824, default = 16777216,
    environment = "LOYALHOOK_WAL_BYTES_MAX", example = "16777216",
    description = "Size of SQLite's write-ahead log from which it is moved into the database." },
  { name = "log_level", kind = "choice", default = "info", environment = "LOYALHOOK_LOG_LEVEL",
    values = { "debug", "info", "warn", "error" }, example = '"info"',
    description = "Least important messages that a worker prints: debug, info, warn or error." },
  { name = "log_format", kind = "choice", default = "text", environment = "LOYALHOOK_LOG_FORMAT",
    values = { "text", "json" }, example = '"text"',
    description = "How a worker prints them: text for people, or json, one object a line." },
  { name = "notices", kind = "table", default_text = "notices are listed, not mailed",
    description = "Mails to administrators about failed requests and paused webhooks.",
    example = [[{
    smtp = { url = "smtp://mail.example.com:587", from = "loyalhook@example.com",
      user = "loyalhook", password_file = "/etc/loyalhook/smtp-password" },
    to = { "ops@example.com" },
  }]],
    members = {
      { name = "smtp", kind = "table", members = SMTP },
      { name = "to", kind = "list", environment = "LOYALHOOK_NOTICES_TO",
        default_text = "nobody",
        description = "Who gets the mails of accounts that have no addresses of their own." },
    } },
  { name = "sources", kind = "sources", default_text = "none: nothing is accepted",
    example = '{ zinrelo = { secret_files = { "/etc/loyalhook/zinrelo.secret" } } }',
    description = "Senders that the receiver accepts events from: for each name secrets or "
      .. "secret_files (any of them may have signed), scheme (zinrelo or standard), tolerance_s "
      .. "(300)." },
  { name = "nginx", kind = "text", environment = "LOYALHOOK_NGINX",
    example = '"/usr/local/openresty/nginx/sbin/nginx"', default_text = "found in PATH",
    description = "The nginx that listen and serve run; it needs the Lua module." },
  { name = "handlers", kind = "handlers", default_text = "none: received events are kept only",
    example = [[{
    { use = "log", fields = { "member_info.member_id" } },
    { file = "handlers/points.lua", greeting = "Hello" },
  }]],
    description = "What reacts to received events: handlers that come with loyalhook (use), or own "
      .. "ones (file, beside this one); what stands beside is their options." },
  { name = "public_url", kind = "url", environment = "LOYALHOOK_PUBLIC_URL",
    example = '"https://hooks.example.com"', default_text = "none: loopback names only",
    description = "How browsers and programs reach serve. Its name is answered, and https:// says "
      .. "that a server in front speaks TLS." },
  { name = "trusted_proxies", kind = "networks", environment = "LOYALHOOK_TRUSTED_PROXIES",
    example = '{ "127.0.0.1/32" }', default_text = "none",
    description = "Networks (CIDR) of servers in front of serve whose X-Forwarded-For is believed, "
      .. "so that wrong sign-ins count for who made them." },
  { name = "metrics_public", kind = "flag", default = false,
    environment = "LOYALHOOK_METRICS_PUBLIC", example = "true",
    description = "Let serve answer /metrics without a token." },
  { name = "types", kind = "types", default_text = "the built-in catalogue only",
    example = '{ { name = "event_order_paid", category = "order", description = "When an order '
      .. 'is paid." } }',
    description = "Event types of your own, beside the built-in ones." },
}

-- Variables of the environment that are no settings.
settings.variables = {
  { "LOYALHOOK_CONFIG", "The configuration file, unless --config names one." },
  { "LOYALHOOK_TRACE", "With 1, a bug in loyalhook shows where it happened." },
  { "NO_COLOR", "If it is not empty, nothing is coloured; nor is it with TERM=dumb." },
  { "JOURNAL_STREAM", "Set by systemd: a worker whose log goes to its journal gives it priorities "
    .. "and leaves out the time." },
}

settings.names = {}
settings.by_name = {}
--- Every setting that has a value of its own: those in tables too. `path` of each is its full name.
settings.leaves = {}

local function add_leaves(list, prefix)
  for _, setting in ipairs(list) do
    setting.path = prefix .. setting.name
    if setting.members then
      add_leaves(setting.members, setting.path .. ".")
    else
      settings.leaves[#settings.leaves + 1] = setting
    end
  end
end

add_leaves(settings.list, "")
for index, setting in ipairs(settings.list) do
  settings.names[index] = setting.name
  settings.by_name[setting.name] = setting
end

return settings
