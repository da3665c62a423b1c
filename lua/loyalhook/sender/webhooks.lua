-- The sender's methods about webhooks: creating, reading, changing, trying.
-- Whoever changes one names it by id, or by name where that is unique (else
-- with the account); what holds from when is the store's business: every change
-- holds for each attempt that starts after the call has returned. if_revision: the
-- webhook's revision when it was read; "revision" if it was changed since. by: { who =, detail = }
-- for the audit log (actor.lua).

local actor = require("loyalhook.actor")
local core = require("loyalhook.core")
local checks = require("loyalhook.sender.webhook_fields")
local options = require("loyalhook.options")
local samples = require("loyalhook.samples")
local views = require("loyalhook.sender.views")

local methods = {}

local LIST = { account = "string", with_deleted = "boolean", after = "string",
  limit = "number" }
local BY = { by = "table" }
local WHICH = { account = "string", if_revision = "number", by = "table" }
local ENABLE = { account = "string", if_revision = "number", retry_failed = "boolean",
  by = "table" }
local ROTATE = { account = "string", if_revision = "number", secret = "string",
  overlap_s = "number", by = "table" }
local TEST = { account = "string", event_type = "string", seed = "number", by = "table" }

local function view_of(row, message, code)
  if not row then
    return nil, message, code
  end
  return views.webhook(row)
end

local function guard(self, by, if_revision)
  return { allow_http = self._network.allow_http, allow_networks = self._network.allow_networks,
    ca_file = self._network.ca_file, if_revision = if_revision, by = by }
end

-- The store's row, or nil, message, code.
local function find(self, id_or_name, account)
  return self._store:webhook(account, id_or_name)
end

