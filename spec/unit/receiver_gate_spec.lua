-- What a stranger can measure at the gate. Who comes through it is in receiver_spec.lua.

local core = require("loyalhook.core")
local gate = require("loyalhook.receiver.gate")
local signature = require("loyalhook.signature")
local sources = require("loyalhook.receiver.sources")

local NOW_MS = 1795421624874
local SECRET = "a secret for tests"
local STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
local BODY = '{"events":[]}'

describe("the gate", function()
  local real, computed = core.verifier, 0

  -- Keys that count the signatures they compute.
  before_each(function()
    core.verifier = function(given)
      local keys, message, code = real(given)
      return keys and { close = function() keys:close() end, verify = function(_, body, picked, now)
        local ok, why, word = keys:verify(body, picked, now)
        computed = computed + (word == "signature_mismatch" and 1 or 0)
        return ok, why, word
      end }, message, code
    end
  end)
  after_each(function() core.verifier = real end)

  -- How many signatures are computed for a request, its status, and its code in the log.
  local function admit(door, source, headers)
    computed = 0
    local entry, outcome = door:admit(source, headers, BODY, NOW_MS)
    assert.is_nil(entry)
    return computed, outcome.status, outcome.code
  end

  -- The same where a thread verifies what the gate has screened.
  local function carried(door, source, headers)
    computed = 0
    local picked = assert(door:screen(source, headers, NOW_MS))
    local entry, outcome = gate.verify(door:carry(source, picked, NOW_MS), picked, BODY, NOW_MS)
    assert.is_nil(entry)
    return computed, outcome.status, outcome.code
  end

  it("lets time not tell a known source from an unknown one, whatever scheme is tried", function()
    local door = assert(gate.new({ body_bytes_max = 1000, log = function() end, now_ms = NOW_MS,
      sources = assert(sources.check({ zinrelo = { secrets = { SECRET } },
        hooks = { secrets = { STANDARD }, scheme = "standard" } })) }))
    local zinrelo = signature.headers({ secret = SECRET, body = BODY .. " ", nonce = NOW_MS })
    local given = { scheme = "standard", secret = STANDARD, id = "m1", body = BODY .. " ",
      timestamp = math.floor(NOW_MS / 1000) }
    local standard, repeated = signature.headers(given), signature.headers(given)
    repeated.nonce, repeated["x-zinrelo-signature"] = { "1", "2" }, "x"
    for _, case in ipairs({
      { "zinrelo", zinrelo, "signature_mismatch" }, { "zinrelo", standard, "header_missing" },
      { "hooks", zinrelo, "header_missing" }, { "hooks", standard, "signature_mismatch" },
      { "nobody", zinrelo, "unknown_source" }, { "nobody", standard, "unknown_source" },
      { "zinrelo", repeated, "header_repeated" }, { "nobody", repeated, "unknown_source" },
      { "hooks", repeated, "signature_mismatch" },
    }) do
      assert.are.same({ 1, 401, case[3] }, { admit(door, case[1], case[2]) }, case[1])
      assert.are.same({ 1, 401, case[3] }, { carried(door, case[1], case[2]) }, case[1])
    end
  end)
end)
