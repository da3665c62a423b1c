-- loyalhook doctor: looks at everything a deployment stands on and says what is wrong. It changes
-- nothing. The checks are in ../checks.lua.

local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local shapes = require "loyalhook.cli.shapes"
local terminal = require "loyalhook.cli.terminal"

local doctor = {}

doctor.examples = { "loyalhook doctor", "loyalhook doctor --full", "loyalhook doctor --json" }
doctor.notes = "Exit code: 0 no problems (warnings do not count), 1 problems, 3 the configuration\n"
  .. "or the store itself."

local COLOURS = { ok = "green", warning = "yellow", problem = "red" }

function doctor.arguments(parser)
  parser:flag("--full", "Read the whole database; takes long if it is large.")
end

local function shape(finding)
  return document.pick(finding, { "name", "status", "message" })
end

local function print_findings(findings, output)
  for _, finding in ipairs(findings) do
    local status = terminal.colour(COLOURS[finding.status], ("%-7s"):format(finding.status))
    output:line(("%s  %-13s  %s"):format(status, finding.name, terminal.safe(finding.message)))
  end
end

local function exit_code(findings)
  local code = exit_codes.OK
  for _, finding in ipairs(findings) do
    if finding.status == "problem" then
      code = math.max(code, finding.code and exit_codes.of(finding.code) or exit_codes.FAILURE)
    end
  end
  return code
end

function doctor.run(args, context)
  local checks = require "loyalhook.cli.checks"
  local findings = checks.run(context:flags(), args.config, args.full)
  local code = exit_code(findings)
  if context.json then
    context.output:document(document.object("ok", code == exit_codes.OK,
      "checks", shapes.list(findings, shape)))
  else
    print_findings(findings, context.output)
  end
  return code
end

return doctor
