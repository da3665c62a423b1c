-- loyalhook sign: what the headers of a body would be. The signature goes to stdout alone, so that
-- a script can take it; --headers prints the lines that a request needs.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local input = require "loyalhook.cli.input"

local sign = {}

sign.examples = {
  "loyalhook sign --secret-file secret.txt < body.json",
  "printf %s \"$SECRET\" | loyalhook sign --secret-stdin body.json --headers",
  "loyalhook sign --secret-file secret.txt --nonce 1640796461000 body.json",
  "loyalhook sign --secret-file secret.txt --scheme standard body.json --json",
}

function sign.arguments(parser)
  parser:argument("BODY", "File with the exact bytes of the body; default stdin."):args("?")
    :argname("BODY"):target("body")
  input.secret_options(parser, "The webhook's secret")
  parser:option("--scheme", "zinrelo (default) or standard."):choices({ "zinrelo", "standard" })
  parser:option("--nonce", "zinrelo: the nonce; default now, in milliseconds."):argname("DIGITS")
  parser:option("--id", "standard: the webhook-id; default a new one."):argname("ID")
  arguments.integer_option(parser, "--timestamp", "standard: in seconds; default now.")
  parser:flag("--headers", "Print header lines instead of the signature alone.")
end

local function zinrelo(core, args, secret, body)
  local nonce = args.nonce or ("%d"):format(core.now_ms())
  local signature, message, code = core.sign{ secret = secret, body = body, nonce = nonce }
  if not signature then
    return nil, message, code
  end
  return { signature = signature, nonce = nonce, stamp = not args.nonce and "nonce " .. nonce,
    headers = { "nonce", nonce, "x-zinrelo-signature", signature } }
end

local function standard(core, args, secret, body)
  local id = args.id or core.id()
  local timestamp = args.timestamp or math.floor(core.now_ms() / 1000)
  local signature, message, code = core.sign{ scheme = "standard", secret = secret, body = body,
    id = id, timestamp = timestamp }
  if not signature then
    return nil, message, code
  end
  local seconds = ("%d"):format(timestamp)
  return { signature = signature, id = id, timestamp = seconds,
    stamp = ("webhook-id %s, webhook-timestamp %s"):format(id, seconds),
    headers = { "webhook-id", id, "webhook-timestamp", seconds, "webhook-signature", signature } }
end

local function headers_of(signed)
  local headers = { "Content-Type", "application/json" }
  for _, text in ipairs(signed.headers) do
    headers[#headers + 1] = text
  end
  return headers
end

local function print_lines(signed, output)
  local headers = headers_of(signed)
  for index = 1, #headers, 2 do
    output:line(headers[index] .. ": " .. headers[index + 1])
  end
end

local unpack = table.unpack or unpack

-- An option of the other scheme would be without effect.
local function check_options(args)
  local name = args.scheme or "zinrelo"
  for _, option in ipairs(name == "standard" and { "nonce" } or { "id", "timestamp" }) do
    if args[option] then
      arguments.usage_error(("--%s is not for the scheme %s"):format(option, name))
    end
  end
end

function sign.run(args, context)
  check_options(args)
  local secret, body, code = input.secret_and_body(args)
  if not secret then
    return nil, body, code
  end
  local scheme = args.scheme == "standard" and standard or zinrelo
  local signed, message
  signed, message, code = scheme(require "loyalhook.core", args, secret, body)
  if not signed then
    return nil, message, code
  end
  local output = context.output
  if context.json then
    output:document(document.object("nonce", signed.nonce, "id", signed.id,
      "timestamp", signed.timestamp, "signature", signed.signature,
      "headers", document.object(unpack(headers_of(signed)))))
  elseif args.headers then
    print_lines(signed, output)
  else
    output:line(signed.signature)
    if signed.stamp then
      output:note("signed with " .. signed.stamp)
    end
  end
end

return sign
