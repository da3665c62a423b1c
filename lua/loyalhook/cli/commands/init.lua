-- loyalhook init: a new store with its key file, and a loyalhook.lua in which every setting stands
-- with its default. Nothing that exists is overwritten.

local document = require "loyalhook.cli.document"

local init = {}

init.examples = {
  "loyalhook init",
  "loyalhook init --dev                  # plain http and loopback URLs are allowed",
  "loyalhook init --store sqlite:/var/lib/loyalhook/loyalhook.db",
}
init.notes = "Keep a copy of the key file apart from the store: without it the secrets in the\n"
  .. "store cannot be read. An existing loyalhook.lua is left as it is."

local CONFIG_DEFAULT = "loyalhook.lua"

function init.arguments(parser)
  parser:flag("--dev", "Allow http:// and loopback URLs, for development.")
  parser:option("--key-file", "Where the key file is (default: the store's path with .key).")
    :argname("FILE")
end

-- The file that --config, LOYALHOOK_CONFIG or habit names.
local function config_path(args)
  local path = args.config or os.getenv("LOYALHOOK_CONFIG")
  return path and path ~= "" and path or CONFIG_DEFAULT
end

-- Returns whether the file was written (false: there is one already), or nil, message, code.
local function write_config(path, args)
  local existing = io.open(path, "r")
  if existing then
    existing:close()
    return false
  end
  local file, problem = io.open(path, "w")
  if not file then
    return nil, problem, "config"
  end
  local text = require("loyalhook.template").file{ dev = args.dev, store = args.store }
  local done, write_problem = file:write(text)
  local closed, close_problem = file:close()
  if not done or not closed then
    os.remove(path)
    return nil, path .. ": " .. (write_problem or close_problem), "io"
  end
  return true
end

-- Returns the settings that the new store was made with, or nil, message, code.
local function create_store(context, path)
  local config = require "loyalhook.config"
  local settings, message, code = config.load{ flags = context:flags(), file = path }
  if not settings then
    return nil, message, code
  end
  local store
  store, message, code = require("loyalhook.engine").store_open{
    location = settings.store, key_file = settings.key_file, create_only = true,
  }
  if not store then
    return nil, message, code
  end
  store:close()
  return settings
end

local function report(args, context, settings, written)
  local path = config_path(args)
  local store = settings.store:gsub("^sqlite:", "")
  local key_file = settings.key_file or store .. ".key"
  if context.json then
    context.output:document(document.object("store", settings.store, "key_file", key_file,
      "config", path, "config_written", written))
    return
  end
  local columns = require "loyalhook.cli.table"
  context.output:lines(columns.pairs{ { "store", settings.store }, { "key file", key_file },
    { "configuration", path .. (written and "" or " (was there, left as it is)") } })
  if args.dev and not written then
    context.output:note("--dev changed nothing: set allow_http and allow_networks in " .. path)
  end
end

function init.run(args, context)
  local path = config_path(args)
  -- The configuration comes first, because the store is made as it says.
  local written, message, code = write_config(path, args)
  if written == nil then
    return nil, message, code
  end
  local settings
  settings, message, code = create_store(context, path)
  if not settings then
    if written then
      os.remove(path)
    end
    return nil, message, code
  end
  report(args, context, settings, written)
end

return init
