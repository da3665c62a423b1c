-- What doctor looks at. A check gets what is known so far (flags, file, full, and from earlier
-- checks settings and sender) and returns one finding, a list of them, or nil:
-- { name, status = "ok" | "warning" | "problem", message, code = of the error, if there was one }.
-- It never raises and changes nothing.

local receiving = require "loyalhook.cli.receiving_checks"

local checks = {}

local WAL_BYTES_ODD = 64 * 1024 * 1024 -- four times what a checkpoint is made at
local CLOCK_MIN_MS = 1767225600000     -- 2026-01-01: this program did not exist before
local CLOCK_MAX_MS = 4102444800000     -- 2100-01-01
local AHEAD_MS = 5 * 60 * 1000

local function finding(name, status, message, ...)
  return { name = name, status = status, message = message:format(...) }
end

local function failed(name, message, code)
  return { name = name, status = "problem", message = tostring(message), code = code }
end

local function configuration(known)
  local config = require "loyalhook.config"
  local settings, origins, code = config.load{ flags = known.flags, file = known.file }
  if not settings then
    return failed("configuration", origins, code)
  end
  known.settings, known.path = settings, origins.path
  known.catalogue = require("loyalhook.events").new(settings.types)
  return finding("configuration", "ok", "%s", origins.path or "no loyalhook.lua; defaults")
end

local function versions()
  local engine = require "loyalhook.engine"
  local found = engine.versions()
  local vm = rawget(_G, "jit") and jit.version or _VERSION
  local tls = found.libcurl:match("%S*[Tt][Ll][Ss]/%S+") or found.libcurl:match("%S*SSL/%S+")
    or found.libcurl:match("NSS/%S+")
  local list = { finding("versions", "ok", "loyalhook %s, %s, SQLite %s, mbedTLS %s",
    engine._VERSION, vm, found.sqlite, found.mbedtls) }
  if tls then
    list[2] = finding("tls", "ok", "%s", found.libcurl)
  else
    list[2] = finding("tls", "problem", "%s: no TLS, https webhooks cannot be reached",
      found.libcurl)
  end
  return list
end

local function certificates(known)
  local path = known.settings and known.settings.ca_file
  if not path then
    path = require("loyalhook.engine").certificates()
    return path and finding("certificates", "ok", "%s", path) or finding("certificates", "warning",
      "no bundle found: https endpoints and mail servers are refused; install ca-certificates, or"
      .. " name one with ca_file")
  end
  local file, problem = io.open(path, "r")
  if not file then
    return failed("certificates", "ca_file: " .. problem, "config")
  end
  file:close()
  return finding("certificates", "ok", "%s", path)
end

local function clock(known)
  local now_ms = require("loyalhook.core").now_ms()
  local time = require "loyalhook.time"
  if now_ms < CLOCK_MIN_MS or now_ms > CLOCK_MAX_MS then
    return finding("clock", "problem", "says %s: receivers will refuse such nonces",
      time.format(now_ms))
  end
  local newest = known.sender and known.sender:requests{ limit = 1 }
  local made_ms = newest and newest[1] and time.parse(newest[1].created_at)
  if made_ms and made_ms > now_ms + AHEAD_MS then
    return finding("clock", "problem", "says %s, but the newest request was made at %s",
      time.format(now_ms), newest[1].created_at)
  end
  return finding("clock", "ok", "%s", time.format(now_ms))
end

local function open_store(known)
  local settings = known.settings
  if not settings then
    return nil
  end
  local sender, message, code = require("loyalhook.sender").open{
    store = settings.store, key_file = settings.key_file, types = settings.types, as_is = true }
  if code == "refused" then
    return finding("store", "warning", "%s", message)
  elseif not sender then
    return failed("store", message, code)
  end
  known.sender = sender
  return finding("store", "ok", "%s", settings.store)
end

local function key_file(health, sender)
  local present, message, code = sender:key_check()
  if not present then
    return failed("key file", message, code)
  elseif not health.key_readable then
    return failed("key file", "a stored secret does not decrypt with it", "secret_unreadable")
  end
  return finding("key file", "ok", "there, and every secret decrypts")
end

local function permissions(health)
  local warning = health.permissions_warning
  if warning == nil or warning == "" then
    return finding("permissions", "ok", "store and key file are the owner's alone")
  end
  return finding("permissions", "problem", "%s", warning)
end

