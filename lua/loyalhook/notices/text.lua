-- The text part of a mail about notices.

local content = require("loyalhook.notices.content")

local text = {}

local function facts(list)
  local lines, width = {}, 0
  for _, fact in ipairs(list) do
    width = math.max(width, #fact[1])
  end
  for index, fact in ipairs(list) do
    lines[index] = ("  %s%s  %s"):format(fact[1], (" "):rep(width - #fact[1]), fact[2])
  end
  return lines
end

local function reasons(list)
  local lines = { "Why:" }
  for _, reason in ipairs(list) do
    lines[#lines + 1] = ("  %s x %s (%s)"):format(reason.count, reason.text, reason.name)
  end
  return lines
end

local function requests(list, more)
  local lines = { "Requests:" }
  for _, request in ipairs(list) do
    lines[#lines + 1] = ("  %s  %s"):format(request.id, request.text)
    if request.last then
      lines[#lines + 1] = "    " .. request.last
    end
  end
  if more > 0 then
    lines[#lines + 1] = ("  … and %s more"):format(content.grouped(more))
  end
  return lines
end

local function steps(list)
  local lines = { "What to do:" }
  for _, step in ipairs(list) do
    lines[#lines + 1] = ("  %s:"):format(step[1])
    lines[#lines + 1] = "    " .. step[2]
  end
  return lines
end

--- The text of what content.of returned.
function text.render(said)
  local blocks = { { said.title }, said.sentences, facts(said.facts) }
  if #said.reasons > 0 then
    blocks[#blocks + 1] = reasons(said.reasons)
  end
  if #said.steps > 0 then
    blocks[#blocks + 1] = steps(said.steps)
  end
  if #said.requests > 0 or said.more > 0 then
    blocks[#blocks + 1] = requests(said.requests, said.more)
  end
  blocks[#blocks + 1] = { "-- ", said.footer }
  local parts = {}
  for index, lines in ipairs(blocks) do
    parts[index] = table.concat(lines, "\n")
  end
  return table.concat(parts, "\n\n") .. "\n"
end

return text
