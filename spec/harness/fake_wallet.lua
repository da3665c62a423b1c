-- What the specs of the wallet handlers have in common: a redemption, and what it is worth.

local fake = require("harness.fake_context")

local wallet = {}

--- 100 points are 5.00.
wallet.RULES = { event_points_redeemed = { points = "transaction_info.redeem_info.points",
  rate = { points = 100, amount = 500 } } }

--- An event of a member who has redeemed so many points.
function wallet.redeemed(points, customer)
  return fake.event("event_points_redeemed", { member_info = { member_id = "m1",
    custom_attributes = { stripe_customer_id = customer or "cus_A1" } },
    transaction_info = { redeem_info = { points = points } } })
end

--- Options with others put over them.
function wallet.with(base, more)
  local all = {}
  for _, part in ipairs({ base, more or {} }) do
    for name, value in pairs(part) do
      all[name] = value
    end
  end
  return all
end

return wallet
