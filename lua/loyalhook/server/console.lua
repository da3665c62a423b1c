-- The console's files as nginx serves them: where they are, and with which headers.
-- They are the same for everybody and know nothing; what they show comes from the
-- API, which asks who it is.

local configuration = require("loyalhook.server.configuration")

local console = {}

-- From the folder of the Lua tree: in a checkout, installed by make, installed as a rock.
local PLACES = { "/../console", "/../../loyalhook/console",
  "/../../../lib/luarocks/rocks-5.4/loyalhook/scm-1/console",
  "/../../../lib/luarocks/rocks-5.1/loyalhook/scm-1/console" }

-- Scripts and styles only from files of ours, nothing else from anywhere; in no frame of others.
-- Text becomes no HTML: browsers that know Trusted Types refuse it.
local POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
  .. "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
  .. "require-trusted-types-for 'script'; trusted-types 'none'"

-- Addresses of pages are the page's business: all of them answer index.html.
local LINES = [[
    absolute_redirect off;
    location = / {
      return 302 /console/;
    }
    location = /console {
      return 302 /console/;
    }
    location /console/ {
      root %s;
      types {
        text/html html;
        text/css css;
        text/javascript js;
        image/svg+xml svg;
        application/json json;
      }
      default_type text/plain;
      charset utf-8;
      charset_types text/css text/javascript text/plain;
      add_header Content-Security-Policy "%s" always;
      add_header X-Content-Type-Options nosniff always;
      add_header X-Frame-Options DENY always;
      add_header Referrer-Policy no-referrer always;
      add_header Cross-Origin-Opener-Policy same-origin always;
      add_header Cross-Origin-Resource-Policy same-origin always;
      add_header Cache-Control no-cache always;
      if ($request_method !~ "^(GET|HEAD)$") {
        return 405;
      }
      try_files $uri /console/index.html;
      location ~ "^/console/(lib|pages|styles|ui|vendor)/" {
        try_files $uri =404;
      }
    }]]

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- The folder that has `console`, or nil if it is nowhere. tree (for the specs): the folder of the
-- Lua tree.
function console.find(tree)
  if not tree then
    local path = package.searchpath("loyalhook.plain", package.path)
    tree = path and path:match("^(.*)/loyalhook/plain%.lua$")
  end
  for _, place in ipairs(tree and PLACES or {}) do
    if exists(tree .. place .. "/index.html") then
      return tree .. place:gsub("/console$", "")
    end
  end
  return nil
end

--- The lines for nginx's server block. root: of console.find. Returns them, or nil, message,
-- "config".
function console.lines(root)
  if not root:find("^/") then -- nginx would look below its prefix; its processes have our folder
    root = "/proc/self/cwd/" .. root
  end
  if root:find("[$%c]") then -- nginx would take the dollar for a variable's
    return nil, ("nginx cannot serve the console from %s: its name has a $ or a control"
      .. " character"):format(root), "config"
  end
  return (LINES:format(configuration.quoted(root), POLICY))
end

return console
