-- Where a command's words go: data to stdout, everything else to stderr. A reader that went away
-- (a closed pipe) ends the command quietly; a full disk behind stdout is an error like any other.

local document = require "loyalhook.cli.document"
local terminal = require "loyalhook.cli.terminal"

local Output = {}
Output.__index = Output

local output = {}

--- json: errors are documents too. Streams are parameters for the specs; default stdout, stderr.
function output.new(json, stdout, stderr)
  return setmetatable({
    json = json,
    stdout = stdout or io.stdout,
    stderr = stderr or io.stderr,
  }, Output)
end

-- What main turns into the end of the command.
local function checked(done, message)
  if not done then
    error({ stop = "stdout", message = message }, 0)
  end
end

--- Text on stdout as it is. The caller has made foreign parts safe (terminal.safe).
function Output:write(...)
  checked(self.stdout:write(...))
end

--- One line of data.
function Output:line(text)
  self:write(text, "\n")
end

--- Several lines of data.
function Output:lines(lines)
  for _, line in ipairs(lines) do
    self:write(line, "\n")
  end
end

--- The one document of this command.
function Output:document(value)
  self:write(document.encode(value), "\n")
end

--- Everything written is handed over, or it raises as write does.
function Output:flush()
  checked(self.stdout:flush())
end

--- A message for a person; with --json nothing but documents is printed.
function Output:note(text)
  if not self.json then
    self.stderr:write(terminal.safe(text), "\n")
  end
end

--- Why the command failed, on one line: the last thing it says.
function Output:failure(message, code)
  if self.json then
    local detail = document.object("code", code, "message", message)
    self.stderr:write(document.encode(document.object("error", detail)), "\n")
  else
    self.stderr:write("loyalhook: ", terminal.safe(message), "\n")
  end
end

return output
