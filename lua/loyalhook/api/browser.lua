-- What protects people's browsers: under which names the server answers (a foreign
-- page's name may be made to lead here), and whether a change was made by a page of
-- ours. Pure.

local problem = require("loyalhook.api.problem")

local browser = {}

local LOOPBACK = { "localhost", "127.0.0.1", "[::1]" }

--- Headers of every answer: nothing in it is to be guessed at, framed, kept or told to others.
browser.headers = {
  ["Cache-Control"] = "no-store", ["X-Content-Type-Options"] = "nosniff",
  ["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'",
  ["Referrer-Policy"] = "no-referrer", ["Cross-Origin-Resource-Policy"] = "same-origin",
}

--- A set of the names that are answered: those given ("console.example.com", with a port only that
-- one) and the loopback's.
function browser.hosts(names)
  local set = {}
  for _, name in ipairs(LOOPBACK) do
    set[name] = true
  end
  for _, name in ipairs(names or {}) do
    set[name:lower()] = true
  end
  return set
end

--- True if a Host header names the server.
function browser.knows(hosts, host)
  if type(host) ~= "string" then
    return false
  end
  host = host:lower()
  local name = host:match("^(%[[%x:.]+%])$") or host:match("^(%[[%x:.]+%]):%d+$")
    or host:match("^([%w.-]+)$") or host:match("^([%w.-]+):%d+$")
  return name ~= nil and (hosts[host] or hosts[name]) == true
end

-- "https://host:port" → "host:port" or nil.
local function host_of(origin)
  return origin:match("^https?://([^/?#@]+)$")
end

--- true if a request that changes something comes from a page of ours, or from no page at all; or
-- nil, problem. headers: name → text.
function browser.same_origin(headers)
  local site, origin = headers["sec-fetch-site"], headers.origin
  if site and site ~= "same-origin" and site ~= "none" then
    return problem.new("csrf", "another site's page asked for this; only the console's own may")
  elseif origin and host_of(origin) ~= headers.host then
    return problem.new("csrf", "Origin is not this server: only the console's own pages may ask")
  end
  return true
end

--- True if two texts are equal, in a time that does not tell how much of them is.
function browser.equal(left, right)
  if #left ~= #right then
    return false
  end
  local difference = 0
  for index = 1, #left do
    difference = difference + math.abs(left:byte(index) - right:byte(index))
  end
  return difference == 0
end

--- Whose wrong tries are counted together: of an IPv6 address its first half, for a person has all
-- of the rest; one that stands for an IPv4 address is that one.
function browser.neighbourhood(address)
  local mapped = address:match("^::[fF][fF][fF][fF]:(%d+%.%d+%.%d+%.%d+)$")
  if mapped or not address:find(":", 1, true) then
    return mapped or address
  end
  local left, right = address:match("^(.-)::(.*)$")
  local groups = {}
  for group in (left or address):gmatch("[^:%%]+") do
    groups[#groups + 1] = group:lower()
  end
  local _, behind = (right or ""):gsub("[^:]+", "")
  for _ = #groups + behind + 1, left and 8 or 0 do
    groups[#groups + 1] = "0"
  end
  for group in (right or ""):gmatch("[^:%%]+") do
    groups[#groups + 1] = group:lower()
  end
  return table.concat(groups, ":", 1, math.min(4, #groups)) .. "::/64"
end

--- The value of a cookie, or nil; also nil if it is there twice: one of them may be another's.
function browser.cookie(header, name)
  local found, count = nil, 0
  for part in (header or ""):gmatch("[^;]+") do
    local key, value = part:match("^%s*([^=%s]+)=(.-)%s*$")
    if key == name then
      found, count = value, count + 1
    end
  end
  return count == 1 and found or nil
end

--- A Set-Cookie header. value nil takes the cookie away.
function browser.set_cookie(name, value, is_secure)
  return ("%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s"):format(name, value or "",
    is_secure and "; Secure" or "", value and "" or "; Max-Age=0")
end

return browser
