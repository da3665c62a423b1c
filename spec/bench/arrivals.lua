-- In the bench's nginx: how long each event took from its emit to here. Times
-- are kept in the one nginx worker's memory until they are asked for.

local clock = require("clock")

local arrivals = {}

local times = {}

--- Answers a webhook's request; the time is that of its headers, before its body is read.
function arrivals.take()
  local here_us = clock.now_us()
  ngx.req.read_body()
  for sent_us in ngx.req.get_body_data():gmatch('"sent_us":(%d+)') do
    times[#times + 1] = ("%.0f"):format(here_us - tonumber(sent_us))
  end
end

--- Says the times since it was last asked, in microseconds, as a JSON array.
function arrivals.tell()
  ngx.say("[", table.concat(times, ","), "]")
  times = {}
end

return arrivals
