-- Realistic sample events for trying things out: one of a given type, or a
-- stream over all types in which members return and their balances move. The
-- same seed gives the same events on every VM. Made from the documented fields
-- (pools.lua, member.lua, builders.lua); every event passes payload.check.

local builders = require("loyalhook.samples.builders")
local events = require("loyalhook.events")
local json = require("loyalhook.json")
local make_member = require("loyalhook.samples.member")
local new_random = require("loyalhook.samples.random")

local samples = {}

local START_MS = 1735689600000 -- 2025-01-01 00:00:00 UTC, unless the caller says otherwise
local STEP_MS = 37000 -- between two events of a stream
local MEMBERS_MAX = 500

-- How often a type comes in a stream, in parts of the sum; others: 1.
local WEIGHTS = {
  event_points_earned = 40, event_points_redeemed = 12, event_member_update = 12,
  event_member_enrol = 8, event_points_expired = 5, event_points_expiration_reminder = 5,
  event_available_rewards_reminder = 4, event_campaign_entered = 4,
  event_rewards_within_reach_reminder = 3, event_points_deducted = 3,
  event_member_otp_generation = 3, event_referral_link_share = 3,
}

local function copy_deep(value)
  if type(value) ~= "table" then
    return value
  end
  local result = {}
  for key, item in pairs(value) do
    result[key] = copy_deep(item)
  end
  return setmetatable(result, getmetatable(value))
end

local function build(entry, member, random, now_ms)
  local change = builders.member[entry.name]
  if change then
    change(member, random, now_ms)
  end
  local data = {}
  for _, name in ipairs(entry.data) do
    if builders[name] and name ~= "member" then
      data[name] = builders[name](entry, member, random, now_ms)
    end
  end
  data.member_info = copy_deep(member)
  return data
end

--- Sample data of one event type as a table. seed: any whole number (default
-- 1); options: now_ms (the present in the sample, default the start of 2025),
-- catalogue (default the default one). A custom type gets member_info only.
-- Returns the table, or nil, message, "unknown_type".
function samples.event(event_type, seed, options)
  local catalogue = options and options.catalogue or events.default()
  local entry = catalogue:get(event_type)
  if not entry then
    return catalogue:unknown(event_type)
  end
  local now_ms = options and options.now_ms or START_MS
  local random = new_random(seed or 1)
  return build(entry, make_member(random, now_ms), random, now_ms)
end

--- The same as JSON text, or nil, message, code.
function samples.json(event_type, seed, options)
  local data, message, code = samples.event(event_type, seed, options)
  if not data then
    return nil, message, code
  end
  return json.encode(data)
end

-- Every type once for each time it weighs.
local function wheel_of(list)
  local wheel = {}
  for _, entry in ipairs(list) do
    for _ = 1, WEIGHTS[entry.name] or 1 do
      wheel[#wheel + 1] = entry
    end
  end
  return wheel
end

--- An iterator over `count` sample events { event_type, data }: the built-in
-- types each at least once (if count allows), then as often as in a real
-- programme. options.now_ms is the time of the first.
function samples.stream(seed, count, options)
  local random = new_random(seed)
  local list = events.new():all()
  local wheel, members = wheel_of(list), {}
  local size = math.max(1, math.min(MEMBERS_MAX, math.floor(count / 10)))
  local now_ms, index = (options and options.now_ms or START_MS) - STEP_MS, 0
  return function()
    if index >= count then
      return nil
    end
    index = index + 1
    now_ms = now_ms + STEP_MS
    local entry = list[index] or random:pick(wheel)
    local who = random:int(1, size)
    if not members[who] or entry.name == "event_member_enrol" then
      members[who] = make_member(random, now_ms)
    end
    local data = build(entry, members[who], random, now_ms)
    if entry.name == "event_member_delete" then
      members[who] = nil
    end
    return { event_type = entry.name, data = data }
  end
end

return samples
