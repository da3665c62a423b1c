-- Many events from a file, into a sender that the spec plays.

local bulk = require "loyalhook.cli.bulk"
local output = require "loyalhook.cli.output"

local function stream()
  local text = {}
  return {
    write = function(_, ...)
      for _, part in ipairs{ ... } do
        text[#text + 1] = part
      end
      return true
    end,
    flush = function() return true end,
    text = function() return table.concat(text) end,
  }
end

describe("bulk", function()
  local path, out, err, batches

  before_each(function()
    path, out, err, batches = os.tmpname(), stream(), stream(), {}
  end)
  after_each(function() os.remove(path) end)

  local function emit(json, lines, answer)
    local file = assert(io.open(path, "wb"))
    file:write(table.concat(lines, "\n"))
    file:close()
    local sender = {
      emit_each = function(_, list)
        batches[#batches + 1] = #list
        return answer(list, #batches)
      end,
    }
    return pcall(bulk.emit, path, { json = json, output = output.new(json, out, err),
      sender = function() return sender end })
  end

  local function stored(list)
    local results = {}
    for index in ipairs(list) do
      results[index] = { id = ("%d.%d"):format(#batches, index) }
    end
    return results
  end

  local LINE = '{"event_type":"t","data":{}}'

  local function many(count)
    local lines = {}
    for index = 1, count do
      lines[index] = LINE
    end
    return lines
  end

  it("stores a thousand lines at a time", function()
    local done, code = emit(true, many(2500), stored)
    assert.is_true(done)
    assert.are.equal(0, code)
    assert.are.same({ 1000, 1000, 500 }, batches)
    assert.is_not_nil(out.text():find('^{"ids":%["1.1","1.2",.*"3.500"%],"refused":%[%]}\n$'))
  end)

  it("stores fewer of large lines, so that memory stays flat", function()
    local large = '{"event_type":"t","data":{"a":"' .. ("x"):rep(1000000) .. '"}}'
    local lines = {}
    for index = 1, 10 do
      lines[index] = large
    end
    assert.is_true((emit(true, lines, stored)))
    assert.are.same({ 5, 5, 0 }, batches)
  end)

  it("puts refusals of line and store in the order of the lines", function()
    local done, code = emit(true, { LINE, "x", LINE, "", LINE }, function()
      return { { id = "a" }, { code = "conflict", message = "known" }, { id = "b" } }
    end)
    assert.is_true(done)
    assert.are.equal(5, code)
    assert.matches('^{"ids":%["a","b"%],"refused":%[{"line":2,"code":"invalid",.*},'
      .. '{"line":3,"code":"conflict","message":"known"}%]}\n$', out.text())
  end)

  it("ends its document when a batch fails as a whole", function()
    local done, raised = emit(true, many(1500), function(list, batch)
      if batch == 2 then
        return nil, "disk is full; nothing was stored", "full"
      end
      return stored(list)
    end)
    assert.is_false(done)
    assert.are.same({ "failure", "full" }, { raised.stop, raised.code })
    assert.matches('"1.1000"%],"refused":%[%]}\n$', out.text())
  end)

  it("speaks to people on stderr and gives ids to scripts", function()
    local done, code = emit(false, { LINE, "x", LINE }, function()
      return { { id = "a" }, { id = "a", duplicate = true } }
    end)
    assert.is_true(done)
    assert.are.equal(5, code)
    assert.are.equal("a\na\n", out.text())
    assert.matches("^line 2: .+%(invalid%)\n1 stored, 1 known already, 1 refused\n$", err.text())
  end)

  it("needs a file", function()
    local id, message, code = bulk.emit("no/such/file", { sender = function() return {} end })
    assert.is_nil(id)
    assert.matches("no/such/file", message)
    assert.are.equal("not_found", code)
  end)
end)
