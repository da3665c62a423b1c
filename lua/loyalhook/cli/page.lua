-- What the lists share that are shown a page at a time: their options, their filter, and how a page
-- is printed.

local arguments = require "loyalhook.cli.arguments"
local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"

local page = {}

--- The options --limit and --after.
function page.options(parser)
  arguments.integer_option(parser, "--limit", "At most so many, 1-1000 (default 50).")
  parser:option("--after", "Go on after this cursor, printed at the end of a page.")
    :argname("CURSOR")
end

--- The arguments of these names, as a filter.
function page.filter(args, names)
  local filter = {}
  for _, name in ipairs(names) do
    filter[name] = args[name]
  end
  return filter
end

--- Prints a page: a document { [name] = list, next = following }, or a table and where the next
--- page begins. form: shape(item) for the document, heads and row(item) for the table.
function page.show(context, name, list, following, form)
  local output = context.output
  if context.json then
    output:document(document.object(name, shapes.list(list, form.shape), "next", following))
    return
  elseif #list == 0 then -- what was looked through for this page may have had nothing
    output:note(following and "none so far; more: --after " .. following or "no " .. name)
    return
  end
  local rows = {}
  for index, item in ipairs(list) do
    rows[index] = form.row(item)
  end
  output:lines(columns.lines(form.heads, rows))
  if following then
    output:note("more: --after " .. following)
  end
end

return page
