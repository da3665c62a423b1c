-- Planted offences: each must be found by its check, or (fine = true) must not be.

local function c_function(lines, open)
  open = open or "int f(int a) {\n"
  return "/* head */\n" .. open .. ("  a++;\n"):rep(lines) .. "  return a;\n}\n"
end
local rooms = "C rooms include only what is below them, through its door"
local library = "each library belongs to one room"
local calls = "no banned calls in C"
local state = "no static mutable state outside the store"
local shape = "C functions are short, flat and take few parameters"
local requires = "Lua modules require only what is below them"
local names = "no banned names in Lua"
local lua_shape = "Lua functions are short, flat and take few parameters"
local form = "lines are short, without tabs, and end cleanly"
local marks = "no unnamed rooms, loose marks or places of one machine"
local pages = "links in the docs lead somewhere"
local rockspec = "the rockspec lists every file and no other"
local sender, payload = "lua/loyalhook/sender.lua", "lua/loyalhook/payload.lua"

local function one(check, title, path, text, fine)
  return { check = check, title = title, files = { [path] = text }, fine = fine }
end

return {
  one(rooms, "core includes the store", "src/core/x.c", '#include "store/store.h"\n'),
  one(rooms, "transport includes the store", "src/transport/x.c", '#include "store/store.h"\n'),
  one(rooms, "engine goes past a door", "src/engine/x.c", '#include "store/sqlite/sqlite.h"\n'),
  one(rooms, "include without a room", "src/engine/x.c", '#include "parts.h"\n'),
  one(rooms, "engine uses a door", "src/engine/x.c", '#include "store/store.h"\n', true),
  one(rooms, "unknown room", "src/misc/x.c", '#include "core/id.h"\n'),
  one(library, "lua.h in the engine", "src/engine/x.c", "#include <lua.h>\n"),
  one(library, "sqlite in the binding", "src/binding/x.c", "#include <sqlite3.h>\n"),
  one("core includes nothing of the system", "core reads the clock", "src/core/x.c",
    "#include <time.h>\n"),
  one(calls, "strcpy", "src/core/x.c", "/**/\nvoid f(void) { strcpy(a, b); }\n"),
  one(calls, "time in the engine", "src/engine/x.c", "long f(void) { return time(NULL); }\n"),
  one(calls, "a clock's member", "src/engine/x.c",
    "long f(void) { return clock->random(clock->self); }\n", true),
  one(calls, "strcpy in a comment", "src/core/x.c",
    '/* strcpy(a, b) */ char *a = "gets(";\n', true),
  one(state, "a counter", "src/engine/x.c", "static int counter;\n"),
  one(state, "a counter in a function", "src/core/x.c", "void f(void) {\n  static int n = 0;\n}\n"),
  one(state, "a constant table", "src/core/x.c",
    "static const int n[] = {1};\nstatic int f(void) {\n", true),
  one(shape, "71 lines", "src/core/x.c", c_function(68)),
  one(shape, "70 lines", "src/core/x.c", c_function(67), true),
  one(shape, "71 lines with a long header", "src/core/x.c",
    c_function(67, "int f(int a,\n      int b) {\n")),
  one(shape, "seven parameters", "src/core/x.c",
    c_function(1, "int f(int a, int b, int c, int d, int e, int f, int g) {\n")),
  one(shape, "a callback's parameters do not count", "src/core/x.c",
    c_function(1, "int f(int a, int (*b)(int, int, int, int), int c, int d, int e) {\n"), true),
  one(shape, "nesting of five", "src/core/x.c",
    "int f(void) {\n" .. ("if (a) {\n"):rep(5) .. ("}\n"):rep(6)),
  one("interfaces have few entries", "16 entries", "src/store/x.h",
    "struct x {\n" .. ("  int (*f)(void);\n"):rep(16) .. "};\n"),
  one(requires, "payload requires the engine", payload, 'local e = require "loyalhook.engine"\n'),
  one(requires, "sender requires the command line", sender,
    'local e = require("loyalhook.cli.emit")\n'),
  one(requires, "command line requires the sender", "lua/loyalhook/cli/emit.lua",
    'local e = require "loyalhook.sender"\n', true),
  one(requires, "sender requires a stranger", sender, 'local e = require "socket"\n'),
  one(names, "os.time", sender, "local now = os.time()\n"),
  one(names, "load", sender, "local f = load(text)\n"),
  one(names, "a method named load", sender, "local f = self:load(text)\n", true),
  one(lua_shape, "41 lines", "lua/loyalhook/x.lua",
    "local function f()\n" .. ("  g()\n"):rep(39) .. "end\n"),
  one(lua_shape, "40 lines", "lua/loyalhook/x.lua",
    "local function f()\n" .. ("  g()\n"):rep(38) .. "end\n", true),
  one(lua_shape, "nesting of five", "lua/loyalhook/x.lua",
    "local function f()\n" .. ("if a then\n"):rep(5) .. ("end\n"):rep(6)),
  one(lua_shape, "seven parameters", "lua/loyalhook/x.lua",
    "local function f(a, b, c, d, e, f, g) end\n"),
  one(form, "101 columns", "src/core/x.c", ("x"):rep(101) .. "\n"),
  one(form, "a tab", "lua/loyalhook/x.lua", "\tx()\n"),
  one(form, "a space at the end", "README.md", "x \n"),
  one(form, "no last line break", "src/core/x.c", "x"),
  one("files are not too long", "501 lines", "src/core/x.c", ("x\n"):rep(501)),
  one("each file says at its head what lives in it", "no head", "src/core/x.c", "int x;\n"),
  one(marks, "a util", "src/core/util.c", "/**/\n"),
  one(marks, "a mark without a number", "src/core/x.c", "/* TODO: later */\n"),
  one(marks, "a mark with a number", "src/core/x.c", "/* TODO: later (#7) */\n", true),
  one("every part of the core has a C test", "no test", "src/core/x.c", "/**/\n"),
  one("every Lua module has a spec", "no spec", "lua/loyalhook/x.lua", "--\n"),
  { check = rockspec, title = "a file is missing",
    files = { ["a.rockspec"] = "build = { modules = {} }\n", ["src/core/x.c"] = "/**/\n" } },
  { check = rockspec, title = "a file too many",
    files = { ["a.rockspec"] = 'build = { modules = { x = "lua/x.lua" } }\n' } },
  one(pages, "a dead link", "docs/x.md", "see [y](../y.md)\n"),
  { check = pages, title = "a good link", fine = true,
    files = { ["docs/x.md"] = "see [y](../y.md#part), [z](guide/)\n", ["y.md"] = "y\n",
      ["docs/guide/z.md"] = "z\n" } },
  { check = "targets that the docs name exist in the Makefile", title = "no such target",
    files = { ["README.md"] = "run `make nothing`\n", Makefile = "all:\n" } },
}
