-- The catalogue: the five categories and the twenty event types of the
-- vendor's page, with its names and descriptions. One entry is all that a type
-- needs; subscriptions, payload builders, samples and the command line read it
-- from here. `data` lists the objects of an event's data that the vendor names;
-- `info` is the part of transaction_info that belongs to the type.

local catalogue = {}

catalogue.categories = {
  { name = "transaction", title = "Transaction events" },
  { name = "member", title = "Member events" },
  { name = "referral", title = "Referral events" },
  { name = "system", title = "System events" },
  { name = "campaign", title = "Campaign events" },
}

local TRANSACTION = { "member_info", "transaction_info" }
local MEMBER = { "member_info" }
local REFERRAL = { "member_info", "referral_info" }
local REWARD = { "member_info", "reward_info" }
local CAMPAIGN = { "member_info", "campaign_info" }

catalogue.types = {
  { name = "event_points_earned", category = "transaction", data = TRANSACTION,
    info = "award_info", title = "Points Earned Event",
    description = "When points are awarded (approved) to a user." },
  { name = "event_points_redeemed", category = "transaction", data = TRANSACTION,
    info = "redeem_info", title = "Points Redeemed Event",
    description = "When a user redeems points." },
  { name = "event_points_deducted", category = "transaction", data = TRANSACTION,
    info = "deduct_info", title = "Points Deducted Event",
    description = "When points are deducted from a user’s loyalty points balance." },
  { name = "event_points_expired", category = "transaction", data = TRANSACTION,
    info = "expire_info", title = "Points Expired Event",
    description = "When customer's points expire." },
  { name = "event_points_rejected", category = "transaction", data = TRANSACTION,
    info = "award_info", title = "Points Rejected Event",
    description = "When a user's pending points are rejected in moderation." },

  { name = "event_member_enrol", category = "member", data = MEMBER,
    title = "Member Enrollment Event",
    description = "When a new user enrolls in the loyalty program." },
  { name = "event_member_update", category = "member", data = MEMBER,
    title = "Member Updated Event",
    description = "When the member's attributes are changed." },
  { name = "event_member_delete", category = "member", data = MEMBER,
    title = "Member Deleted Event",
    description = "When a user is deleted from the admin console." },
  { name = "event_member_tierupgrade", category = "member", data = MEMBER,
    title = "Tier Upgrade Event",
    description = "When a customer upgrades to a higher tier." },
  { name = "event_member_tierdowngrade", category = "member", data = MEMBER,
    title = "Tier Downgrade Event",
    description = "When a customer downgrades to a lower tier." },

  { name = "event_friend_incentive_request", category = "referral", data = REFERRAL,
    title = "Friend Incentive Request Event",
    description = "When a coupon is issued to the referrer for a successful referral." },
  { name = "event_referral_link_share", category = "referral", data = REFERRAL,
    title = "Referral link shared via Email or Social Channels Event",
    description = "When the referral link is shared through email or via social channels." },
  { name = "event_referral_success", category = "referral", data = REFERRAL,
    title = "Referral Successful Event",
    description = "When the referred friend clicks on the referral link and makes his first "
      .. "purchase." },

  { name = "event_winback_offer", category = "system", data = REWARD,
    title = "Winback Offer",
    description = "When a user has been inactive for an extended period of time." },
  { name = "event_available_rewards_reminder", category = "system", data = REWARD,
    title = "Available Rewards Reminder Event",
    description = "When a user earns enough points to redeem rewards." },
  { name = "event_member_otp_generation", category = "system",
    data = { "member_info", "otp_info" }, title = "Member OTP Generation Event",
    description = "When a user requests an OTP for user authentication into the loyalty "
      .. "program." },
  { name = "event_points_expiration_reminder", category = "system",
    data = { "member_info", "expiration_info" }, title = "Points Expiration Reminder Event",
    description = "When a user's points are about to expire." },
  { name = "event_rewards_within_reach_reminder", category = "system", data = REWARD,
    title = "Rewards within reach Reminder Event",
    description = "When a user earns 80% of the required points to redeem the reward." },

  { name = "event_campaign_entered", category = "campaign", data = CAMPAIGN,
    title = "Campaign Entered", description = "When a member or members enter a campaign." },
  { name = "event_campaign_exited", category = "campaign", data = CAMPAIGN,
    title = "Campaign Exited", description = "When a member or members exit a campaign." },
}

return catalogue
