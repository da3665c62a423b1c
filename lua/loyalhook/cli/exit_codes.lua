-- What a command's exit code says, from the code of its error. One table, because scripts depend on
-- it; the words are those of core/error.h, and the few that only the command line knows.

local REFUSED, NOT_FOUND, CONFIGURATION, USAGE, FAILURE = 5, 4, 3, 2, 1

local of_code = {
  usage = USAGE,
  interrupted = 130,

  config = CONFIGURATION,
  store_missing = CONFIGURATION,
  store_foreign = CONFIGURATION,
  store_newer = CONFIGURATION,
  store_damaged = CONFIGURATION,
  key_missing = CONFIGURATION,
  secret_unreadable = CONFIGURATION,

  not_found = NOT_FOUND,

  invalid = REFUSED,
  unknown_type = REFUSED,
  too_large = REFUSED,
  conflict = REFUSED,
  limit = REFUSED,
  refused = REFUSED,
  revision = REFUSED,
  denied = REFUSED,
  too_many = REFUSED,
  store_exists = REFUSED,
  header_missing = REFUSED,
  header_repeated = REFUSED,
  nonce_malformed = REFUSED,
  signature_malformed = REFUSED,
  signature_mismatch = REFUSED,
  too_old = REFUSED,
  too_new = REFUSED,
  secret_invalid = REFUSED,
}

local exit_codes = {
  OK = 0,
  FAILURE = FAILURE,
  USAGE = USAGE,
  CONFIGURATION = CONFIGURATION,
  REFUSED = REFUSED,
  INTERRUPTED = 130,
}

--- What each of them says, for the documentation.
exit_codes.meanings = {
  { 0, "done" },
  { FAILURE, "failure: disk, memory, network, an attempt that failed, a worker that could not go "
    .. "on" },
  { USAGE, "usage: an unknown option, a missing argument" },
  { CONFIGURATION, "configuration: no store, a foreign, newer or damaged one, no key file, a wrong "
    .. "loyalhook.lua" },
  { NOT_FOUND, "not found" },
  { REFUSED, "refused or invalid: data, a webhook's fields, a signature; some lines of a file" },
  { 130, "interrupted (Ctrl-C)" },
}

--- The exit code for an error code; 1 for one that has no line above (full, io, busy, memory …).
function exit_codes.of(code)
  return of_code[code] or FAILURE
end

return exit_codes
