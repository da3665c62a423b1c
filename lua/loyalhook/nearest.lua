-- Which of the known names somebody probably meant: edit distance and the
-- words "did you mean". Used wherever a name is refused (event types, webhook
-- fields, settings, options). Knows nothing about what the names mean.

local nearest = {}

local LENGTH_MAX = 100 -- longer texts are compared by their beginning only
local SHOWN_MAX = 3

-- One row of the distance table for character i of a; rows are reused by the caller.
local function fill_row(a, b, i, row, before, before_that)
  row[0] = i
  local char, previous = a:byte(i), a:byte(i - 1)
  for j = 1, #b do
    local other = b:byte(j)
    local cost = char == other and 0 or 1
    local best = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
    if i > 1 and j > 1 and char == b:byte(j - 1) and previous == other then
      best = math.min(best, before_that[j - 2] + 1)
    end
    row[j] = best
  end
end

--- How many single-character edits turn one text into the other; two swapped
-- neighbours count as one edit. At most the first 100 bytes are compared.
function nearest.distance(a, b)
  a, b = a:sub(1, LENGTH_MAX), b:sub(1, LENGTH_MAX)
  local before_that, before, row = {}, {}, {}
  for j = 0, #b do
    before[j] = j
  end
  for i = 1, #a do
    fill_row(a, b, i, row, before, before_that)
    before_that, before, row = before, row, before_that
  end
  return before[#b]
end

--- The candidates (an array of strings) close enough to `text` to be what was
-- meant, nearest first, at most three; an empty array if none is. `simplify`
-- (optional) is applied to both sides before comparing.
function nearest.of(text, candidates, simplify)
  text = tostring(text):lower()
  local wanted = simplify and simplify(text) or text
  local allowed = math.max(2, math.floor(#wanted / 3))
  local found = {}
  for _, name in ipairs(candidates) do
    local far = nearest.distance(wanted, simplify and simplify(name) or name)
    if far <= allowed and far < #name then
      found[#found + 1] = { name = name, far = far }
    end
  end
  table.sort(found, function(a, b)
    if a.far ~= b.far then
      return a.far < b.far
    end
    return a.name < b.name
  end)
  local names = {}
  for i = 1, math.min(#found, SHOWN_MAX) do
    -- Only what is about as near as the best is worth naming.
    if found[i].far <= found[1].far + 2 then
      names[#names + 1] = found[i].name
    end
  end
  return names
end

--- The end of a sentence that refuses `text`: '; did you mean "a"?', or "" if
-- no candidate is near.
function nearest.hint(text, candidates, simplify)
  local names = nearest.of(text, candidates, simplify)
  if #names == 0 then
    return ""
  end
  return '; did you mean "' .. table.concat(names, '" or "') .. '"?'
end

return nearest
