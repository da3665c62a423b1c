-- An invented member with everything that member_info publishes. The balances
-- are plain numbers that the event builders move on.

local json = require("loyalhook.json")
local pools = require("loyalhook.samples.pools")
local time = require("loyalhook.time")

local DAY_MS = 86400000

local function plain(name)
  return (name:lower():gsub("[^a-z]", ""))
end

local function copy(source)
  local result = {}
  for key, value in pairs(source) do
    result[key] = value
  end
  return result
end

local function add_contact(member, random)
  local first, last = random:pick(pools.first_names), random:pick(pools.last_names)
  local handle = plain(first) .. plain(last) .. random:int(1, 99)
  local place = copy(random:pick(pools.places))
  place.line1 = random:int(1, 280) .. " " .. random:pick(pools.streets)
  if random:chance(30) then
    place.line2 = "Apt " .. random:int(1, 40)
  end
  member.first_name, member.last_name = first, last
  member.email_address = handle .. "@example.com"
  member.phone_number = "+1-" .. random:text(10, "0123456789")
  member.address = place
  if random:chance(40) then
    member.twitter_handle, member.instagram_handle = "@" .. handle, "@" .. handle
  end
end

local function add_dates(member, random, now_ms)
  local enrolled_ms = now_ms - random:int(30, 1500) * DAY_MS
  member.birthdate = ("%02d/%02d/%d"):format(random:int(1, 12), random:int(1, 28),
    random:int(1950, 2004))
  member.enrollment_date = time.wire(enrolled_ms)
  member.first_purchase_date = time.wire(enrolled_ms + random:int(1, 29) * DAY_MS)
  member.last_purchase_date = time.wire(now_ms - random:int(1, 29) * DAY_MS)
  member.last_modified_date = time.wire(now_ms - random:int(0, 86399) * 1000)
  if random:chance(25) then
    member.anniversary_date = time.wire_date(enrolled_ms)
  end
end

local function add_figures(member, random, now_ms)
  local purchases, cents = random:int(1, 60), random:int(1500, 9500)
  local redeemed, expired = random:int(0, 20) * 50, random:int(0, 4) * 25
  local available = random:int(0, 3000)
  member.number_of_purchases = purchases
  member.revenue = purchases * cents / 100
  member.aov = cents / 100
  member.available_points = available
  member.lifetime_points_redeemed = redeemed
  member.lifetime_points_deducted = 0
  member.lifetime_points_expired = expired
  member.lifetime_points_earned = available + redeemed + expired
  member.number_of_activities = purchases + random:int(0, 10)
  member.number_of_redemptions = math.floor(redeemed / 50)
  member.points_expiration_schedule = json.array()
  if available > 0 then
    member.points_expiration_schedule[1] = {
      expiration_date = time.wire_date(now_ms + random:int(10, 300) * DAY_MS),
      points = math.floor(available / 2) }
  end
end

local function add_programme(member, random, now_ms)
  local tier = copy(random:pick(pools.tiers))
  tier.current_period_start = time.wire_date(now_ms - 180 * DAY_MS)
  tier.current_period_end = time.wire_date(now_ms + 185 * DAY_MS)
  tier.qualified_points = random:int(0, 5000)
  member.tier_info = tier
  member.member_status = "active"
  member.email_subscription_status = random:chance(80) and "subscribed" or "unsubscribed"
  member.preferred_language = random:pick(pools.languages)
  member.gender = random:pick(pools.genders)
  member.referral_code = random:text(8, "ABCDEFGHJKMNPQRSTUVWXYZ23456789")
  member.referral_URL = "https://shop.example.com/?ref=" .. member.referral_code
  member.member_tags = json.array()
  for _ = 1, random:int(0, 3) do
    table.insert(member.member_tags, random:pick(pools.tags))
  end
  member.custom_attributes = {}
  if random:chance(50) then
    member.custom_attributes = { favourite_store = random:pick(pools.places).city,
      shoe_size = random:int(36, 46) }
  end
end

--- A member_info table. `random` is a generator, `now_ms` the present.
return function(random, now_ms)
  local member = { id = random:hex(24), member_id = random:text(10, "0123456789") }
  add_contact(member, random)
  add_dates(member, random, now_ms)
  add_figures(member, random, now_ms)
  add_programme(member, random, now_ms)
  return member
end
