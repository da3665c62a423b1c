-- Sets what a mail says (defaults.lua) as the sources of its templates: a text, and a page of HTML
-- without pictures, scripts and foreign fonts, that reads well on narrow and wide screens, on dark
-- and light grounds, and aloud. What comes out are templates as a merchant writes them.

local plain = require("loyalhook.plain")

local frame = {}

local GREETING = "Hi {{member_info.first_name|there}},"
local WHY = "You get this mail as a member of {{program.name|our loyalty programme}}."

-- A piece that stands only if the value is there.
local function only_if(name, piece)
  return ("{{#%s}}%s{{/%s}}"):format(name, piece, name)
end

local function put_facts(out, facts)
  for _, fact in ipairs(facts) do
    out[#out + 1] = ("{{#%s}}\n  %s: {{%s}}\n{{/%s}}"):format(fact[2], fact[1], fact[2], fact[2])
  end
  if #facts > 0 then
    out[#out + 1] = ""
  end
end

--- The source of the text part.
function frame.text(said)
  local out = { said.title or said.subject, "", GREETING, "" }
  for index, line in ipairs(said.lines) do
    out[#out + 1] = line
    out[#out + 1] = ""
    if index == 1 and said.code then
      out[#out + 1] = ("{{#%s}}\n  %s: {{%s}}\n\n{{/%s}}"):format(said.code[1], said.code[2],
        said.code[1], said.code[1])
    end
  end
  put_facts(out, said.facts)
  for _, piece in ipairs({
    "{{#program.url}}\nYour account: {{program.url}}\n\n{{/program.url}}",
    "{{#program.support}}\nQuestions? {{program.support}}\n\n{{/program.support}}",
    "-- ", WHY,
    "{{#unsubscribe_url}}\nUnsubscribe: {{unsubscribe_url}}\n{{/unsubscribe_url}}",
    "{{#program.address}}\n{{program.address}}\n{{/program.address}}",
  }) do
    out[#out + 1] = piece
  end
  return table.concat(out, "\n") .. "\n"
end

local FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,"
  .. "sans-serif;"

-- For readers of mail that know no style sheets, each element has its style with it.
local STYLES = {
  ground = "margin:0;padding:24px 12px;background:#eef0f3;color:#1f2328;" .. FONT
    .. "font-size:16px;line-height:1.5;",
  card = "max-width:520px;margin:0 auto;padding:32px;background:#ffffff;border-radius:12px;",
  brand = "margin:0 0 24px;font-size:14px;font-weight:bold;color:#57606a;",
  title = "margin:0 0 20px;font-size:24px;line-height:1.25;",
  line = "margin:0 0 16px;",
  label = "margin:24px 0 4px;font-size:14px;color:#57606a;",
  code = "margin:0 0 24px;padding:16px;border:1px solid #8c959f;border-radius:8px;"
    .. "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:24px;"
    .. "line-height:1.25;text-align:center;word-break:break-all;",
  facts = "width:100%;margin:24px 0;border-collapse:collapse;font-size:15px;",
  name = "padding:10px 16px 10px 0;border-top:1px solid #d0d7de;text-align:left;"
    .. "vertical-align:top;font-weight:normal;color:#57606a;",
  value = "padding:10px 0;border-top:1px solid #d0d7de;text-align:right;vertical-align:top;"
    .. "font-weight:bold;word-break:break-word;",
  action = "margin:24px 0 16px;",
  button = "display:inline-block;padding:12px 24px;border-radius:8px;background:#0b5cad;"
    .. "color:#ffffff;font-weight:bold;text-decoration:none;",
  footer = "max-width:520px;margin:16px auto 0;padding:0 32px;font-size:13px;color:#57606a;",
  small = "margin:0 0 8px;",
  link = "color:inherit;",
}

local DARK = [[
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) {
  .card { padding: 24px 20px !important; }
  .footer { padding: 0 20px !important; }
}
@media (prefers-color-scheme: dark) {
  .ground { background: #0d1117 !important; color: #e6edf3 !important; }
  .card { background: #1b2129 !important; }
  .brand, .label, .name, .footer { color: #9da7b3 !important; }
  .name, .value { border-color: #3d444d !important; }
  .code { border-color: #6e7681 !important; }
  .button { background: #6cb6ff !important; color: #0d1117 !important; }
}
</style>]]

-- An element around finished markup; class and style have the same name.
local function around(tag, style, markup, more)
  return ('<%s class="%s" style="%s"%s>%s</%s>'):format(tag, style, plain.html(STYLES[style]),
    more or "", markup, tag)
end

local function element(tag, style, text, more)
  return around(tag, style, plain.html(text), more)
end

local function fact_value(name)
  local value = ("{{%s}}"):format(name)
  if name:find("URL$") then
    return around("a", "link", value, (' href="%s"'):format(value))
  end
  return value
end

local function facts_of(facts)
  local rows = {}
  for index, fact in ipairs(facts) do
    rows[index] = only_if(fact[2], "<tr>" .. element("th", "name", fact[1], ' scope="row"')
      .. around("td", "value", fact_value(fact[2])) .. "</tr>")
  end
  return #rows > 0 and around("table", "facts", "\n" .. table.concat(rows, "\n") .. "\n") or ""
end

local function code_of(code)
  return code and only_if(code[1], element("p", "label", code[2])
    .. around("p", "code", ("{{%s}}"):format(code[1])))
end

local function card_of(said)
  local out = {
    only_if("program.name", around("p", "brand", "{{program.name}}")),
    element("h1", "title", said.title or said.subject),
    element("p", "line", GREETING),
  }
  for index, line in ipairs(said.lines) do
    out[#out + 1] = element("p", "line", line)
    out[#out + 1] = index == 1 and code_of(said.code) or nil
  end
  out[#out + 1] = facts_of(said.facts)
  out[#out + 1] = only_if("program.url", around("p", "action",
    around("a", "button", "Your account", ' href="{{program.url}}"')))
  out[#out + 1] = only_if("program.support", around("p", "line", "Questions? {{program.support}}"))
  return table.concat(out, "\n")
end

local FOOTER = {
  element("p", "small", WHY),
  only_if("unsubscribe_url", around("p", "small",
    around("a", "link", "Unsubscribe", ' href="{{unsubscribe_url}}"'))),
  only_if("program.address", around("p", "small", "{{program.address}}")),
}

--- The source of the HTML part.
function frame.html(said)
  local head = {
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="supported-color-schemes" content="light dark">',
    "<title>" .. plain.html(said.title or said.subject) .. "</title>",
    DARK .. "\n</head>",
  }
  local body = around("body", "ground", "\n" .. around("div", "card", "\n" .. card_of(said) .. "\n",
    ' role="article" aria-label="Mail"') .. "\n"
    .. around("div", "footer", "\n" .. table.concat(FOOTER, "\n") .. "\n") .. "\n")
  return table.concat(head, "\n") .. "\n" .. body .. "\n</html>\n"
end

return frame
