-- Asking a credit API whether a credit was made, before it is asked for again:
--
--   lookup = { url = "https://wallet.example/credits?reference={{key}}",
--              found = { path = "credits.1.reference", equals = "{{key}}" } }
--
-- Found: the answer has status found.status (200) and, if found.path is set, there is something at
-- that path of its JSON (equal to found.equals, if that is set). Not found: status 404, or the
-- status is right and there is nothing at the path. Any other answer says nothing, and neither
-- credit nor success may be concluded from it.

local answers = require("loyalhook.handlers.answers")
local bodies = require("loyalhook.handlers.wallet.bodies")
local options = require("loyalhook.options")
local template = require("loyalhook.handlers.template")
local urls = require("loyalhook.handlers.urls")

local lookups = {}

local KNOWN = { url = "string", headers = "table", found = "table" }
local FOUND = { status = "number", path = "string", equals = "string" }

local function wrong(given, known, where)
  local problem = options.unknown(given, known, "key")
  for name, kind in pairs(known) do
    local got = type(given[name])
    if not problem and got ~= "nil" and got ~= kind then
      problem = ("%s: expected a %s, got a %s"):format(name, kind, got)
    end
  end
  return problem and where .. ": " .. problem
end

--- Checks a look-up. Returns what lookups.ask takes, or nil, message, "config".
function lookups.check(given, where)
  local problem = wrong(given, KNOWN, where)
    or type(given.url) ~= "string" and where .. ".url: missing"
    or type(given.found) ~= "table" and where .. ".found: missing: { status, path, equals }"
    or wrong(given.found, FOUND, where .. ".found")
    or given.found.equals and not given.found.path and where .. ".found.path: missing"
    or not given.found.path and (given.found.status or 200) == 404
      and where .. ".found.status: 404 means not found"
  if problem then
    return nil, problem, "config"
  end
  local self = { status = given.found.status or 200, path = given.found.path }
  local message, code
  self.url, message, code = urls.template(given.url, where .. ".url")
  if self.url then
    self.headers, message, code = bodies.headers(given.headers, where .. ".headers")
  end
  if self.headers and given.found.equals then
    self.equals, message, code = template.parse(given.found.equals, where .. ".found.equals",
      { missing = "refuse" })
  end
  if not self.headers or given.found.equals and not self.equals then
    return nil, message, code
  end
  return self
end

-- true, false, or nil and why nothing follows from the answer.
local function judge(self, data, answer)
  if answer.status == 404 then
    return false
  elseif answer.status ~= self.status then
    return nil, answers.sentence("the look-up", answer)
  elseif not self.path then
    return true
  end
  local report = answers.json(answer)
  if not report then
    return nil, "the look-up's answer is not JSON"
  end
  local value = template.value(report, self.path)
  if value == nil or value == "" or value == false then
    return false
  elseif not self.equals then
    return true
  end
  local wanted, problem = self.equals:render(data)
  if not wanted then
    return nil, problem
  end
  return template.text(value) == wanted
end

--- Asks through call(request), which answers like context.http. Returns true or false, or nil,
-- message, kind if nothing is known: the task is then tried again.
function lookups.ask(self, data, call)
  local url, problem = urls.fill(self.url, data)
  local headers
  if url then
    headers, problem = bodies.fill_headers(self.headers, data)
  end
  if not headers then
    return nil, problem, "fail"
  end
  local answer, message = call({ method = "GET", url = url, headers = headers })
  if not answer then
    return nil, "the look-up: " .. message, "retry"
  end
  local found
  found, message = judge(self, data, answer)
  return found, message, found == nil and "retry" or nil
end

return lookups
