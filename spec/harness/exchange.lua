-- Runs one shipped handler on one event, over real sockets, without a store of events:
--
--   lua spec/harness/exchange.lua < ORDER.json
--
-- ORDER: { "use": "wallet.stripe", "options": {…}, "events": [{ "id", "event_type", "data" }],
--   "context": { "attempt", "first_attempt_ms", "timeout_ms" } }
-- Prints { "results": [true | { "message", "kind" }], "codes": [of exchanges without an answer] }.
-- Several events go to handle_batch. The rule from a call's outcome to what context.http answers is
-- the runtime's.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local json = require("loyalhook.json")

local order = assert(json.decode(io.read("*a")))

local handler = assert(require("loyalhook.handlers." .. order.use).new(order.options))

local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder))
local store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
local worker = assert(engine.worker_open({ store = store, allow_http = true,
  allow_networks = { "127.0.0.0/8" } }))
local codes = json.array()

local function headers_of(list)
  local joined = {}
  for _, entry in ipairs(list) do
    local name, value = entry[1] or entry.name, entry[2] or entry.value
    joined[name] = joined[name] and joined[name] .. ", " .. value or value
  end
  return joined
end

local function answer_of(ended)
  if ended.outcome == "answered" then
    return { status = ended.status, headers = headers_of(ended.headers), body = ended.body,
      truncated = ended.truncated, duration_ms = ended.duration_ms }
  end
  local code = ended.outcome == "blocked" and "blocked" or ended.sent and "unknown" or "not_sent"
  codes[#codes + 1] = code
  return nil, ended.error or ended.outcome, code
end

local context = { attempt = order.context.attempt or 1, source = "zinrelo", handler = order.use,
  first_attempt_ms = order.context.first_attempt_ms or core.now_ms(), now_ms = core.now_ms }
local first = order.events[1]
context.idempotency_key = first.id .. ".zinrelo." .. order.use

function context.log() end

function context.wait(ready)
  return ready()
end

function context.http(request)
  local lines = {}
  for name, value in pairs(request.headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  local number = assert(worker:call({ method = request.method, url = request.url, headers = lines,
    body = request.body, timeout_ms = order.context.timeout_ms or 30000,
    answer_bytes_max = request.answer_bytes_max }))
  while true do
    for _, ended in ipairs(assert(worker:step(100)).calls) do
      if ended.number == number then
        return answer_of(ended)
      end
    end
  end
end

for _, event in ipairs(order.events) do
  event.source, event.received_ms = "zinrelo", 1640796461000
  event.data_json = assert(json.encode(event.data))
end

local results = json.array()
if #order.events > 1 then
  results = handler.handle_batch(order.events, context)
else
  local ok, message, kind = handler.handle(first, context)
  results[1] = ok or { message = message, kind = kind }
end
io.write(json.encode({ results = results, codes = codes }), "\n")

worker:close()
store:close()
os.execute("rm -rf " .. folder)
