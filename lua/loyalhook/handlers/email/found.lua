-- What mails want to say of the objects that the vendor does not publish (rewards, codes,
-- campaigns, what expires), under names of our own: {{found.code}}. Each is the first of several
-- fields that has something in it; a merchant whose data calls it otherwise names his field in a
-- template of his own.

local template = require("loyalhook.handlers.template")

local found = {}

local FIELDS = {
  code = { "otp_info.otp", "otp_info.code", "otp_info.otp_code", "otp_info.otp_value",
    "otp_info.passcode", "otp_info.pin", "otp_info.value" },
  coupon_code = { "transaction_info.redeem_info.coupon_code", "referral_info.coupon_code",
    "reward_info.coupon_code", "campaign_info.coupon_code", "referral_info.coupon",
    "reward_info.coupon", "referral_info.code", "reward_info.code" },
  reward_name = { "transaction_info.redeem_info.reward_name", "reward_info.reward_name",
    "reward_info.name", "reward_info.title", "reward_info.offer_name", "reward_info.1.reward_name",
    "reward_info.rewards.1.reward_name" },
  reward_points = { "reward_info.points", "reward_info.points_required",
    "reward_info.required_points", "reward_info.reward_points" },
  points_missing = { "reward_info.points_missing", "reward_info.points_needed",
    "reward_info.points_to_reward", "reward_info.remaining_points" },
  offer_expires = { "reward_info.offer_expires", "reward_info.expiration_date",
    "reward_info.expiry_date", "reward_info.expires", "reward_info.valid_until" },
  expiring_points = { "expiration_info.points", "expiration_info.points_to_expire",
    "expiration_info.expiring_points", "member_info.points_expiration_schedule.1.points" },
  expiring_on = { "expiration_info.expiration_date", "expiration_info.expiry_date",
    "expiration_info.date", "member_info.points_expiration_schedule.1.expiration_date" },
  campaign_name = { "campaign_info.campaign_name", "campaign_info.name", "campaign_info.title" },
}

found.names = {}
for name in pairs(FIELDS) do
  found.names[#found.names + 1] = name
end
table.sort(found.names)

--- { code =, coupon_code =, … } of an event's data; what is not there is nil.
function found.of(data)
  local values = {}
  for name, paths in pairs(FIELDS) do
    for _, path in ipairs(paths) do
      local text = template.text(template.value(data, path))
      if text and text:find("%S") then
        values[name] = text
        break
      end
    end
  end
  return values
end

return found
