-- loyalhook verify: whether a request was signed with a secret, and if not, what probably went
-- wrong. The body must be the exact bytes that arrived.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local input = require "loyalhook.cli.input"

local verify = {}

verify.examples = {
  "loyalhook verify --secret-file secret.txt --nonce 1640796461000 --signature 8e824e… body.json",
  "loyalhook verify --secret-stdin --header 'nonce: 1640796461000' \\\n"
    .. "    --header 'x-zinrelo-signature: 8e824e…' body.json < secret.txt",
  "loyalhook verify --secret-file secret.txt --id msg_1 --timestamp 1614265330 \\\n"
    .. "    --signature v1,g0hM9SsE… body.json",
}
verify.notes = "Exit code: 0 valid, 5 not valid. Old requests: --at TIME or --tolerance none."

local ANY_AGE = -1

function verify.arguments(parser)
  parser:argument("BODY", "File with the exact bytes of the body; default stdin."):args("?")
    :argname("BODY"):target("body")
  input.secret_options(parser, "The secret")
  parser:option("--header", "A header of the request: 'Name: value'; repeatable.")
    :argname("LINE"):count("*")
  parser:option("--nonce", "The same as --header 'nonce: …'."):argname("DIGITS")
  parser:option("--id", "The same as --header 'webhook-id: …'."):argname("ID")
  parser:option("--timestamp", "The same as --header 'webhook-timestamp: …'."):argname("DIGITS")
  parser:option("--signature", "The same as --header 'x-zinrelo-signature: …' or, with the scheme"
    .. " standard, 'webhook-signature: …'."):argname("TEXT")
  parser:option("--scheme", "zinrelo or standard; default: as the headers look.")
    :choices({ "zinrelo", "standard" })
  parser:option("--at", "When it arrived: RFC 3339, or milliseconds; default now."):argname("TIME")
  parser:option("--tolerance", "Seconds it may be old or early (default 300), or none.")
    :argname("SECONDS")
end

-- A name given twice, in whatever case, keeps both values, because a request with both is refused.
local function add(headers, given, value)
  local name = given
  for known in pairs(headers) do
    name = known:lower() == given:lower() and known or name
  end
  local before = headers[name]
  if before == nil then
    headers[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    headers[name] = { before, value }
  end
end

local function guessed_scheme(args, headers)
  if args.scheme then
    return args.scheme
  end
  for name in pairs(headers) do
    if name:lower():find("^webhook%-") then
      return "standard"
    end
  end
  return (args.id or args.timestamp) and "standard" or "zinrelo"
end

local function headers_of(args)
  local headers = {}
  for _, line in ipairs(args.header) do
    add(headers, arguments.header(line))
  end
  local scheme = guessed_scheme(args, headers)
  local short = { nonce = args.nonce, ["webhook-id"] = args.id,
    ["webhook-timestamp"] = args.timestamp,
    [scheme == "standard" and "webhook-signature" or "x-zinrelo-signature"] = args.signature }
  for name, value in pairs(short) do
    add(headers, name, value)
  end
  return headers, scheme
end

local function arrival_ms(text)
  if not text then
    return nil
  elseif text:find("^%d+$") and #text <= 15 then
    return math.floor(tonumber(text))
  end
  local ms, message = require("loyalhook.time").parse(text)
  if not ms then
    arguments.usage_error((message:gsub("^time", "--at")))
  end
  return ms
end

local function tolerance_s(text)
  if text == nil then
    return nil
  elseif text == "none" then
    return ANY_AGE
  elseif not text:find("^%d+$") or #text > 9 then
    arguments.usage_error(("--tolerance: '%s' is neither seconds nor none"):format(text))
  end
  return math.floor(tonumber(text))
end

-- The verdict is data; why it is bad is said where every command says what is wrong.
local function report(verdict, scheme, context)
  local output = context.output
  if context.json then
    output:document(document.object("valid", verdict.valid, "scheme", scheme,
      "code", verdict.code, "message", verdict.sentence, "hint", verdict.hint))
  else
    output:line(verdict.valid and "valid" or "not valid")
  end
  if verdict.valid then
    return exit_codes.OK
  end
  output:flush()
  output:failure(verdict.sentence, verdict.code)
  if verdict.hint then
    output:note("hint: " .. verdict.hint)
  end
  return exit_codes.REFUSED
end

function verify.run(args, context)
  local headers, scheme = headers_of(args)
  local now_ms, tolerance = arrival_ms(args.at), tolerance_s(args.tolerance)
  local secret, body, code = input.secret_and_body(args)
  if not secret then
    return nil, body, code
  end
  local verdict = require("loyalhook.diagnose").explain{ secret = secret, body = body,
    headers = headers, scheme = scheme, now_ms = now_ms, tolerance_s = tolerance }
  return report(verdict, scheme, context)
end

return verify
