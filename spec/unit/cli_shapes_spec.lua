-- The pinned fields, all of them and no other.

local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local json = require "loyalhook.json"
local shapes = require "loyalhook.cli.shapes"

local function keys_of(shape)
  local keys = {}
  for key in document.encode(shape):gmatch('"([%w_]+)":') do
    keys[#keys + 1] = key
  end
  return keys
end

describe("a webhook", function()
  local row = { id = "7", name = "crm", event_types = json.array{ "*" }, secret = "hidden",
    unknown = 1, headers = {}, ordered = false }

  it("has the pinned fields in their order and never its secret", function()
    assert.are.same(fields.webhook, keys_of(shapes.webhook(row)))
    local text = document.encode(shapes.webhook(row))
    assert.is_nil(text:find("hidden", 1, true))
    assert.is_not_nil(text:find('"url":null', 1, true))
    assert.is_not_nil(text:find('"headers":{}', 1, true))
  end)

  it("shows its secret when it is created", function()
    local text = document.encode(shapes.webhook(row, true))
    assert.is_not_nil(text:find('"secret":"hidden"}', 1, true))
  end)

  it("is shown to people without what is empty", function()
    assert.are.same({ { "id", "7" }, { "name", "crm" }, { "event_types", "*" },
      { "ordered", false } }, shapes.webhook_pairs(row))
  end)
end)

describe("a request", function()
  it("has the pinned fields, its attempts too", function()
    local row = { request_id = "7", event_ids = json.array(), attempts = {
      { number = 1, status = 500, more = true } } }
    assert.are.same(fields.request, keys_of(shapes.request(row)))
    local text = document.encode(shapes.request_shown(row))
    assert.is_not_nil(text:find('"event_ids":[]', 1, true))
    assert.is_not_nil(text:find('"attempts":[{"number":1,"started_at":null,"duration_ms":null,'
      .. '"status":500,"error":null,"url":null,"nonce":null,"sent":null,"headers":null,'
      .. '"response":null}]}', 1, true))
    assert.is_nil(row.attempts[1].nonce)
  end)

  it("has the headers of an attempt in their order", function()
    local row = { attempts = { { number = 1, sent = false, headers = { b = "1", a = "2", c = "3" },
      header_names = { "c", "a", "b" }, explanation = "why" } } }
    local wanted = '"sent":false,"headers":{"c":"3","a":"2","b":"1"},"response":null'
    assert.is_not_nil(document.encode(shapes.request_shown(row)):find(wanted .. "}", 1, true))
    assert.is_not_nil(document.encode(shapes.request_explained(row))
      :find(wanted .. ',"explanation":"why"}', 1, true))
  end)
end)

describe("joined", function()
  it("writes lists and maps on a line", function()
    assert.are.equal("a, b", shapes.joined{ "a", "b" })
    assert.are.equal("A: 1, B: 2", shapes.joined{ B = "2", A = "1" })
    assert.are.equal("", shapes.joined{})
  end)
end)
