---@meta loyalhook.payload

--- Builders of event data: one for each built-in type, named like the type without `event_`. A
--- builder checks the fields it knows, lets others through, and writes the JSON once. A wrong value
--- does not raise: the payload carries its error, and emit returns it with the path.
---@class loyalhook.payload
local payload = {}

--- What a builder returns.
---@class loyalhook.Payload
---@field event_type string its type
---@field data_json? string the JSON text of its data
---@field error? string what is wrong with the data
---@field code? loyalhook.Code "invalid" or "unknown_type"

--- Checks data against what is known about a type's fields.
---@param event_type string its type
---@param data table the data
---@return true? good
---@return string? message the path, and what is wrong there
---@return loyalhook.Code? code of the failure
function payload.check(event_type, data) end

--- A payload of any type, without a look at its fields.
---@param event_type string its type
---@param data table|string a table, or JSON text taken as it is
---@return loyalhook.Payload payload it
function payload.raw(event_type, data) end

--- The builder of a type; what payload.points_earned and the like call.
---@param event_type string its type
---@param data table the data
---@return loyalhook.Payload payload it
function payload.build(event_type, data) end

--- Whether a value is what a builder returned, good or bad.
---@param value any
---@return boolean is_one
function payload.is_payload(value) end

--- When points are awarded (approved) to a user.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.points_earned(data) end

--- When a user redeems points.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.points_redeemed(data) end

--- When points are deducted from a user’s loyalty points balance.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.points_deducted(data) end

--- When customer's points expire.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.points_expired(data) end

--- When a user's pending points are rejected in moderation.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.points_rejected(data) end

--- When a new user enrolls in the loyalty program.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.member_enrol(data) end

--- When the member's attributes are changed.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.member_update(data) end

--- When a user is deleted from the admin console.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.member_delete(data) end

--- When a customer upgrades to a higher tier.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.member_tierupgrade(data) end

--- When a customer downgrades to a lower tier.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.member_tierdowngrade(data) end

--- When a coupon is issued to the referrer for a successful referral.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.friend_incentive_request(data) end

--- When the referral link is shared through email or via social channels.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.referral_link_share(data) end

--- When the referred friend clicks on the referral link and makes his first purchase.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.referral_success(data) end

--- When a user has been inactive for an extended period of time.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.winback_offer(data) end

--- When a user earns enough points to redeem rewards.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.available_rewards_reminder(data) end

--- When a user requests an OTP for user authentication into the loyalty program.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.member_otp_generation(data) end

--- When a user's points are about to expire.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.points_expiration_reminder(data) end

--- When a user earns 80% of the required points to redeem the reward.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.rewards_within_reach_reminder(data) end

--- When a member or members enter a campaign.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.campaign_entered(data) end

--- When a member or members exit a campaign.
---@param data table its data
---@return loyalhook.Payload payload it
function payload.campaign_exited(data) end

return payload
