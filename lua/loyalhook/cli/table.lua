-- Columns for people: aligned, two spaces between, no lines drawn. Machines ask for --json. States
-- are coloured by the name of their column, so that they look the same everywhere.

local terminal = require "loyalhook.cli.terminal"

local columns = {}

local COLOURED = { STATE = true, STATUS = true, OUTCOME = true }

local COLOURS = { delivered = "green", enabled = "green", done = "green", retried = "green",
  failed = "red", refused = "red", unknown = "red", retrying = "yellow", paused = "yellow",
  disabled = "dim", deleted = "dim", not_failed = "dim" }

-- A cell of a column of that name, as it is shown.
local function painted(name, text)
  local colour = COLOURED[name:upper()] and COLOURS[text]
  return colour and terminal.colour(colour, text) or text
end

local function cell_text(value)
  local text = terminal.safe(value)
  return text == "" and "-" or text
end

local function widths_of(lines)
  local widths = {}
  for _, line in ipairs(lines) do
    for index, text in ipairs(line) do
      widths[index] = math.max(widths[index] or 0, terminal.width(text))
    end
  end
  return widths
end

local function joined(line, widths, right, heads)
  local parts = {}
  for index, text in ipairs(line) do
    local room = (" "):rep(widths[index] - terminal.width(text))
    local shown = painted(heads[index], text)
    parts[index] = right[index] and room .. shown or shown .. room
  end
  return (table.concat(parts, "  "):gsub("%s+$", ""))
end

--- Lines of a table. `heads` are its headings, one with a leading ">" is aligned right; `rows` are
--- arrays with as many values (false is shown as "-"; every value is made safe for a terminal).
--- What stands under STATE, STATUS or OUTCOME has the colour of that state.
function columns.lines(heads, rows)
  local right, texts = {}, { {} }
  for index, head in ipairs(heads) do
    right[index] = head:sub(1, 1) == ">"
    texts[1][index] = right[index] and head:sub(2) or head
  end
  for _, row in ipairs(rows) do
    local line = {}
    for index = 1, #heads do
      local value = row[index]
      line[index] = cell_text(value or nil)
    end
    texts[#texts + 1] = line
  end
  local widths, lines = widths_of(texts), {}
  for index, line in ipairs(texts) do
    lines[index] = joined(line, widths, right, texts[1])
  end
  return lines
end

--- Lines of "name  value" pairs: `pairs_list` is an array of { name, value }.
function columns.pairs(pairs_list)
  local width, lines = 0, {}
  for _, pair in ipairs(pairs_list) do
    width = math.max(width, terminal.width(pair[1]))
  end
  for index, pair in ipairs(pairs_list) do
    local room = (" "):rep(width - terminal.width(pair[1]))
    lines[index] = pair[1] .. room .. "  " .. painted(pair[1], cell_text(pair[2]))
  end
  return lines
end

return columns
