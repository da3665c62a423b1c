-- What the mails of the twenty types say unless a merchant says it otherwise: pieces of templates,
-- which frame.lua sets as text and as HTML. Data only.
--
--   subject, title   the title is the subject where there is none
--   lines            paragraphs
--   code             { name, label }: a code to be read off or copied; behind the first paragraph
--   facts            { label, name }: a line each, left out where the value is absent
--   needs            names without which the mail makes no sense: it is not sent

local POINTS = "transaction_info.%s.points"
local ORDER = { "Order", "transaction_info.transaction_attributes.order_id" }
local REASON = { "Reason", "transaction_info.transaction_attributes.reason" }
local BALANCE = { "Your balance", "member_info.available_points" }
local REWARD = { "Reward", "found.reward_name" }
local COUPON = { "found.coupon_code", "Your code" }
local TIER = "member_info.tier_info."
local TIER_FACTS = { { "Your tier", TIER .. "loyalty_tier_name" },
  { "Until", TIER .. "current_period_end" }, BALANCE }

local function points(info, default)
  return ("{{%s|%s}}"):format(POINTS:format(info), default)
end

local defaults = {}

-- Transactions.

defaults.event_points_earned = {
  subject = "You earned " .. points("award_info", "new") .. " points",
  lines = { "Thank you! They are in your account now." },
  facts = { { "For", "transaction_info.award_info.activity_name" }, ORDER, BALANCE },
}

defaults.event_points_redeemed = {
  subject = "Your reward{{#found.reward_name}}: {{found.reward_name}}{{/found.reward_name}}",
  title = "Enjoy your reward",
  lines = { "You turned " .. points("redeem_info", "your") .. " points into a reward." },
  code = COUPON,
  facts = { REWARD, { "Points used", POINTS:format("redeem_info") }, BALANCE },
}

defaults.event_points_deducted = {
  subject = points("deduct_info", "Some") .. " points were deducted",
  lines = { "Points were taken off your balance." },
  facts = { { "Points", POINTS:format("deduct_info") },
    { "Reason", "transaction_info.deduct_info.reason" }, ORDER, BALANCE },
}

defaults.event_points_expired = {
  subject = points("expire_info", "Some") .. " of your points have expired",
  lines = { "Points that are not used for a long time expire. Those that you still have can be"
    .. " turned into rewards." },
  facts = { { "Expired", POINTS:format("expire_info") }, BALANCE },
}

defaults.event_points_rejected = {
  subject = "Your points could not be approved",
  lines = { "Points that were waiting for approval were not added to your balance." },
  facts = { { "Points", POINTS:format("award_info") },
    { "For", "transaction_info.award_info.activity_name" }, ORDER, REASON, BALANCE },
}

-- Members.

defaults.event_member_enrol = {
  subject = "Welcome{{#program.name}} to {{program.name}}{{/program.name}}",
  lines = { "You are a member now. Collect points, and turn them into rewards." },
  facts = { { "Member number", "member_info.member_id" }, BALANCE,
    { "Your referral link", "member_info.referral_URL" } },
}

defaults.event_member_update = {
  subject = "Your details were changed",
  lines = { "The details of your membership were changed.",
    "Was it not you? Then please tell us." },
  facts = { { "Member number", "member_info.member_id" } },
}

defaults.event_member_delete = {
  subject = "Your membership has ended",
  lines = { "Your membership{{#program.name}} of {{program.name}}{{/program.name}} was ended, and"
    .. " your account was deleted." },
  facts = { { "Member number", "member_info.member_id" } },
}

defaults.event_member_tierupgrade = {
  subject = "You have reached {{" .. TIER .. "loyalty_tier_name|a higher tier}}",
  title = "Congratulations!",
  lines = { "You have reached {{" .. TIER .. "loyalty_tier_name|a higher tier}}, and all that"
    .. " comes with it is yours from today on." },
  facts = TIER_FACTS,
}

defaults.event_member_tierdowngrade = {
  subject = "Your tier has changed",
  lines = { "Your tier{{#" .. TIER .. "loyalty_tier_name}} is now {{" .. TIER
    .. "loyalty_tier_name}}{{/" .. TIER .. "loyalty_tier_name}}{{^" .. TIER
    .. "loyalty_tier_name}} has changed{{/" .. TIER .. "loyalty_tier_name}}. With new points you"
    .. " climb again." },
  facts = TIER_FACTS,
}

-- Referrals.

defaults.event_friend_incentive_request = {
  subject = "A coupon for you",
  title = "Thank you for recommending us",
  lines = { "A friend came to us through you. Here is a coupon as our thanks." },
  code = COUPON,
  facts = { BALANCE },
}

defaults.event_referral_link_share = {
  subject = "Thank you for sharing",
  lines = { "You shared your link. When a friend makes a first purchase with it, we let you"
    .. " know." },
  facts = { { "Your link", "member_info.referral_URL" },
    { "Your referral code", "member_info.referral_code" } },
}

defaults.event_referral_success = {
  subject = "Your friend made a first purchase",
  title = "Your recommendation was a success",
  lines = { "A friend made a first purchase through your link. Thank you!" },
  code = COUPON,
  facts = { BALANCE },
}

-- Reminders and codes.

defaults.event_winback_offer = {
  subject = "We miss you{{#member_info.first_name}}, {{member_info.first_name}}"
    .. "{{/member_info.first_name}}",
  lines = { "We have not seen you for a while, so here is something for you." },
  code = COUPON,
  facts = { REWARD, { "Valid until", "found.offer_expires" }, BALANCE },
}

defaults.event_available_rewards_reminder = {
  subject = "You have enough points for {{found.reward_name|a reward}}",
  title = "A reward is waiting for you",
  lines = { "Your points are enough for {{found.reward_name|a reward}}." },
  facts = { REWARD, { "Points needed", "found.reward_points" }, BALANCE },
}

defaults.event_member_otp_generation = {
  subject = "Your sign-in code{{#program.name}} for {{program.name}}{{/program.name}}",
  title = "Your sign-in code",
  lines = { "Here is the code that you asked for.",
    "It works once and for a short time. Do not pass it on: nobody who works for us will ever ask"
    .. " you for it.", "You did not ask for a code? Then nothing needs to be done." },
  code = { "found.code", "Your code" },
  facts = {},
  needs = { "found.code" },
}

defaults.event_points_expiration_reminder = {
  subject = "{{found.expiring_points|Some}} of your points expire soon",
  lines = { "Use them before they are gone." },
  facts = { { "Points that expire", "found.expiring_points" }, { "On", "found.expiring_on" },
    BALANCE },
}

defaults.event_rewards_within_reach_reminder = {
  subject = "{{found.reward_name|Your next reward}} is within reach",
  title = "You are nearly there",
  lines = { "Only {{found.points_missing|a few}} more points until"
    .. " {{found.reward_name|your next reward}}." },
  facts = { REWARD, { "Points needed", "found.reward_points" }, BALANCE },
}

-- Campaigns.

defaults.event_campaign_entered = {
  subject = "You take part: {{found.campaign_name|a new campaign}}",
  title = "You take part",
  lines = { "You are part of {{found.campaign_name|a new campaign}} now." },
  facts = { { "Campaign", "found.campaign_name" }, BALANCE },
}

defaults.event_campaign_exited = {
  subject = "{{found.campaign_name|A campaign}} has ended for you",
  lines = { "You are no longer part of {{found.campaign_name|a campaign}}. Thank you for taking"
    .. " part." },
  facts = { BALANCE },
}

return defaults
