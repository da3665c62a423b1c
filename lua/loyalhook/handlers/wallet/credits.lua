-- How much an event is worth, as a merchant sets it, per event type, in whole minor units (cents)
-- or points. Integers only: numbers come as numbers or as texts ("360"), and whatever is not whole,
-- is negative or beyond the limit is refused, never rounded into an amount.
--
--   event_points_redeemed = { points = "transaction_info.redeem_info.points",
--                             rate = { points = 100, amount = 500 } }    100 points: 5.00
--   event_referral_success = { amount = 1000 }                          always 10.00
--   event_points_earned = { amount = "transaction_info.….credit_cents" } a field of the event

local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local template = require("loyalhook.handlers.template")
local view = require("loyalhook.handlers.view")

local credits = {}

local AMOUNT_MAX = 99999999 -- minor units; what card schemes and Stripe take at most
local POINTS_MAX = 1000000000000 -- times a rate this stays exact in a double
local RULE = { points = "string", amount = "string or number", rate = "table", most = "number" }

local function is_whole(value, least, most)
  return type(value) == "number" and value == math.floor(value) and value >= least
    and value <= most
end

-- 2.0 is 2 on LuaJIT and must be so in texts on Lua 5.4 too.
local function whole(value)
  return math.tointeger and math.tointeger(value) or value
end

--- A value of an event as a whole number from 0 to `most`, or nil.
function credits.integer(value, most)
  if type(value) == "string" then
    local digits = value:find("^%d+$") and value:gsub("^0+", "")
    value = digits and #digits <= 15 and tonumber("0" .. digits) or nil
  end
  return is_whole(value, 0, most) and whole(value) or nil
end

local function check_rate(rate)
  if rate == nil then
    return { points = 1, amount = 1 }
  elseif is_whole(rate.points, 1, 1000000) and is_whole(rate.amount, 1, 1000000)
    and not options.unknown(rate, { points = true, amount = true }, "key") then
    return rate
  end
end

local function check_rule(rule)
  if type(rule) ~= "table" then
    return nil, "expected a table"
  end
  local problem = options.unknown(rule, RULE, "key")
  local rate = check_rate(type(rule.rate) == "table" and rule.rate or nil)
  if problem then
    return nil, problem
  elseif (rule.points == nil) == (rule.amount == nil) then
    return nil, "expected either points or amount"
  elseif rule.points and type(rule.points) ~= "string" then
    return nil, "points: expected the path of a field"
  elseif rule.amount and type(rule.amount) ~= "string" and not is_whole(rule.amount, 1, AMOUNT_MAX)
  then
    return nil, "amount: expected whole minor units, or the path of a field"
  elseif not rate or rule.rate ~= nil and (type(rule.rate) ~= "table" or rule.amount) then
    return nil, "rate: expected { points = whole, amount = whole }, for points only"
  elseif rule.most ~= nil and not is_whole(rule.most, 1, AMOUNT_MAX) then
    return nil, "most: expected whole minor units"
  end
  return { points = rule.points, amount = rule.amount, rate = rate,
    most = rule.most or AMOUNT_MAX }
end

--- Checks a table event type → rule. Returns the rules and the list of their event types, or nil,
-- message, "config".
function credits.check(given, where)
  if type(given) ~= "table" or next(given) == nil then
    return nil, where .. ": expected a table event type = { points = …, rate = … }", "config"
  end
  local rules, types = {}, {}
  for name, rule in pairs(given) do
    if type(name) ~= "string" or not name:find("^[a-z0-9_.]+$") then
      return nil, ("%s: %s is no event type"):format(where, tostring(name)), "config"
    end
    local problem
    rules[name], problem = check_rule(rule)
    if problem then
      return nil, ("%s.%s: %s"):format(where, name, problem), "config"
    end
    types[#types + 1] = name
  end
  table.sort(types)
  return rules, types
end

--- The amount of an event: a whole number, 0 when its points are worth less than one unit (a part
-- of a unit is dropped). data: as view.of gives it. Or nil, message: the event is refused.
function credits.amount(rules, event, data)
  local rule = rules[event.event_type]
  if not rule then
    return nil, "no credit is set for " .. event.event_type
  end
  local path = rule.points or rule.amount
  local amount = path
  if type(path) == "string" then
    local most = rule.points and POINTS_MAX or AMOUNT_MAX
    amount = credits.integer(template.value(data, path), most)
    if not amount then
      return nil, ("%s: expected a whole number from 0 to %d"):format(path, most)
    end
  end
  if rule.points then
    local product = amount * rule.rate.amount
    if product >= 2 ^ 53 then
      return nil, path .. ": too many points"
    end
    amount = (product - product % rule.rate.points) / rule.rate.points
  end
  if amount > rule.most then
    return nil, ("%d is more than the most that is credited for %s, %d"):format(amount,
      event.event_type, rule.most)
  end
  return whole(amount)
end

--- A handler. self: { credits (as check returned them), when_unknown }; types: its event types;
-- credit(self, event, context, data, amount) is called for what is worth something; given: the
-- options of every handler.
function credits.handler(name, self, types, credit, given)
  local function handle(event, context)
    local data = view.of(event)
    local amount, problem = credits.amount(self.credits, event, data)
    if not amount then
      return nil, problem, "fail"
    elseif amount == 0 then
      context.log("info", "worth less than one unit, nothing to credit", { event = event.id })
      return true
    end
    return credit(self, event, context, data, amount)
  end
  return policy.apply({ name = name, event_types = types, serial = "member",
    when_unknown = self.when_unknown, handle = handle }, given)
end

return credits
