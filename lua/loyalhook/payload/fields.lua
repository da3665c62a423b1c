-- What the vendor publishes about an event's data, field by field. Payload
-- builders check values against this table; fields that are not here pass
-- through unchecked, because the vendor adds some and does not publish all.
-- Kinds: text, id, number, flag, date, datetime, or a nested description.

local fields = {}

-- Names in a fixed order, so that of several wrong values always the same one is named.
local function sorted_names(members)
  local names = {}
  for name in pairs(members) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function object(members)
  return { kind = "object", members = members, names = sorted_names(members) }
end

local function list(item)
  return { kind = "list", item = item }
end

local function one_of(...)
  return { kind = "one_of", values = { ... } }
end

local MAP = object({}) -- any keys

local ADDRESS = object({
  line1 = "text", line2 = "text", city = "text", state = "text", country = "text",
  postal_code = "id",
})

local TIER = object({
  loyalty_tier_id = "id", loyalty_tier_name = "text", current_period_start = "any_date",
  current_period_end = "any_date", qualified_points = "number",
})

local MEMBER = object({
  id = "id", member_id = "id", first_name = "text", last_name = "text", email_address = "text",
  phone_number = "id", birthdate = "date", anniversary_date = "date", gender = "text",
  address = ADDRESS, twitter_handle = "text", instagram_handle = "text",
  preferred_language = "text", member_status = "text",
  email_subscription_status = one_of("subscribed", "unsubscribed"),
  enrollment_date = "datetime", last_modified_date = "datetime", deleted_date = "datetime",
  first_purchase_date = "datetime", last_purchase_date = "datetime",
  number_of_purchases = "number", revenue = "number", aov = "number",
  available_points = "number", lifetime_points_earned = "number",
  lifetime_points_redeemed = "number", lifetime_points_deducted = "number",
  lifetime_points_expired = "number", number_of_activities = "number",
  number_of_redemptions = "number",
  points_expiration_schedule = list(object({ expiration_date = "any_date", points = "number" })),
  tier_info = TIER, referral_code = "id", referral_URL = "text", referrer_code = "id",
  referrer_ID = "id", referrer_name = "text", member_tags = list("id"),
  custom_attributes = MAP,
})
MEMBER.one_required = { "member_id", "id" }

local PRODUCT = object({
  product_id = "id", product_category = "text", product_price = "number",
  product_title = "text", product_image_url = "text",
})

local TRANSACTION = object({
  id = "id", transaction_type = one_of("award", "redeem", "deduct", "expire"),
  member_id = "id", created_date = "datetime",
  award_info = object({
    activity_id = "id", activity_name = "text", points_status = "text", points = "number",
  }),
  redeem_info = object({
    reward_id = "id", reward_name = "text", coupon_code = "id", points = "number",
  }),
  deduct_info = object({ reason = "text", points = "number" }),
  expire_info = object({ points = "number" }),
  transaction_attributes = object({
    tags = list("id"), reason = "text", order_id = "id", order_total = "number",
    order_subtotal = "number", coupons = list("id"), currency = "text",
    products = list(PRODUCT),
  }),
})

--- Description of each object that data can have. Those of referral, reward,
-- OTP, expiration and campaign are not published: only that they are objects
-- is checked.
fields.objects = {
  member_info = MEMBER,
  transaction_info = TRANSACTION,
  referral_info = MAP,
  reward_info = MAP,
  otp_info = MAP,
  expiration_info = MAP,
  campaign_info = MAP,
}

fields.names = sorted_names(fields.objects)

--- Objects that data must have if the catalogue lists them for the type.
fields.required = { member_info = true, transaction_info = true }

return fields
