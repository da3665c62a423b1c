-- The HTML part of a mail about notices: plain enough for every reader, with no
-- scripts, pictures, fonts or links, readable on dark and light grounds (it sets no
-- ground of its own). Built in one pass; whatever is not markup of this file is
-- escaped where it is put in.

local content = require("loyalhook.notices.content")
local plain = require("loyalhook.plain")

local html = {}

--- Text as it stands between tags and in quoted attributes.
html.escape = plain.html

local FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
local MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px;"
local STYLES = {
  body = FONT .. "font-size:15px;line-height:1.5;margin:0;padding:24px;",
  box = "max-width:680px;margin:0 auto;",
  title = "font-size:20px;line-height:1.3;margin:0 0 16px;",
  heading = "font-size:15px;margin:24px 0 8px;",
  line = "margin:0 0 8px;",
  name = "padding:2px 16px 2px 0;vertical-align:top;opacity:0.7;white-space:nowrap;",
  value = "padding:2px 0;vertical-align:top;word-break:break-word;",
  number = "padding:2px 12px 2px 0;vertical-align:top;text-align:right;font-weight:bold;",
  request = "padding:6px 0;border-top:1px solid rgba(128,128,128,0.4);",
  id = MONO,
  last = "opacity:0.8;",
  command = MONO .. "margin:0 0 12px;padding:8px 12px;border:1px solid rgba(128,128,128,0.5);"
    .. "border-radius:4px;white-space:pre-wrap;word-wrap:break-word;",
  footer = "margin:24px 0 0;padding-top:12px;border-top:1px solid rgba(128,128,128,0.4);"
    .. "font-size:12px;opacity:0.7;",
}

-- An element with escaped text in it.
local function element(tag, style, text)
  return ('<%s style="%s">%s</%s>'):format(tag, html.escape(STYLES[style]), html.escape(text), tag)
end

-- An element around finished markup.
local function around(tag, style, markup)
  return ('<%s style="%s">%s</%s>'):format(tag, html.escape(STYLES[style]), markup, tag)
end

local function rows(out, cells)
  out[#out + 1] = '<table role="presentation" cellspacing="0" cellpadding="0">'
  for _, pair in ipairs(cells) do
    out[#out + 1] = "<tr>" .. pair[1] .. pair[2] .. "</tr>"
  end
  out[#out + 1] = "</table>"
end

local function put_facts(out, facts)
  local cells = {}
  for index, fact in ipairs(facts) do
    cells[index] = { element("td", "name", fact[1]), element("td", "value", fact[2]) }
  end
  rows(out, cells)
end

local function put_reasons(out, reasons)
  if #reasons == 0 then
    return
  end
  local cells = {}
  for index, reason in ipairs(reasons) do
    cells[index] = { element("td", "number", reason.count),
      element("td", "value", ("%s (%s)"):format(reason.text, reason.name)) }
  end
  out[#out + 1] = element("h2", "heading", "Why")
  rows(out, cells)
end

local function put_requests(out, requests, more)
  if #requests == 0 and more == 0 then
    return
  end
  out[#out + 1] = element("h2", "heading", "Requests")
  for _, request in ipairs(requests) do
    local parts = { element("span", "id", request.id), "<br>", html.escape(request.text) }
    if request.last then
      parts[#parts + 1] = "<br>" .. element("span", "last", request.last)
    end
    out[#out + 1] = around("div", "request", table.concat(parts))
  end
  if more > 0 then
    out[#out + 1] = element("div", "request", ("… and %s more"):format(content.grouped(more)))
  end
end

local function put_steps(out, steps)
  if #steps == 0 then
    return
  end
  out[#out + 1] = element("h2", "heading", "What to do")
  for _, step in ipairs(steps) do
    out[#out + 1] = element("p", "line", step[1] .. ":")
    out[#out + 1] = element("pre", "command", step[2])
  end
end

--- The page of what content.of returned.
function html.render(said)
  local out = {
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="supported-color-schemes" content="light dark">',
    "<title>" .. html.escape(said.title) .. "</title></head>",
    ('<body style="%s"><div style="%s">'):format(html.escape(STYLES.body),
      html.escape(STYLES.box)),
    element("h1", "title", said.title),
  }
  for _, sentence in ipairs(said.sentences) do
    out[#out + 1] = element("p", "line", sentence)
  end
  put_facts(out, said.facts)
  put_reasons(out, said.reasons)
  put_steps(out, said.steps)
  put_requests(out, said.requests, said.more)
  out[#out + 1] = element("p", "footer", said.footer)
  out[#out + 1] = "</div></body></html>"
  return table.concat(out, "\n") .. "\n"
end

return html
