-- /healthz: whether the server answers, and whether it can do its work. Nobody needs
-- to sign in for it, so it tells no more than that.

local function alive(call)
  return call:ok({ status = "ok" })
end

local function said(is_well, sentence)
  return is_well and "ok" or sentence
end

-- What is wrong with the parts, each "ok" or a sentence.
local function checks_of(call)
  local found, _, code = call.sender:vitals()
  if not found then
    return { store = ("cannot be read (%s)"):format(code) }
  end
  return { store = said(found.writable, "cannot be written: rights, or the disk is full"),
    key = said(found.key_present, "the key file of the secrets cannot be read"),
    worker = said(found.workers > 0, "no worker lives: start loyalhook work") }
end

local function ready(call)
  local checks, status = checks_of(call), "ok"
  for _, word in pairs(checks) do
    if word ~= "ok" then
      status = "failed"
    end
  end
  return { status = status == "ok" and 200 or 503, value = { status = status, checks = checks } }
end

return {
  { "GET", "/healthz", bare = true, need = "none", anonymous = true, run = alive },
  { "GET", "/healthz/ready", bare = true, need = "none", anonymous = true, run = ready },
}