--- Creates a webhook from { name, url, event_types, … } (fields.webhook_settings
-- has all; account defaults to the sender's; without secret one is made). which: by.
-- Returns the webhook with its secret, which is shown only here, or nil,
-- message, code ("invalid", "unknown_type", "conflict", "limit", …).
function methods:create_webhook(given, which)
  if type(given) ~= "table" then
    error("create_webhook: expected a table, got " .. type(given), 2)
  end
  which = options.check(which, BY, "create_webhook")
  local ok, message, code = checks.new(given, self._catalogue, function()
    return self._store:types()
  end)
  if not ok then
    return nil, message, code
  end
  local wanted = {}
  for key, value in pairs(given) do
    wanted[key] = value
  end
  wanted.account = given.account or self._account
  local by = actor.of(which.by, checks.noted(wanted))
  return view_of(self._store:webhook_create(wanted, guard(self, by)))
end

--- All webhooks, oldest first. filter: account (default all), with_deleted, limit (1 to
-- 1000; default all), after = only those behind this id, which may be deleted by now.
-- Returns an array, or nil, message, code ("invalid" if no such webhook is after's).
function methods:webhooks(filter)
  filter = options.check(filter, LIST, "webhooks")
  local list, message, code = self._store:webhooks({ account = filter.account,
    with_deleted = filter.with_deleted, after = filter.after, limit = filter.limit })
  if not list then
    return nil, message, code
  end
  return views.list(list, views.webhook)
end

--- One webhook by id or name; with `account` only among its. Returns it, or nil,
-- message, code ("not_found", or "conflict" if several have the name).
function methods:webhook(id_or_name, account)
  options.text(id_or_name, "webhook", "an id or a name")
  return view_of(find(self, id_or_name, account))
end

--- Changes some fields of a webhook: a table of those that create_webhook takes,
-- without account and secret (an empty retry_schedule or headers takes them
-- away). New event_types hold for events emitted from now on, all else for each
-- attempt that starts from now on. which: account, if_revision, by. Returns the webhook
-- as it is now, or nil, message, code ("invalid", "conflict", "refused" if it is deleted,
-- "secret_invalid" if its secret does not suit the new scheme, "revision").
function methods:update_webhook(id_or_name, given, which)
  options.text(id_or_name, "update_webhook", "an id or a name")
  if type(given) ~= "table" then
    error("update_webhook: expected a table, got " .. type(given), 2)
  end
  which = options.check(which, WHICH, "update_webhook")
  local ok, message, code = checks.edit(given, self._catalogue, function()
    return self._store:types()
  end)
  local row
  if ok then
    row, message, code = find(self, id_or_name, which.account)
  end
  if not row then
    return nil, message, code
  end
  local by = actor.of(which.by, checks.noted(given))
  return view_of(self._store:webhook_edit(row.id, given, guard(self, by, which.if_revision)))
end

local function set_status(self, id_or_name, status, which)
  local row, message, code = find(self, id_or_name, which.account)
  if not row then
    return nil, message, code
  end
  return view_of(self._store:webhook_status(row.id, status,
    { if_revision = which.if_revision, by = actor.of(which.by) }))
end

--- Enables a paused or disabled webhook: its count of failures is 0 again, events
-- emitted from now on are delivered; what failed stays failed until it is
-- retried. which: account, if_revision, by; retry_failed = true makes up for the pause that ends:
-- a job retries what failed because of it (reason "paused"). Returns the webhook,
-- then also that job (see retry_failed), or nil, message, code ("refused" if it is
-- deleted or, with retry_failed, not paused; "secret_unreadable", "key_missing").
function methods:enable_webhook(id_or_name, which)
  options.text(id_or_name, "enable_webhook", "an id or a name")
  which = options.check(which, ENABLE, "enable_webhook")
  if not which.retry_failed then
    return set_status(self, id_or_name, "enabled", which)
  end
  local row, message, code = find(self, id_or_name, which.account)
  if not row then
    return nil, message, code
  end
  local job
  row, job, code = self._store:webhook_resume(row.id, { if_revision = which.if_revision,
    by = actor.of(which.by, { retry_failed = true }) })
  if not row then
    return nil, job, code
  end
  return views.webhook(row), views.job(job)
end

--- Disables a webhook: no attempt starts any more, what was accepted for it fails
-- with the reason "disabled", later events are not recorded for it. which:
-- account, if_revision, by. Returns the webhook, or nil, message, code.
function methods:disable_webhook(id_or_name, which)
  options.text(id_or_name, "disable_webhook", "an id or a name")
  which = options.check(which, WHICH, "disable_webhook")
  return set_status(self, id_or_name, "disabled", which)
end

--- Deletes a webhook for good, like disabling it; its name and URL are free
-- again, its log stays readable. which: account, if_revision, by. Returns the webhook, or
-- nil, message, code.
function methods:delete_webhook(id_or_name, which)
  options.text(id_or_name, "delete_webhook", "an id or a name")
  which = options.check(which, WHICH, "delete_webhook")
  return set_status(self, id_or_name, "deleted", which)
end

--- Gives a webhook a new secret. given: account, if_revision, by, secret (else one is
-- made), overlap_s (86400; 0 at once): so long the present secret signs, so that the
-- receiver can be told; the standard scheme signs with both meanwhile. Rotating
-- again in that time replaces the secret that waits. Returns the webhook with the
-- new secret, which is shown only here, or nil, message, code ("secret_invalid",
-- "secret_unreadable" if the present one cannot sign meanwhile).
function methods:rotate_secret(id_or_name, given)
  options.text(id_or_name, "rotate_secret", "an id or a name")
  given = options.check(given, ROTATE, "rotate_secret")
  local overlap_s, most = given.overlap_s or 0, core.limits.secret_overlap_s_max
  if not (overlap_s >= 0 and overlap_s <= most and overlap_s == math.floor(overlap_s)) then
    return nil, ("overlap_s: not a whole number from 0 to %d"):format(most), "invalid"
  end
  local row, message, code = find(self, id_or_name, given.account)
  if not row then
    return nil, message, code
  end
  return view_of(self._store:secret_rotate(row.id, { secret = given.secret,
    if_revision = given.if_revision, overlap_ms = given.overlap_s and given.overlap_s * 1000,
    by = actor.of(given.by, { overlap_s = given.overlap_s }) }))
end

-- The first type that the webhook wants, "event_points_earned" if it wants all.
local function wanted_type(self, row)
  for _, selector in ipairs(row.event_types) do
    local category = selector:match("^category:(.*)$")
    for _, entry in ipairs(self._catalogue:all()) do
      if entry.name == selector or entry.category == category then
        return entry.name
      end
    end
  end
  return "event_points_earned"
end

--- Tries a webhook, whatever its status: one sample event is sent as a worker
-- would send it, nothing is stored (but who did it) and nothing counts. given: account, by,
-- event_type (default: the first it wants), seed (which sample). Returns { delivered =,
-- webhook_id, url, request_id, event_id, event_type, outcome, status,
-- duration_ms, error, response }, or nil, message, code if no attempt could be
-- made.
function methods:test_webhook(id_or_name, given)
  options.text(id_or_name, "test_webhook", "an id or a name")
  given = options.check(given, TEST, "test_webhook")
  local row, message, code = find(self, id_or_name, given.account)
  if not row then
    return nil, message, code
  end
  local now_ms = core.now_ms()
  local sample = { request_id = core.id(), id = core.id(),
    event_type = given.event_type or wanted_type(self, row) }
  sample.data, message, code = samples.json(sample.event_type, given.seed or now_ms % 1000000,
    { now_ms = now_ms })
  if not sample.data then
    return nil, message, code
  end
  local by = actor.of(given.by, { event_type = sample.event_type })
  local result
  result, message, code = self._store:webhook_test(row.id, sample, guard(self, by))
  if not result then
    return nil, message, code
  end
  result.webhook_id, result.url = row.id, row.url
  result.request_id, result.event_id = sample.request_id, sample.id
  result.event_type = sample.event_type
  return result
end

return methods
