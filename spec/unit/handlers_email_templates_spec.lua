-- Templates of mails: the defaults of all types, a merchant's own, and how mistakes are told.

local email = require("loyalhook.handlers.email")
local events = require("loyalhook.events")
local json = require("loyalhook.json")
local samples = require("loyalhook.samples")
local templates = require("loyalhook.handlers.email.templates")

local EARNED = "event_points_earned"
local PROGRAM = { name = "Club <3", url = "https://shop.example/club",
  support = "help@shop.example", address = "Shop Ltd, Leeds" }

local folder

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function preview(parts, data, more)
  local given = { templates = { [EARNED] = parts }, program = PROGRAM }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return email.preview(given, EARNED, data)
end

local function refusal(parts, more)
  local mail, message, code = preview(parts, nil, more)
  assert.is_nil(mail)
  assert.are.equal("config", code)
  return message
end

-- What is wrong with a page's nesting, or nil.
local function unbalanced(page)
  local open = {}
  local void = { meta = true, br = true, img = true }
  for slash, name in page:gsub("<!.->", ""):gmatch("<(/?)(%w+)") do
    if slash == "" and not void[name] then
      open[#open + 1] = name
    elseif slash == "/" and table.remove(open) ~= name then
      return name
    end
  end
  return open[1]
end

describe("the default templates", function()
  for _, entry in ipairs(events.all()) do
    it("of " .. entry.name .. " say something of every sample", function()
      for seed = 1, 15 do
        local data = assert(samples.event(entry.name, seed))
        local mail = assert(email.preview({ program = PROGRAM,
          unsubscribe = { url = "https://x" } }, entry.name, data))
        assert.is_truthy(mail.subject:find("%S"))
        assert.is_true(#mail.subject < 100)
        for _, part in pairs(mail) do
          assert.is_nil(part:find("{{", 1, true))
        end
        assert.is_nil(mail.text:find("  +[,.]"), mail.text)
        assert.is_truthy(mail.text:find("Hi " .. data.member_info.first_name .. ",", 1, true))
        assert.is_nil(mail.text:find("\n\n\n"), mail.text)
        assert.is_nil(unbalanced(mail.html))
        assert.is_truthy(mail.html:find("Club &lt;3", 1, true))
        local free = entry.name == "event_member_otp_generation"
        assert.are.equal(free, mail.text:find("Unsubscribe", 1, true) == nil)
        assert.are.equal(free, mail.html:find("Unsubscribe", 1, true) == nil)
      end
    end)

    it("of " .. entry.name .. " get along without everything that may be absent", function()
      local mail, message = email.preview({}, entry.name, { member_info = { id = "1" } })
      if entry.name == "event_member_otp_generation" then
        assert.are.equal("not mailed: found.code is absent in this event", message)
        mail = assert(email.preview({}, entry.name, { member_info = { id = "1" },
          otp_info = { otp_code = "007" } }))
        assert.is_truthy(mail.html:find(">007<", 1, true))
      end
      assert.is_truthy(mail.text:find("Hi there,", 1, true))
      assert.is_nil(mail.text:find("\n\n\n"), mail.text)
      assert.is_nil(mail.subject:find("  "))
      assert.is_nil(unbalanced(mail.html))
    end)
  end

  it("show numbers as they came", function()
    for _, points in ipairs({ 360, "360", "1,360.50", 0.5 }) do
      local data = { member_info = { id = "1" },
        transaction_info = { award_info = { points = points } } }
      assert.are.equal(("You earned %s points"):format(points),
        email.preview({}, EARNED, data).subject)
    end
  end)

  it("do not fall for hostile members", function()
    local evil = "\"><img src=x onerror=alert(1)>\r\nBcc: a@b\r\n\r\n{{program.name}}\226\128\174"
      .. "https://evil.example\0" .. ("x"):rep(100000)
    for _, entry in ipairs(events.all()) do
      local data = samples.event(entry.name)
      local function poison(value)
        for name, inner in pairs(value) do
          if type(inner) == "table" then
            poison(inner)
          else
            value[name] = evil
          end
        end
      end
      poison(data)
      local mail = assert(email.preview({ program = { name = "Club" } }, entry.name, data))
      assert.is_nil(mail.html:find("<img", 1, true))
      for _, part in pairs(mail) do
        assert.is_nil(part:find("\n%s*Bcc:"))
        assert.is_nil(part:find("https://evil", 1, true))
        assert.is_nil(part:find("[%z\r\226]\128\174"))
        assert.is_true(#part < 60000)
      end
      assert.is_truthy(mail.text:find("{{program.name}}", 1, true)) -- and not Club
      assert.is_nil(mail.subject:find("[%c]"))
    end
  end)
end)

describe("a merchant's template", function()
  it("takes the place of each part", function()
    local data = { member_info = { id = "1", first_name = "Zoë" } }
    local usual = preview({}, data)
    local mail = preview({ subject = "Hey {{member_info.first_name}}" }, data)
    assert.are.same({ "Hey Zoë", usual.text, usual.html }, { mail.subject, mail.text, mail.html })
    mail = preview({ html = "<p>{{member_info.first_name}}</p>" }, data)
    assert.are.same({ usual.subject, usual.text, "<p>Zoë</p>" },
      { mail.subject, mail.text, mail.html })
  end)

  it("of the text goes alone, without a page that says something else", function()
    assert.is_nil(preview({ text = "Hi" }).html)
    assert.are.equal("<p>", preview({ text = "Hi", html = "<p>" }).html)
    assert.is_nil(preview({ html = false }).html)
  end)

  it("may name what is published, the programme, the event, and lists", function()
    local mail = assert(preview({ subject = "x", text = "{{program.colour}} {{event.id}} "
      .. "{{event.event_type}} {{event.source}} {{event.received_at}} {{found.reward_name|none}} "
      .. "{{member_info.tier_info.loyalty_tier_name}} {{member_info.custom_attributes.any.thing}} "
      .. "{{member_info.points_expiration_schedule.1.points}} {{member_info.member_tags}}"
      .. "{{#transaction_info.transaction_attributes.products}}{{product_title}}; "
      .. "{{/transaction_info.transaction_attributes.products}}" },
      { member_info = { tier_info = { loyalty_tier_name = "Gold" }, member_tags = { "a", "b" },
        points_expiration_schedule = { { points = "5" } } },
        transaction_info = { transaction_attributes = {
          products = { { product_title = "Tea" } } } } },
      { program = { colour = "red" } }))
    assert.are.equal("red " .. ("0"):rep(24) .. " event_points_earned sample "
      .. "1970-01-01T00:00:00.000Z none Gold  5 a, bTea; ", mail.text)
  end)

  it("may name fields that the merchant says he has", function()
    local more = { fields = { "member_info.colour", "extra" } }
    assert.are.equal("red x", preview({ text = "{{member_info.colour}} {{extra.a.b}}" },
      { member_info = { colour = "red" }, extra = { a = { b = "x" } } }, more).text)
  end)

  it("is not sent without what it needs", function()
    local needs = { text = "{{otp_info.pin}}", needs = { "otp_info.pin" } }
    local mail, message, code = preview(needs, { member_info = {} })
    assert.is_nil(mail)
    assert.are.equal("not mailed: otp_info.pin is absent in this event", message)
    assert.are.equal("invalid", code)
    assert.is_truthy(preview(needs, { otp_info = { pin = 7 } }))
    assert.is_nil(preview(needs, { otp_info = { pin = json.null } }))
    assert.is_nil(preview(needs, { otp_info = { pin = " " } }))
  end)

  it("of a type of his own needs a subject and a text", function()
    local given = { templates = { event_order_paid = { subject = "Order {{order.id}}" } } }
    local mail, message = email.preview(given, "event_order_paid", { order = { id = 7 } })
    assert.is_nil(mail)
    assert.is_truthy(message:find("event_order_paid has no default template", 1, true))
    given.templates.event_order_paid.text = "Paid: {{order.total|}}"
    mail = assert(email.preview(given, "event_order_paid", { order = { id = 7 } }))
    assert.are.equal("Order 7", mail.subject)
  end)

  it("has its subject cut, between characters", function()
    local subject = preview({ subject = ("ë"):rep(400) }).subject
    assert.are.equal(("ë"):rep(125), subject)
  end)
end)

describe("a mistake in a template is told with its place:", function()
  local cases = {
    { "a misspelt field", { text = "a\n{{member_info.frist_name}}" },
      "templates.event_points_earned.text:2: {{member_info.frist_name}}: no field"
        .. ' member_info.frist_name is known; did you mean "member_info.first_name" or' },
    { "a misspelt object", { subject = "{{memberinfo.id}}" },
      'no field memberinfo is known; did you mean "member_info"?' },
    { "in a section", { text = "{{#member_info.id}}{{member_info.agee}}{{/member_info.id}}" },
      "no field member_info.agee is known" },
    { "a section's own", { text = "{{#program.nam}}{{/program.nam}}" },
      'did you mean "program.name"' },
    { "an entry's field", { text = "{{#transaction_info.transaction_attributes.products}}{{titel}}"
      .. "{{/transaction_info.transaction_attributes.products}}" }, "no field titel is known" },
    { "a list", { text = "{{member_info.points_expiration_schedule.points}}" },
      "its entries are member_info.points_expiration_schedule.1" },
    { "a text's part", { text = "{{member_info.first_name.len}}" },
      "member_info.first_name has no parts" },
    { "found", { text = "{{found.cod}}" }, 'did you mean "found.code"?' },
    { "event", { text = "{{event.data}}" }, "no field event.data is known" },
    { "what is not closed", { text = "\n\n{{#program.name}}" },
      "templates.event_points_earned.text:3: {{#program.name}}: never closed" },
    { "a value among attributes", { html = "<p>\n<a {{program.name}}>" },
      "templates.event_points_earned.html:2: {{program.name}}: a value can stand in text" },
    { "a value without quotes", { html = "<a href={{program.url}}>" }, "put quotes around" },
    { "a value in a script", { html = "<script>{{program.url}}</script>" }, "would be code" },
    { "a section that ends elsewhere", { html = '<p {{#program.url}}title="{{/program.url}}">' },
      "must end where it began" },
    { "two lines of subject", { subject = "a\nb" }, "subject: expected one line" },
    { "no subject", { subject = " " }, "subject: expected one line" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local message = refusal(case[2])
      assert.is_truthy(message:find(case[3], 1, true), message)
    end)
  end
end)

describe("templates in files", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
  end)
  after_each(function() os.execute("rm -rf " .. folder) end)

  it("are read for each part that has one", function()
    write("event_points_earned.subject", "\239\187\191Points for {{member_info.first_name}}\r\n")
    write("event_points_earned.html", "<p>")
    local mail = assert(preview(nil, { member_info = { first_name = "Zoë" } },
      { template_folder = folder }))
    assert.are.equal("Points for Zoë", mail.subject)
    assert.are.equal("<p>", mail.html)
    assert.is_truthy(mail.text:find("Hi Zoë", 1, true))
  end)

  it("are named in messages, and not twice what a type has", function()
    write("event_points_earned.txt", "\n{{x}}")
    assert.is_truthy(refusal(nil, { template_folder = folder }):find(folder
      .. "/event_points_earned.txt:2: {{x}}: no field x is known", 1, true))
    assert.is_truthy(refusal({ text = "" }, { template_folder = folder })
      :find("keep one of them", 1, true))
    write("event_points_earned.txt", "a\255")
    assert.is_truthy(refusal(nil, { template_folder = folder }):find("not UTF-8", 1, true))
    write("event_points_earned.txt", ("x"):rep(300000))
    assert.is_truthy(refusal(nil, { template_folder = folder }):find("larger than", 1, true))
  end)

  it("can begin as copies of the defaults", function()
    local data = samples.event(EARNED, 3)
    local usual, parts = preview(nil, data), email.template(EARNED)
    write("event_points_earned.subject", parts.subject .. "\n")
    write("event_points_earned.txt", parts.text)
    write("event_points_earned.html", parts.html)
    assert.are.same(usual, preview(nil, data, { template_folder = folder }))
    assert.is_nil(email.template("event_order_paid"))
    assert.are.same(templates.default(EARNED), parts)
  end)
end)
