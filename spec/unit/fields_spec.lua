-- The field names that scripts rely on, pinned.

local fields = require("loyalhook.fields")
local json = require("loyalhook.json")

describe("fields", function()
  it("are those that scripts rely on", function()
    assert.are.equal("id account name url status status_reason status_since event_types "
      .. "batch_size batch_bytes_max batch_wait_ms retries_max retry_interval_s retry_schedule "
      .. "pause_after failed_in_a_row timeout_ms max_in_flight ordered success scheme headers "
      .. "created_at updated_at revision", table.concat(fields.webhook, " "))
    assert.are.equal("request_id webhook_id state reason total_count event_ids attempts_made "
      .. "next_attempt_at created_at finished_at", table.concat(fields.request, " "))
    assert.are.equal("number started_at duration_ms status error url nonce sent headers response",
      table.concat(fields.attempt, " "))
    assert.are.equal("id event_type account created_at data", table.concat(fields.event, " "))
    assert.are.equal("pending sending retrying delivered failed",
      table.concat(fields.states, " "))
  end)

  it("of the receiving side too", function()
    assert.are.equal("id source event_type received_at state tasks",
      table.concat(fields.received, " "))
    assert.are.equal("handler state reason attempts_made next_attempt_at waits error",
      table.concat(fields.task, " "))
    assert.are.equal("name event_types behind tasks loaded_at created_at",
      table.concat(fields.handler, " "))
    assert.are.equal("pending failed done", table.concat(fields.received_states, " "))
    assert.are.equal("pending running retrying done failed",
      table.concat(fields.task_states, " "))
  end)

  it("let every setting of a webhook be read back, but its secret", function()
    local shown = {}
    for _, name in ipairs(fields.webhook) do
      shown[name] = true
    end
    for name in pairs(fields.webhook_settings) do
      assert.are.equal(name ~= "secret", shown[name] == true, name)
    end
  end)

  it("are completed with null for JSON", function()
    local row = { request_id = "r", attempts = { { number = 1 } } }
    local full = fields.with_nulls(fields.request, row)
    assert.are.equal('{"attempts":[{"duration_ms":null,"error":null,"headers":null,"nonce":null,'
      .. '"number":1,"response":null,"sent":null,"started_at":null,"status":null,"url":null}],'
      .. '"attempts_made":null,'
      .. '"created_at":null,"event_ids":null,"finished_at":null,"next_attempt_at":null,'
      .. '"reason":null,"request_id":"r","state":null,"total_count":null,"webhook_id":null}',
      json.encode(full))
    assert.is_nil(row.reason)
  end)
end)
