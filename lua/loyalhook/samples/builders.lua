-- The part of a sample event's data that belongs to its type: for each object
-- that the catalogue names, a function (type, member, random, now_ms) that
-- makes it and moves the member's balances on.

local json = require("loyalhook.json")
local pools = require("loyalhook.samples.pools")
local time = require("loyalhook.time")

local builders = {}

local DAY_MS = 86400000
local UPPER = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

-- The vendor writes numbers now as numbers, now as strings.
local function either(random, number)
  return random:chance(50) and ("%d"):format(number) or number
end

local function copy(source)
  local result = {}
  for key, value in pairs(source) do
    result[key] = value
  end
  return result
end

local function purchase(random)
  local products, cents = json.array(), 0
  for _ = 1, random:int(1, 3) do
    local product = random:pick(pools.products)
    table.insert(products, copy(product))
    cents = cents + math.floor(tonumber(product.product_price) * 100 + 0.5)
  end
  local attributes = { order_id = "order-" .. random:int(100000, 999999),
    order_subtotal = cents / 100, order_total = (cents + 495) / 100, products = products,
    currency = random:pick(pools.currencies), coupons = json.array(), tags = json.array() }
  if random:chance(30) then
    attributes.coupons[1] = random:pick(pools.coupons)
  end
  if random:chance(20) then
    attributes.tags[1] = random:pick(pools.tags)
  end
  return attributes, math.floor(cents / 100)
end

-- By transaction_info's part: what it holds. Each returns the kind, the part
-- and, if any, transaction_attributes.
local parts = {}

function parts.award_info(event_type, member, random)
  local activity = copy(random:pick(pools.activities))
  local rejected = event_type.name == "event_points_rejected"
  local attributes, points = purchase(random)
  if activity.activity_id ~= "made_a_purchase" then
    attributes, points = nil, random:int(1, 20) * 25
  end
  activity.points = either(random, points)
  activity.points_status = rejected and "rejected" or "approved"
  if not rejected then
    member.available_points = member.available_points + points
    member.lifetime_points_earned = member.lifetime_points_earned + points
  end
  return "award", activity, attributes
end

function parts.redeem_info(_, member, random)
  local reward = copy(random:pick(pools.rewards))
  local points = reward.points
  reward.points = either(random, points)
  reward.coupon_code = random:text(10, UPPER)
  member.available_points = math.max(0, member.available_points - points)
  member.lifetime_points_redeemed = member.lifetime_points_redeemed + points
  member.number_of_redemptions = member.number_of_redemptions + 1
  return "redeem", reward
end

function parts.deduct_info(_, member, random)
  local points = random:int(1, 200)
  member.available_points = math.max(0, member.available_points - points)
  member.lifetime_points_deducted = member.lifetime_points_deducted + points
  local reason = random:pick(pools.deductions)
  return "deduct", { reason = reason, points = either(random, points) }, { reason = reason }
end

function parts.expire_info(_, member, random)
  local points = random:int(1, 300)
  member.available_points = math.max(0, member.available_points - points)
  member.lifetime_points_expired = member.lifetime_points_expired + points
  return "expire", { points = either(random, points) }
end

function builders.transaction_info(event_type, member, random, now_ms)
  local kind, part, attributes = parts[event_type.info](event_type, member, random)
  return { id = random:hex(24), transaction_type = kind, member_id = member.member_id,
    created_date = time.wire(now_ms), [event_type.info] = part,
    transaction_attributes = attributes }
end

function builders.referral_info(event_type, member, random, now_ms)
  local info = { referral_code = member.referral_code, created_date = time.wire(now_ms),
    channel = random:pick(pools.channels) }
  if event_type.name ~= "event_referral_link_share" then
    info.friend_email_address = "friend" .. random:int(1, 999) .. "@example.com"
    info.coupon_code = random:text(10, UPPER)
  end
  return info
end

function builders.reward_info(_, member, random, now_ms)
  local reward = copy(random:pick(pools.rewards))
  reward.points_missing = math.max(0, reward.points - member.available_points)
  reward.offer_expires = time.wire_date(now_ms + random:int(7, 60) * DAY_MS)
  return reward
end

function builders.otp_info(_, _, random, now_ms)
  return { otp = random:text(6, "0123456789"), expires = time.wire(now_ms + 600000),
    channel = "email" }
end

function builders.expiration_info(_, member, random, now_ms)
  return { points = either(random, math.floor(member.available_points / 2)),
    expiration_date = time.wire_date(now_ms + random:int(7, 30) * DAY_MS) }
end

function builders.campaign_info(event_type, _, random, now_ms)
  local campaign = copy(random:pick(pools.campaigns))
  local key = event_type.name == "event_campaign_entered" and "entered_date" or "exited_date"
  campaign[key] = time.wire(now_ms)
  return campaign
end

-- What the type says about the member itself.
local function next_tier(step)
  return function(member)
    local tiers, index = pools.tiers, 1
    for at, tier in ipairs(tiers) do
      index = tier.loyalty_tier_id == member.tier_info.loyalty_tier_id and at or index
    end
    local tier = tiers[math.max(1, math.min(#tiers, index + step))]
    member.tier_info.loyalty_tier_id = tier.loyalty_tier_id
    member.tier_info.loyalty_tier_name = tier.loyalty_tier_name
  end
end

--- Changes to the member that a type implies, by type name.
builders.member = {
  event_member_tierupgrade = next_tier(1),
  event_member_tierdowngrade = next_tier(-1),
  event_member_update = function(member, random)
    member.preferred_language = random:pick(pools.languages)
  end,
  event_member_enrol = function(member, _, now_ms)
    member.enrollment_date = time.wire(now_ms)
  end,
  event_member_delete = function(member, _, now_ms)
    member.member_status, member.deleted_date = "deleted", time.wire(now_ms)
  end,
}

return builders
