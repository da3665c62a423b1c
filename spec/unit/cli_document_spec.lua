-- The JSON that commands print.

local document = require "loyalhook.cli.document"
local json = require "loyalhook.json"

describe("a document", function()
  it("keeps the order of its keys and shows what is absent as null", function()
    assert.are.equal('{"b":1,"a":null,"c":"x"}',
      document.encode(document.object("b", 1, "a", nil, "c", "x")))
    assert.are.equal('{"id":"7","name":null}', document.encode(document.pick({ id = "7", more = 1 },
      { "id", "name" })))
  end)

  it("tells empty lists from empty objects", function()
    assert.are.equal('{"list":[],"map":{}}',
      document.encode(document.object("list", document.list(), "map", {})))
    assert.are.equal("[]", document.encode(json.array()))
  end)

  it("writes plain tables with sorted keys", function()
    assert.are.equal('{"a":[1,2],"b":{"c":true}}',
      document.encode{ b = { c = true }, a = { 1, 2 } })
  end)

  it("writes counts as integers on every VM", function()
    assert.are.equal("[5,0,-3,1640796461000,9007199254740991]",
      document.encode(document.list{ 5.0, 0, -3, 1640796461000, 9007199254740991 }))
    assert.are.equal("0.5", document.encode(0.5))
    assert.are.equal("null", document.encode(0 / 0))
  end)

  it("escapes what a terminal or a parser could misread", function()
    assert.are.equal([["\u001b[31m\u0000\n\"\\ \u007f\u009b é"]],
      document.encode("\27[31m\0\n\"\\ \127\194\155 é"))
  end)

  it("is UTF-8 whatever an endpoint answered", function()
    assert.are.equal('"a\239\191\189b"', document.encode("a\255b"))
  end)

  it("leaves JSON that came from somebody as it is, but harmless", function()
    assert.are.equal([[{"data":{"n":1.10,"t":"\u009b"},"none":null}]], document.encode(
      document.object("data", document.raw('{"n":1.10,"t":"\194\155"}'),
        "none", document.raw(nil))))
  end)

  it("shows cjson's null as null", function()
    assert.are.equal("[null]", document.encode(document.list{ json.null }))
  end)
end)
