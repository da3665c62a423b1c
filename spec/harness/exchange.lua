-- Runs one shipped handler on one event, over real sockets, without a store of events:
--
--   lua spec/harness/exchange.lua < ORDER.json
--
-- ORDER: { "use": "wallet.stripe", "options": {…}, "events": [{ "id", "event_type", "data" }],
--   "context": { "attempt", "first_attempt_ms", "timeout_ms" } }
-- Prints { "results": [true | { "message", "kind" }], "codes": [of exchanges without an answer] }.
-- Several events go to handle_batch. What context.http answers comes from the runtime's own
-- exchanges.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local exchanges = require("loyalhook.handlers.exchanges")
local json = require("loyalhook.json")

local order = assert(json.decode(io.read("*a")))

local handler = assert(require("loyalhook.handlers." .. order.use).new(order.options))

local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder))
local store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
local worker = assert(engine.worker_open({ store = store, allow_http = true,
  allow_networks = { "127.0.0.0/8" } }))
local under_way = exchanges.new(worker)
local codes = json.array()

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
  local exchange = under_way:begin({}, "call", { method = request.method, url = request.url,
    headers = lines, body = request.body, timeout_ms = order.context.timeout_ms or 30000,
    answer_bytes_max = request.answer_bytes_max })
  while not exchange.ended do
    under_way:take(assert(worker:step(100)))
  end
  codes[#codes + 1] = exchange.values[3]
  return (unpack or table.unpack)(exchange.values, 1, exchange.values.n)
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
