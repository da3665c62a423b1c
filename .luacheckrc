-- Shared Lua runs unchanged on Lua 5.4 and LuaJIT 2.1.
std = "lua54+luajit"
max_line_length = 100
codes = true
files["types"] = { unused_args = false, ignore = { "241" } } -- declarations only
files["spec/unit"] = { std = "+busted" }
files["spec/openresty"] = { std = "+ngx_lua" }
files["spec/bench"] = { std = "+ngx_lua" }
files["examples"] = { std = "+ngx_lua" }
files["demo"] = { std = "+ngx_lua" }
files["lua/loyalhook/server/inside"] = { std = "+ngx_lua" }
files["lua/loyalhook/openresty*"] = { std = "+ngx_lua" }
