-- The type stubs in types/ say what the library has: the same functions, methods, options and
-- fields, no more and no less. Whoever adds one to the library declares it there; LDoc's reference
-- is made of the same files.

package.path = "docs/ldoc/?.lua;" .. package.path

local fields = require "loyalhook.fields"
local loyalhook = require "loyalhook"
local stubs = require "stubs"

local NAMES = { "access", "config", "core", "diagnose", "events", "fields", "handler",
  "handlers.crm.hubspot", "handlers.crm.salesforce", "handlers.email", "handlers.forward",
  "handlers.log", "handlers.wallet.http", "handlers.wallet.stripe", "init", "json", "openresty",
  "payload", "receiver", "records", "samples", "sender", "signature", "time", "worker" }

local files, classes = {}, {}
for _, name in ipairs(NAMES) do
  files[name] = stubs.read("types/loyalhook/" .. name:gsub("%.", "/") .. ".lua")
  for _, item in ipairs(files[name].items) do
    if item.kind ~= "function" then
      classes[item.name] = item
    end
  end
end

local function keys(map)
  local list = {}
  for key in pairs(map) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do
    set[name] = true
  end
  return set
end

-- Names of the functions that a stub declares on a variable: "open", "json.check".
local function declared(file, variable)
  local map = {}
  for _, item in ipairs(file.items) do
    local owner, name = item.name:match("^([%w_]+)[.:](.+)$")
    if item.kind == "function" and owner == variable then
      map[name] = item
    end
  end
  return map
end

-- Public functions of a table, those of tables in it by "name.function".
local function functions_of(value)
  local map = {}
  for name, member in pairs(value) do
    local public = type(name) == "string" and name:sub(1, 1) ~= "_"
    if public and type(member) == "function" then
      map[name] = member
    elseif public and type(member) == "table" and getmetatable(member) == nil then
      for inner, part in pairs(member) do
        if type(part) == "function" then
          map[name .. "." .. inner] = part
        end
      end
    end
  end
  return map
end

