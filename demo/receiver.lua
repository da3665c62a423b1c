-- The demo's merchant side, run inside nginx under LuaJIT: verifies every
-- request with loyalhook.core over the raw body, then counts in a shared
-- dictionary. It knows nothing of the store; what it counts is an independent
-- witness of what was delivered.

local cjson = require("cjson.safe")
local core = require("loyalhook.core")

local receiver = {}

local endpoints

-- { name = { scheme =, secret =, failures =, gone =, broken = } } with keys prepared; read once a
-- worker.
local function prepare(path)
  endpoints = dofile(path)
  for _, endpoint in pairs(endpoints) do
    endpoint.verifier = core.verifier { scheme = endpoint.scheme, secrets = { endpoint.secret } }
  end
end

local function count(name, what, by)
  return ngx.shared.counts:incr(name .. ":" .. what, by or 1, 0)
end

local function answer(status, text)
  ngx.status = status
  ngx.say(text)
  return ngx.exit(status)
end

-- Each event once: an id seen before is a repetition.
local function count_events(name, events)
  for _, event in ipairs(events) do
    if ngx.shared.counts:add(name .. "#" .. event.id, true) then
      count(name, "events")
    else
      count(name, "repeated")
    end
  end
end

function receiver.accept(secrets_path)
  if not endpoints then prepare(secrets_path) end
  local name = ngx.var.uri:match("^/hooks/(.+)$")
  local endpoint = endpoints[name]
  if not endpoint then
    return answer(404, "no such endpoint")
  end
  local number = count(name, "requests")
  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  local ok, message = endpoint.verifier:verify(body, ngx.req.get_headers())
  if not ok then
    count(name, "forged")
    return answer(401, message)
  end
  local broken = endpoint.broken and not ngx.shared.counts:get("repaired " .. name)
  if endpoint.gone or broken or number <= endpoint.failures then
    count(name, "refused")
    return answer(endpoint.gone and 410 or broken and 503 or 500, "not now")
  end
  local envelope = cjson.decode(body)
  count_events(name, envelope.events)
  count(name, "accepted")
  return answer(200, "thank you")
end

--- Repairs the endpoint that the query names.
function receiver.repair()
  ngx.shared.counts:set("repaired " .. ngx.var.arg_name, true)
  ngx.say("repaired")
end

--- What was counted, as JSON: { name = { requests =, events =, … } }.
function receiver.report(secrets_path)
  if not endpoints then prepare(secrets_path) end
  local report = {}
  for name in pairs(endpoints) do
    report[name] = {}
    for _, what in ipairs { "requests", "accepted", "refused", "forged", "events", "repeated" } do
      report[name][what] = ngx.shared.counts:get(name .. ":" .. what) or 0
    end
  end
  ngx.header.content_type = "application/json"
  ngx.say(cjson.encode(report))
end

return receiver
