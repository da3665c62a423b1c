-- A small generator of pseudo-random numbers that gives the same sequence on
-- every VM for the same seed (Park and Miller's, with the multiplier 48271).
-- For sample data only; ids and secrets come from the core.

local Random = {}
Random.__index = Random

local MODULUS, MULTIPLIER = 2147483647, 48271

function Random:_next()
  self._state = self._state * MULTIPLIER % MODULUS
  return self._state
end

--- A whole number from `min` to `max`, both included.
function Random:int(min, max)
  return min + self:_next() % (max - min + 1)
end

--- One of the list's entries.
function Random:pick(list)
  return list[self:int(1, #list)]
end

--- True in `percent` of 100 cases.
function Random:chance(percent)
  return self:int(1, 100) <= percent
end

--- `count` characters of `alphabet`.
function Random:text(count, alphabet)
  local out = {}
  for index = 1, count do
    local at = self:int(1, #alphabet)
    out[index] = alphabet:sub(at, at)
  end
  return table.concat(out)
end

--- `count` lower-case hex digits, as ids have them.
function Random:hex(count)
  return self:text(count, "0123456789abcdef")
end

--- A generator for a seed (any whole number).
return function(seed)
  local self = setmetatable({ _state = math.floor(seed) % (MODULUS - 1) + 1 }, Random)
  for _ = 1, 5 do
    self:_next() -- neighbouring seeds drift apart
  end
  return self
end