local function filesystem(health)
  local warning = health.filesystem_warning
  if warning == nil or warning == "" then
    return finding("file system", "ok", "%s", health.path)
  end
  return finding("file system", "warning", "%s", warning)
end

local function log_size(figures)
  if figures.wal_bytes > WAL_BYTES_ODD then
    return finding("write-ahead", "warning",
      "%d MiB: some reader has been open for very long, or nobody could make a checkpoint",
      math.floor(figures.wal_bytes / 1048576))
  end
  return finding("write-ahead", "ok", "%d KiB", math.floor(figures.wal_bytes / 1024))
end

local function workers(health, figures)
  local requests = figures.requests
  local waiting = requests.pending + requests.retrying + requests.sending
  if health.sessions == 0 and (waiting > 0 or figures.oldest_undelivered_at) then
    return finding("workers", "warning", "none is running and something waits: loyalhook work")
  end
  return finding("workers", "ok", "%d running", health.sessions)
end

local PAUSED = {
  failures = "paused after failures",
  secret_unreadable = "paused because their secret does not decrypt with the key file",
}

-- One text for each reason, with the names of the webhooks that it stopped.
local function stopped_by_reason(list)
  local names_of, texts = {}, {}
  for _, webhook in ipairs(list) do
    if webhook.status == "paused" then
      local reason = PAUSED[webhook.status_reason] or "paused"
      local before = names_of[reason]
      names_of[reason] = before and before .. ", " .. webhook.name or webhook.name
    end
  end
  for reason, names in pairs(names_of) do
    texts[#texts + 1] = reason .. ": " .. names
  end
  table.sort(texts)
  return texts
end

local function webhooks(sender)
  local list, message, code = sender:webhooks()
  if not list then
    return failed("webhooks", message, code)
  end
  local stopped = stopped_by_reason(list)
  if #stopped > 0 then
    return finding("webhooks", "warning", "%s; 'loyalhook webhook show' says what to do",
      table.concat(stopped, "; "))
  end
  return finding("webhooks", "ok", "%d, none paused", #list)
end

local function inside_store(known)
  local sender, full = known.sender, known.full
  if not sender then
    return nil
  end
  local health, message, code = sender:health(full)
  if not health then
    return failed("integrity", message, code)
  elseif health.integrity ~= "ok" then
    return failed("integrity", health.integrity, "store_damaged")
  end
  local list = { finding("integrity", "ok", full and "every page checked" or "quick check"),
    key_file(health, sender), permissions(health), filesystem(health) }
  local figures
  figures, message, code = sender:stats()
  if not figures then
    list[#list + 1] = failed("figures", message, code)
    return list
  end
  list[#list + 1] = log_size(figures)
  list[#list + 1] = workers(health, figures)
  list[#list + 1] = webhooks(sender)
  return list
end

-- Nothing is sent: loyalhook notices test does that.
local function mails(known)
  local smtp = require "loyalhook.notices.smtp"
  local notices = known.settings and known.settings.notices or {}
  if not known.settings then
    return nil
  elseif not notices.smtp then
    return finding("mails", "ok", "no mail server: notices are listed, not mailed")
  end
  local server, message, code = smtp.check(notices.smtp)
  local _, problem, problem_code = nil, message, code
  if server then
    _, problem, problem_code = smtp.password(server)
  end
  if problem then
    return failed("mails", problem, problem_code)
  elseif server.cleartext then
    return finding("mails", "warning", "%s without TLS: mails%s travel in the clear", server.url,
      server.user and " and a password" or "")
  elseif not notices.to or #notices.to == 0 then
    return finding("mails", "warning",
      "notices.to names nobody: accounts without addresses of their own get no mails")
  end
  return finding("mails", "ok", "%s; loyalhook notices test sends one", server.url)
end

local ALL = { configuration, versions, certificates, open_store, inside_store, mails,
  receiving.sources, receiving.handlers, receiving.nginx, clock }

--- All findings, in order. flags: settings from the command line; file: of the configuration;
--- full: read every page of the database.
function checks.run(flags, file, full)
  local known, findings = { flags = flags, file = file, full = full }, {}
  for _, check in ipairs(ALL) do
    local found = check(known)
    if found and found.status then
      found = { found }
    end
    for _, one in ipairs(found or {}) do
      findings[#findings + 1] = one
    end
  end
  if known.sender then
    known.sender:close()
  end
  return findings
end

return checks
