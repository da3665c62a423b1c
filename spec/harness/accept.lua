-- What a web server does with one request, without one: signs the body on stdin, hands it to the
-- receiver of a store and prints the answer. accept.lua sqlite:PATH SOURCE SECRET

local loyalhook = require "loyalhook"

local store, source, secret = arg[1], arg[2], arg[3]
local receiver = assert(loyalhook.receiver.open{ store = store,
  sources = { [source] = { secrets = { secret } } } })
local body = io.read("*a")
local headers = assert(loyalhook.signature.headers{ secret = secret, body = body })
io.write(("%d %s\n"):format(receiver:accept(source, headers, body)))
receiver:close()
