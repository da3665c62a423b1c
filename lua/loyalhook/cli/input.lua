-- Reading what a person hands to a command: secrets (never on the command line, where every process
-- of the machine could read them), bodies, data files. Everything has a size limit.

local arguments = require "loyalhook.cli.arguments"

local input = {}

local SECRET_BYTES_MAX = 4096        -- generous; a new secret has at most 256, a password 1024
input.BODY_BYTES_MAX = 10 * 1024 * 1024 -- as the receiver's

local NO_SUCH_FILE = 2 -- errno ENOENT, the same number on every Linux

local function read_up_to(file, name, bytes_max)
  local text, problem = file:read(bytes_max + 1)
  if text == nil and problem then
    return nil, ("%s: %s"):format(name, problem), "io"
  elseif text and #text > bytes_max then
    return nil, ("%s: more than %d bytes"):format(name, bytes_max), "too_large"
  end
  return text or ""
end

--- Opens a file for reading; "-" is stdin. Returns file, name for messages, or nil, message, code.
function input.open(path)
  if path == "-" then
    return io.stdin, "stdin"
  end
  local file, problem, number = io.open(path, "rb")
  if not file then
    return nil, problem, number == NO_SUCH_FILE and "not_found" or "io"
  end
  return file, path
end

--- The bytes of a file, or of stdin if path is nil or "-". At most bytes_max (default 10 MiB).
--- Returns text or nil, message, code.
function input.read(path, bytes_max)
  local file, name, code = input.open(path or "-")
  if not file then
    return nil, name, code
  end
  local text, message
  text, message, code = read_up_to(file, name, bytes_max or input.BODY_BYTES_MAX)
  if file ~= io.stdin then
    file:close()
  end
  return text, message, code
end

--- Declares --secret-stdin and --secret-file.
function input.secret_options(parser, description)
  parser:mutex(
    parser:flag("--secret-stdin", description .. ", read from stdin."),
    parser:option("--secret-file", description .. ", read from a file."):argname("FILE"))
end

-- One line of a file or of stdin, its final newline dropped. Returns it, or nil, message, code.
local function read_line(path)
  local text, message, code = input.read(path, SECRET_BYTES_MAX)
  if not text then
    return nil, message, code
  end
  return (text:gsub("\r?\n$", ""))
end

--- The secret that the options name, one final newline dropped; nil without a message if they name
--- none. Otherwise nil, message, code.
function input.secret(args)
  if not args.secret_stdin and not args.secret_file then
    return nil
  end
  local secret, message, code = read_line(args.secret_file)
  if secret == "" then
    return nil, "the secret is empty", "secret_invalid"
  end
  return secret, message, code
end

--- Declares --password-stdin and --password-file.
function input.password_options(parser)
  parser:mutex(
    parser:flag("--password-stdin", "The password, read from stdin."),
    parser:option("--password-file", "The password, read from a file."):argname("FILE"))
end

--- The password that the options name; or nil, message, code.
function input.password(args)
  if not args.password_stdin and not args.password_file then
    arguments.usage_error("a password is needed: --password-stdin or --password-file FILE",
      "A password on the command line would be seen by every user of this machine.")
  end
  return read_line(args.password_file)
end

--- The secret, which this command cannot do without.
function input.required_secret(args)
  if not args.secret_stdin and not args.secret_file then
    arguments.usage_error("a secret is needed: --secret-stdin or --secret-file FILE",
      "A secret on the command line would be seen by every user of this machine.")
  end
  return input.secret(args)
end

--- Secret and body of sign and verify; the body is a file, or stdin unless the secret comes from
--- there. Returns secret, body, or nil, message, code.
function input.secret_and_body(args)
  local path = args.body or "-"
  if path == "-" and args.secret_stdin then
    arguments.usage_error("stdin holds the secret, so the body must be a file",
      "Name the file, or use --secret-file FILE for the secret.")
  end
  local secret, message, code = input.required_secret(args)
  local body
  if secret then
    body, message, code = input.read(path)
  end
  if not body then
    return nil, message, code
  end
  return secret, body
end

return input