local function field_names(class)
  local list = {}
  for _, field in ipairs(classes["loyalhook." .. class].fields) do
    list[#list + 1] = field.name
  end
  return list
end

-- A local of the file that a function stands in, by its name.
local function upvalue(of, name)
  for index = 1, 100 do
    local found, value = debug.getupvalue(of, index)
    if not found then
      break
    elseif found == name then
      return value
    end
  end
  error("no upvalue " .. name)
end

local function check_arguments(item, real, is_method)
  local names = {}
  for index, param in ipairs(item.params) do
    names[index] = param.name
  end
  assert.are.same(item.arguments, names, item.name)
  local info = debug.getinfo(real, "u")
  if not info.isvararg and info.nparams then -- C functions are vararg
    assert.are.equal(info.nparams - (is_method and 1 or 0), #item.arguments, item.name)
  end
end

local function compare(stub, real, is_method)
  assert.are.same(keys(real), keys(stub))
  for name, item in pairs(stub) do
    check_arguments(item, real[name], is_method)
  end
end

describe("the stub of", function()
  for _, name in ipairs({ "access", "config", "core", "diagnose", "fields", "handlers.crm.hubspot",
    "handlers.crm.salesforce", "handlers.email", "handlers.forward", "handlers.log",
    "handlers.wallet.http", "handlers.wallet.stripe", "json", "openresty", "receiver",
    "samples", "sender", "signature", "time", "worker" }) do
    it(name .. " declares its functions", function()
      local file = files[name]
      assert.are.equal("loyalhook." .. name, file.module)
      compare(declared(file, name:match("[^.]+$")), functions_of(require(file.module)))
    end)
  end

  it("payload declares its functions and a builder for each type", function()
    local real = functions_of(loyalhook.payload)
    for _, entry in ipairs(loyalhook.events.all()) do
      local name = entry.name:gsub("^event_", "")
      real[name] = loyalhook.payload[name]
    end
    compare(declared(files.payload, "payload"), real)
  end)

  it("events declares its functions, and that it is a catalogue", function()
    assert.are.equal("loyalhook.Catalogue", classes["loyalhook.events"].parent)
    local all = declared(files.events, "Catalogue")
    for name, item in pairs(declared(files.events, "events")) do
      all[name] = item
    end
    assert.are.same(keys(functions_of(loyalhook.events)), keys(all))
  end)

  it("the door declares its parts", function()
    local index = getmetatable(loyalhook).__index
    local real = { _VERSION = true }
    for _, list in ipairs({ "PARTS", "MARKERS" }) do
      for name in pairs(upvalue(index, list)) do
        real[name] = true
        assert.is_not_nil(loyalhook[name], name)
      end
    end
    local parts = {}
    for _, field in ipairs(classes.loyalhook.fields) do
      parts[field.name] = true
    end
    assert.are.same(keys(real), keys(parts))
  end)
end)

describe("an object's stub", function()
  local path = os.tmpname() .. ".db"
  local sender, worker, receiver

  setup(function()
    sender = assert(loyalhook.sender.open({ store = "sqlite:" .. path, create = true }))
    worker = assert(loyalhook.worker.new({ sender = sender, log = function() end }))
    receiver = assert(loyalhook.receiver.open({ store = "sqlite:" .. path }))
  end)

  teardown(function()
    worker:close()
    receiver:close()
    sender:close()
    for _, suffix in ipairs({ "", "-wal", "-shm", ".lock", ".key" }) do
      os.remove(path .. suffix)
    end
    os.remove((path:gsub("%.db$", "")))
  end)

  it("declares the methods of a sender", function()
    compare(declared(files.sender, "Sender"), functions_of(getmetatable(sender)), true)
  end)

  it("declares the methods of a receiver", function()
    compare(declared(files.receiver, "Receiver"), functions_of(getmetatable(receiver)), true)
  end)

  it("declares the methods of an access", function()
    local real = getmetatable(loyalhook.access.new({ store = sender._store }))
    compare(declared(files.access, "Access"), functions_of(real), true)
  end)

  it("declares the methods of a worker, and what a report has", function()
    compare(declared(files.worker, "Worker"), functions_of(getmetatable(worker)), true)
    local known = set_of(field_names("Report"))
    for name in pairs(assert(worker:step(0))) do
      assert.is_true(known[name], name)
    end
  end)

  it("declares what a handler's context has", function()
    local real = require("loyalhook.handlers.context").new({ handler = { name = "x" },
      leases = { { id = "e", source = "s", attempt = 1, first_ms = 0 } } }, {
      now_ms = function() end })
    compare(declared(files.handler, "HandlerContext"), functions_of(real))
    local known = set_of(field_names("HandlerContext"))
    for name, value in pairs(real) do
      assert.is_true(type(value) == "function" or known[name], name)
    end
  end)

  it("declares the methods of a catalogue and of a verifier", function()
    compare(declared(files.events, "Catalogue"),
      functions_of(getmetatable(loyalhook.events.default())), true)
    local verifier = assert(loyalhook.signature.verifier({ secret = "a shared secret" }))
    for name in pairs(declared(files.signature, "Verifier")) do
      assert.are.equal("function", type(verifier[name]), name)
    end
  end)
end)

describe("the fields of", function()
  local function same(class, names, more)
    local wanted = set_of(names)
    for _, name in ipairs(more) do
      wanted[name] = true
    end
    assert.are.same(keys(wanted), keys(set_of(field_names(class))))
  end

  it("what is returned are those that scripts rely on", function()
    same("Webhook", fields.webhook, { "secret", "secret_rotates_at" })
    same("Request", fields.request, { "attempts" })
    same("Attempt", fields.attempt, { "header_names" })
    same("Event", fields.event, { "data_json" })
    same("Job", fields.job, {})
    same("Notice", fields.notice, {})
    same("Account", fields.account, {})
    same("Token", fields.token, { "token" })
    same("User", fields.user, {})
    same("AuditEntry", fields.audit, {})
    same("Received", fields.received, { "member_id", "data", "data_json" })
    same("Task", fields.task, {})
    same("KnownHandler", fields.handler, {})
  end)

  it("a request's state are the states", function()
    for _, field in ipairs(classes["loyalhook.Request"].fields) do
      if field.name == "state" then
        assert.are.equal('"' .. table.concat(fields.states, '"|"') .. '"', field.type)
      end
    end
  end)

  it("a webhook's settings are of their kind", function()
    local types = { text = "string", integer = "integer", texts = "string[]", flag = "boolean",
      map = "table<string, string>", integers = "integer[]" }
    same("WebhookSettings", keys(fields.webhook_settings), {})
    for _, field in ipairs(classes["loyalhook.WebhookSettings"].fields) do
      local kind = fields.webhook_settings[field.name]
      assert.is_true(field.optional, field.name)
      assert.is_true(field.type == types[kind] or kind == "text" and field.type:find('^"') ~= nil,
        field.name)
    end
  end)
end)

describe("the options of", function()
  local webhooks, records = require "loyalhook.sender.webhooks", require "loyalhook.sender.records"
  local retries = require "loyalhook.sender.retries"
  local notices = require "loyalhook.sender.notices"
  local inbox = require "loyalhook.receiver.records"

  local people, audit = require "loyalhook.access.users", require "loyalhook.access.audit"
  local tokens = getmetatable(loyalhook.access.new({ store = io.stdout }))

  local new_context = require("loyalhook.handlers.context").new

  local cases = {
    SenderOptions = upvalue(loyalhook.sender.open, "OPEN"),
    AccessOf = upvalue(loyalhook.access.new, "NEW"),
    AccessOptions = upvalue(loyalhook.access.open, "OPEN"),
    NewToken = upvalue(tokens.create_token, "TOKEN"),
    NewUser = upvalue(people.add_user, "ADD"),
    UserChange = upvalue(people.set_user, "SET"),
    SignIn = upvalue(people.sign_in, "SIGN_IN"),
    PasswordChange = upvalue(people.change_password, "CHANGE"),
    FirstRunOptions = upvalue(people.make_first_run, "RESET"),
    FirstRun = upvalue(people.first_run, "FIRST_RUN"),
    Note = upvalue(audit.note, "NOTE"),
    AuditFilter = upvalue(audit.audit, "AUDIT"),
    ReceiverOptions = upvalue(loyalhook.receiver.open, "OPEN"),
    Source = upvalue(upvalue(upvalue(require("loyalhook.receiver.sources").check, "check_one"),
      "check_fields"), "FIELDS"),
    NginxReceiverOptions = upvalue(loyalhook.openresty.receiver, "RECEIVER"),
    NginxSenderOptions = require("loyalhook.openresty.sender").options,
    ReceivedFilter = upvalue(inbox.events, "EVENTS"),
    TaskWish = upvalue(upvalue(inbox.retry, "wishes_of"), "RETRY"),
    TaskRetryFilter = upvalue(inbox.retry_failed, "FAILED"),
    Place = require("loyalhook.sender.events").place,
    WebhooksFilter = upvalue(webhooks.webhooks, "LIST"),
    By = upvalue(webhooks.create_webhook, "BY"),
    Which = upvalue(webhooks.update_webhook, "WHICH"),
    EnableOptions = upvalue(webhooks.enable_webhook, "ENABLE"),
    RetryFilter = upvalue(retries.retry_failed, "FAILED"),
    JobsFilter = upvalue(retries.jobs, "JOBS"),
    NoticesFilter = upvalue(notices.notices, "NOTICES"),
    AccountsPage = upvalue(notices.accounts, "ACCOUNTS"),
    AccountSettings = upvalue(notices.set_account, "SET"),
    NoticesOptions = upvalue(upvalue(loyalhook.worker.new, "add_mailer"), "NOTICES"),
    SmtpOptions = upvalue(upvalue(upvalue(require("loyalhook.notices.smtp").check, "check"),
      "check_kinds"), "FIELDS"),
    Rotation = upvalue(webhooks.rotate_secret, "ROTATE"),
    Trial = upvalue(webhooks.test_webhook, "TEST"),
    RequestsFilter = upvalue(records.requests, "REQUESTS"),
    SeriesFilter = upvalue(records.series, "SERIES"),
    RetryScope = upvalue(retries.retry, "RETRY"),
    WorkerOptions = upvalue(loyalhook.worker.new, "NEW"),
    Handler = require("loyalhook.handlers.contract").known,
    HandlerRequest = upvalue(upvalue(new_context, "add_http"), "HTTP"),
    HandlerLetter = upvalue(upvalue(new_context, "add_mail"), "MAIL"),
    EmailOptions = require("loyalhook.handlers.email.settings").known,
    EmailTemplate = require("loyalhook.handlers.email.settings").known_parts,
    Unsubscribe = require("loyalhook.handlers.email.settings").known_ways_out,
    HubspotOptions = upvalue(require("loyalhook.handlers.crm.hubspot").new, "KNOWN"),
    SalesforceOptions = upvalue(require("loyalhook.handlers.crm.salesforce").new, "KNOWN"),
    StripeOptions = upvalue(require("loyalhook.handlers.wallet.stripe").new, "KNOWN"),
    WalletHttpOptions = upvalue(require("loyalhook.handlers.wallet.http").new, "KNOWN"),
    ForwardOptions = upvalue(require("loyalhook.handlers.forward").new, "KNOWN"),
    LogOptions = upvalue(require("loyalhook.handlers.log").new, "KNOWN"),
    Credit = upvalue(upvalue(require("loyalhook.handlers.wallet.credits").check, "check_rule"),
      "RULE"),
    Lookup = upvalue(require("loyalhook.handlers.wallet.lookups").check, "KNOWN"),
    LookupFound = upvalue(require("loyalhook.handlers.wallet.lookups").check, "FOUND"),
    SignOptions = upvalue(loyalhook.signature.sign, "SIGN"),
    VerifyOptions = upvalue(loyalhook.signature.verify, "VERIFY"),
    VerifierOptions = upvalue(loyalhook.signature.verifier, "VERIFIER"),
    RunOptions = upvalue(upvalue(loyalhook.worker.new, "Worker").run, "RUN"),
  }

  for class, known in pairs(cases) do
    it(class .. " are those that are known", function()
      local real = {}
      for name in pairs(known) do
        real[#real + 1] = name
      end
      table.sort(real)
      local names = field_names(class)
      table.sort(names)
      assert.are.same(real, names)
    end)
  end
end)

describe("the stubs", function()
  it("know every error code", function()
    local file = assert(io.open("src/core/error.h"))
    local codes = {}
    for code in file:read("*a"):gmatch('X%(LH_E_[%w_]+,%s*"([%w_]+)"%)') do
      codes[#codes + 1] = code
    end
    file:close()
    assert.are.same(codes, classes["loyalhook.Code"].values)
  end)

  it("say something about everything, and name only what there is", function()
    for _, file in pairs(files) do
      for _, item in ipairs(file.items) do
        assert.is_true(#item.text > 0, file.path .. ": " .. item.name)
        for _, list in ipairs({ item.params, item.returns, item.fields or {} }) do
          for _, part in ipairs(list) do
            for name in part.type:gmatch("loyalhook%.[%a]+") do
              assert.is_not_nil(classes[name], file.path .. ": " .. name)
            end
          end
        end
      end
    end
  end)
end)
