-- House rules as a test: the numbers, who may know whom, and the few exceptions with their reasons.
-- The checks themselves are in spec/tidy/: source.lua reads files, c.lua and code.lua look at C and
-- Lua, house.lua at the rest. Run from the top: lua5.4 spec/tidy.lua
-- Output is TAP: one test a rule over the tree, then one for each planted offence.

package.path = "spec/?.lua;" .. package.path

local rules = {
  lines_max = { c = 500, h = 300, lua = 400 },
  columns_max = 100,
  function_lines_max = { c = 70, lua = 40 },
  parameters_max = 6,
  nesting_max = 4,
  interface_entries_max = 15,

  -- C: a room may include headers of these rooms …
  rooms = {
    core = { "core" },
    clock = { "core", "clock" },
    store = { "core", "clock", "store" },
    transport = { "core", "clock", "transport" },
    engine = { "core", "clock", "store", "transport", "engine" },
    binding = { "core", "clock", "store", "transport", "engine", "binding" },
  },
  -- … and from outside only through its doors (core is a shelf: every header is open).
  doors = {
    clock = { "clock/clock.h" },
    store = { "store/store.h", "store/log.h", "store/requests.h", "store/admin.h",
      "store/notices.h", "store/jobs.h", "store/stats.h", "store/tasks.h" },
    transport = { "transport/transport.h" },
    engine = { "engine/engine.h" },
    binding = {},
  },
  -- Libraries belong to one room.
  libraries = {
    { "^lua%.h$", "binding" }, { "^lauxlib%.h$", "binding" }, { "^lualib%.h$", "binding" },
    { "^luajit%.h$", "binding" }, { "^sqlite3%.h$", "store" }, { "^curl/", "transport" },
    { "^mbedtls/", "core" },
  },
  -- The pure room sees the language and its cipher library, nothing of the system.
  core_headers = { "^assert%.h$", "^ctype%.h$", "^inttypes%.h$", "^limits%.h$", "^stdarg%.h$",
    "^stdbool%.h$", "^stddef%.h$", "^stdint%.h$", "^stdio%.h$", "^stdlib%.h$", "^string%.h$",
    "^strings%.h$", "^mbedtls/" },

  banned_calls = { "strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "atof",
    "strtok", "system", "popen", "alloca", "printf", "fprintf", "puts", "sleep", "usleep",
    "abort", "exit", "signal", "setjmp", "longjmp", "tmpnam", "mktemp" },
  clock_calls = { "time", "gettimeofday", "clock_gettime", "clock", "rand", "srand", "random",
    "srandom", "getrandom", "arc4random", "localtime", "localtime_r", "gmtime", "gmtime_r" },
  core_calls = { "fopen", "open", "read", "write", "socket", "getenv", "getpid" },

  -- Lua: a group may require these. "pure" is what a web server loads to verify: it must not bring
  -- SQLite or libcurl. A folder belongs to the group of its name, else to "top".
  groups = {
    pure = {
      modules = { "base64", "diagnose", "events", "explain", "fields", "json", "nearest",
        "options", "payload", "plain", "samples", "secret_file", "settings", "signature",
        "time" },
      may = { "pure", "loyalhook.core", "cjson" },
    },
    top = { may = { "pure", "top", "loyalhook.core", "loyalhook.engine" } },
    handlers = { may = { "pure", "top", "handlers", "loyalhook.core" } },
    api = { may = { "pure", "top", "api", "loyalhook.core" } },
    worker = { may = { "pure", "top", "handlers", "worker", "loyalhook.core",
      "loyalhook.engine" } },
    openresty = { may = { "pure", "top", "api", "openresty", "loyalhook.core", "loyalhook.engine",
      "ngx.semaphore" } },
    server = { may = { "pure", "top", "openresty", "server", "loyalhook.core",
      "loyalhook.engine" } },
    cli = { may = { "pure", "top", "handlers", "worker", "server", "cli",
      "loyalhook.core", "loyalhook.engine", "argparse" } },
  },
  lua_banned = {
    ["os.time"] = "time comes from loyalhook.core",
    ["os.clock"] = "time comes from loyalhook.core",
    ["os.date"] = "depends on locale and time zone",
    ["math.random"] = "randomness comes from loyalhook.core",
    ["os.execute"] = "no programs are run",
    ["io.popen"] = "no programs are run",
    ["load"] = "text becomes code only in config/chunk.lua",
    ["loadstring"] = "text becomes code only in config/chunk.lua",
    ["setfenv"] = "text becomes code only in config/chunk.lua",
    ["dofile"] = "text becomes code only in config/chunk.lua",
    ["print"] = "data goes out through the command line's output module",
  },

  -- Nothing here may depend on where it was written.
  places = { "/work/", "/root/", "/home/" },

  -- rule name → file → why it is allowed.
  exceptions = {
    ["no banned names in Lua"] = {
      ["lua/loyalhook/config/chunk.lua"] = "reads loyalhook.lua and handlers as text",
    },
    ["C functions are short, flat and take few parameters"] = {
      ["src/core/seal.c"] = "authenticated encryption has that many inputs",
    },
  },
}

os.exit(require("tidy.run")(rules))
