-- loyalhook events: the catalogue of event types, with the types of loyalhook.lua if there is one.

local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"
local columns = require "loyalhook.cli.table"

local events = {}

events.examples = {
  "loyalhook events",
  "loyalhook events --category transaction",
  "loyalhook events --json",
}

function events.arguments(parser)
  parser:option("--category", "Only the types of this category."):argname("NAME")
end

local function refuse_category(catalogue, name)
  local _, message, code = catalogue:check_selector("category:" .. name)
  return nil, message, code
end

local function shape(entry)
  return document.pick(entry, { "name", "category", "description" })
end

function events.run(args, context)
  local catalogue = context:catalogue()
  local entries = catalogue:all(args.category)
  if #entries == 0 then
    return refuse_category(catalogue, args.category)
  end
  if context.json then
    context.output:document(document.object("events", shapes.list(entries, shape)))
    return
  end
  local rows = {}
  for index, entry in ipairs(entries) do
    rows[index] = { entry.name, entry.category, entry.description }
  end
  context.output:lines(columns.lines({ "EVENT TYPE", "CATEGORY", "WHEN" }, rows))
end

return events
