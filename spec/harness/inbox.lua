-- Prints "source id" of every event in an inbox, newest first: inbox.lua sqlite:PATH

local receiver = assert(require("loyalhook.receiver").open{ store = arg[1] })
local cursor
repeat
  local list, following = assert(receiver:events{ limit = 1000, after = cursor })
  for _, event in ipairs(list) do
    io.write(event.source, " ", event.id, "\n")
  end
  cursor = following
until not cursor
receiver:close()
