-- The request that nginx is handling, as a receiver wants it: headers exactly as they
-- came, the raw body as a string or as the file that nginx put it into, and how an
-- answer is given.

local answers = require("loyalhook.receiver.answers")

local request = {}

local HEADERS_MAX = 500 -- nginx bounds their bytes (large_client_header_buffers): 32 KB
local RETRY_AFTER_S = 5

--- The headers by their names as sent, or nil and the outcome. All of them: a second signature
-- behind the hundredth, where nginx's default ends, must not go unseen.
function request.headers()
  local headers, problem = ngx.req.get_headers(HEADERS_MAX, true)
  if problem == "truncated" then
    return nil, answers.refused("invalid", ("more than %d headers"):format(HEADERS_MAX))
  end
  return headers
end

--- Bytes of the body as the client announced them, 0 if it did not.
function request.announced()
  return tonumber(ngx.var.content_length) or 0
end

--- Bytes of the request as they came in so far.
function request.received()
  return tonumber(ngx.var.request_length) or 0
end

--- Reads the body. Returns it as a string, or nil and the path of the file it is in, or nil, nil
-- and the outcome.
function request.body()
  local read, problem = pcall(ngx.req.read_body)
  if not read then -- HTTP/2 without content-length, in some versions
    return nil, nil, answers.refused("invalid", "the body cannot be read: " .. tostring(problem))
  end
  local body = ngx.req.get_body_data()
  if body then
    return body
  end
  local path = ngx.req.get_body_file()
  if path then
    return nil, path
  end
  return ""
end

--- Answers.
function request.say(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #body
  if status == 503 then
    ngx.header["Retry-After"] = RETRY_AFTER_S
  end
  ngx.print(body)
end

return request
