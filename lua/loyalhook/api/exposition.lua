-- Prometheus's text format, version 0.0.4. Pure.

local plain = require("loyalhook.plain")

local exposition = {}

local Page = {}
Page.__index = Page

exposition.media = "text/plain; version=0.0.4; charset=utf-8"

--- An empty page.
function exposition.new()
  return setmetatable({ _lines = {} }, Page)
end

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function labels_text(labels)
  local parts = {}
  for index = 1, #labels, 2 do
    local value = plain.valid_utf8(tostring(labels[index + 1])):gsub('[\\"\n]', ESCAPES)
    parts[#parts + 1] = ('%s="%s"'):format(labels[index], value)
  end
  return #parts > 0 and "{" .. table.concat(parts, ",") .. "}" or ""
end

local function number_text(value)
  value = tonumber(value)
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return ("%d"):format(value)
  end
  return ("%.15g"):format(value)
end

--- Begins a metric: its name, kind ("counter", "gauge", "histogram") and what it is.
function Page:metric(name, kind, help)
  self._name = name
  table.insert(self._lines, ("# HELP %s %s"):format(name, help))
  table.insert(self._lines, ("# TYPE %s %s"):format(name, kind))
end

--- A value of the metric that was begun. labels: { "name", value, … }, or nil.
function Page:value(value, labels, suffix)
  table.insert(self._lines, ("%s%s%s %s"):format(self._name, suffix or "",
    labels_text(labels or {}), number_text(value)))
end

--- The values of a histogram. lengths: { count, sum_ms, below = { how many took less than 1, 2, 4,
-- 8 … ms } }; first and last: which of these doublings become buckets.
function Page:lengths(lengths, first, last)
  for index = first, last do
    local seconds = ("%.15g"):format(2 ^ (index - 1) / 1000)
    self:value(lengths.below[index], { "le", seconds }, "_bucket")
  end
  self:value(lengths.count, { "le", "+Inf" }, "_bucket")
  self:value(tonumber(lengths.sum_ms) / 1000, nil, "_sum")
  self:value(lengths.count, nil, "_count")
end

--- The text.
function Page:text()
  return table.concat(self._lines, "\n") .. "\n"
end

return exposition
