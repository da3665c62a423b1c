-- From what a handler returned, or a problem, to the response that goes out. Pure.

local browser = require("loyalhook.api.browser")
local problem = require("loyalhook.api.problem")
local render = require("loyalhook.api.render")

local answers = {}

--- A problem as a handler's reply.
function answers.problem(failure)
  return { status = failure.status, value = problem.document(failure), headers = failure.headers,
    media = "application/problem+json", code = failure.code }
end

--- The response { status, headers, body, code } of a reply { status, value or text, headers,
-- media } to a request of that method.
function answers.response(reply, method)
  local headers = {}
  for name, value in pairs(browser.headers) do
    headers[name] = value
  end
  for name, value in pairs(reply.headers or {}) do
    headers[name] = value
  end
  local body = reply.text or reply.value ~= nil and render.text(reply.value) or ""
  if body ~= "" then
    headers["Content-Type"] = reply.media or "application/json"
  end
  if reply.status ~= 204 and reply.status ~= 304 then
    headers["Content-Length"] = #body
  end
  return { status = reply.status, headers = headers, code = reply.code,
    body = method == "HEAD" and "" or body }
end

return answers
