-- loyalhook trigger: one signed sample event, sent now to a URL that a person typed (so the guard
-- on addresses does not apply). Nothing is stored and nothing is retried.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local input = require "loyalhook.cli.input"

local trigger = {}

trigger.examples = {
  "loyalhook trigger event_points_earned --url http://127.0.0.1:8080/hook --secret-file secret.txt",
  "printf %s \"$SECRET\" | loyalhook trigger event_member_enrol --url https://example.com/hook \\\n"
    .. "    --secret-stdin --json",
}
trigger.notes = "Exit code: 0 if the answer is 200, 1 for anything else."

local DELIVERED = 200
local TIMEOUT_MS = 30000

function trigger.arguments(parser)
  parser:argument("TYPE", "The event's type; loyalhook events lists them."):argname("TYPE")
    :target("event_type")
  parser:option("--url", "Where to send it."):argname("URL"):count("1")
  input.secret_options(parser, "The secret that signs")
  parser:option("--scheme", "zinrelo (default) or standard."):choices({ "zinrelo", "standard" })
  arguments.integer_option(parser, "--seed", "Which sample; the same number, the same event.")
  arguments.integer_option(parser, "--timeout-ms", "Time for the attempt (default 30000).")
  parser:option("--ca-file", "Certificate authorities to trust instead of the system's.")
    :argname("FILE")
end

-- Id, request id and body of a request with one sample event, or nil, message, code.
local function sample_request(core, args)
  local now_ms = core.now_ms()
  local data, message, code = require("loyalhook.samples").json(args.event_type,
    args.seed or now_ms % 1000000, { now_ms = now_ms })
  if not data then
    return nil, message, code
  end
  local sample = { id = core.id(), request_id = core.id() }
  sample.body, message, code = core.envelope.build{
    request_id = sample.request_id, created_ms = now_ms,
    events = { { id = sample.id, event_type = args.event_type, data = data } },
  }
  if not sample.body then
    return nil, message, code
  end
  return sample
end

local function header_lines(args, sample, secret)
  local headers, message, code = require("loyalhook.signature").headers{
    scheme = args.scheme, secret = secret, body = sample.body,
    id = args.scheme == "standard" and sample.request_id or nil,
  }
  if not headers then
    return nil, message, code
  end
  local lines = {}
  for name, value in pairs(headers) do
    lines[#lines + 1] = name .. ": " .. value
  end
  table.sort(lines)
  return lines
end

local function report(args, sample, answer, context)
  local output = context.output
  local status = answer.status ~= 0 and answer.status or nil
  if context.json then
    output:document(document.object("event_type", args.event_type, "id", sample.id,
      "request_id", sample.request_id, "url", args.url, "outcome", answer.outcome,
      "status", status, "duration_ms", answer.duration_ms,
      "error", answer.error ~= "" and answer.error or nil, "response", answer.response))
  else
    output:line(("%s in %d ms: %s, event %s"):format(
      status or "no answer (" .. answer.outcome .. ")", answer.duration_ms, args.event_type,
      sample.id))
    if answer.error and answer.error ~= "" then
      output:note(answer.error)
    elseif answer.response and answer.response ~= "" then
      output:note("answer: " .. answer.response:sub(1, 500))
    end
  end
  return status == DELIVERED and exit_codes.OK or exit_codes.FAILURE
end

function trigger.run(args, context)
  local core = require "loyalhook.core"
  local sample, message, code = sample_request(core, args)
  local secret, headers, answer
  if sample then
    secret, message, code = input.required_secret(args)
  end
  if secret then
    headers, message, code = header_lines(args, sample, secret)
  end
  if headers then
    answer, message, code = require("loyalhook.engine").post{ url = args.url, headers = headers,
      body = sample.body, timeout_ms = args.timeout_ms or TIMEOUT_MS, ca_file = args.ca_file }
  end
  if not answer then
    return nil, message, code
  end
  return report(args, sample, answer, context)
end

return trigger
