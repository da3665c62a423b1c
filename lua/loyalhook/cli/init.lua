-- The command line: finds the command, runs it, and turns whatever happens into an exit code and at
-- most one line. Only the chosen command's modules are loaded, so that `version` or `sign` start
-- without SQLite. Read commands.lua next (the list), then any file in commands/.

local arguments = require "loyalhook.cli.arguments"
local commands = require "loyalhook.cli.commands"
local exit_codes = require "loyalhook.cli.exit_codes"
local output = require "loyalhook.cli.output"

local cli = {}

local REPORT = "this is a bug in loyalhook: please report it with the command that you typed"
  .. " (LOYALHOOK_TRACE=1 shows where it happened)"

local function overview(group)
  local columns = require "loyalhook.cli.table"
  local lines = { "loyalhook sends loyalty events as signed webhooks: accepted means delivered, or",
    "listed as failed.", "", "Usage: loyalhook COMMAND [options]", "" }
  if group then
    lines = { "Usage: loyalhook " .. group .. " COMMAND [options]", "" }
  end
  for _, line in ipairs(columns.pairs(commands.overview(group))) do
    lines[#lines + 1] = "  " .. line
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "loyalhook COMMAND --help shows a command's options, with examples first."
  return table.concat(lines, "\n")
end

local function run(argv, out)
  local entry, rest = arguments.command(commands, argv)
  local command = require(entry.module)
  local args = arguments.parse(entry, command, rest)
  local context = require("loyalhook.cli.context").new(args, out)
  local result, message, code = command.run(args, context)
  context:close()
  if message then
    out:flush()
    out:failure(message, code)
    return exit_codes.of(code)
  end
  return result or exit_codes.OK
end

-- Keeps raised tables as they are; adds the stack to everything else while it still stands.
local function with_trace(raised)
  if type(raised) == "table" and raised.stop then
    return raised
  end
  return { stop = "bug", message = tostring(raised), trace = debug.traceback("", 2) }
end

local ends = {}

function ends.help(raised, out)
  out:line(raised.text and (raised.text:gsub("\n$", "")) or overview(raised.group))
  return exit_codes.OK
end

function ends.usage(raised, out)
  out:failure(raised.message, "usage")
  if raised.hint then
    out:note(raised.hint)
  end
  return exit_codes.USAGE
end

-- A command deep in its work ends with an error of the world.
function ends.failure(raised, out)
  out:failure(raised.message, raised.code)
  return exit_codes.of(raised.code)
end

function ends.stdout(raised, out)
  if not tostring(raised.message):lower():find("broken pipe", 1, true) then
    out:failure("standard output: " .. tostring(raised.message), "io")
  end
  return exit_codes.FAILURE
end

-- What is wrong with the installation, if that is what was raised.
local function installation_problem(message)
  local missing = message:match("module '([%w_.]+)' not found")
  if missing then
    local remedy = missing:find("^loyalhook") and "in a checkout: make build"
      or ("the package lua-%s, or the rock"):format(missing)
    return ("Lua module %s is not installed (%s)"):format(missing, remedy)
  end
  local name, reason =
    message:match("error loading module '([%w_.]+)' from file '[^\n]*':%s*([^\n]*)")
  return name and ("Lua module %s does not load: %s"):format(name, reason)
end

function ends.bug(raised, out)
  local first = raised.message:match("^[^\n]*")
  if first:find("interrupted!$") then
    out:failure("interrupted", "interrupted")
    return exit_codes.INTERRUPTED
  end
  if os.getenv("LOYALHOOK_TRACE") == "1" then
    io.stderr:write(raised.message, raised.trace, "\n")
  end
  local problem = installation_problem(raised.message)
  if problem then
    out:failure(problem, "config")
    return exit_codes.CONFIGURATION
  elseif first:find("not enough memory", 1, true) then
    out:failure("out of memory", "memory")
  else
    out:failure(first .. "; " .. REPORT, "bug")
  end
  return exit_codes.FAILURE
end

--- Runs one command line (an array of words) and returns its exit code. Never raises.
function cli.main(argv)
  local out = output.new(arguments.wants_json(argv))
  local done, result = xpcall(function()
    local code = run(argv, out)
    out:flush()
    return code
  end, with_trace)
  if done then
    return result
  end
  local handled, code = pcall(function()
    local code = ends[result.stop](result, out)
    if result.stop ~= "stdout" then
      out:flush()
    end
    return code
  end)
  if handled then
    return code
  end
  return ends.stdout(code, out) -- all that can go wrong at this point is stdout
end

return cli
