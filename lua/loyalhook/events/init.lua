-- Event types: which exist, in which category, and what a subscription means.
-- A catalogue is an object, so that two senders with different custom types do
-- not notice each other; the module itself also answers as the default one,
-- which new catalogues start from. The twenty types are in events/catalogue.lua.

local builtin = require("loyalhook.events.catalogue")
local nearest = require("loyalhook.nearest")

local events = {}

local TYPES_MAX = 1000 -- as core/limits.h has it
local NAME_MAX, CATEGORY_MAX, TEXT_MAX = 64, 32, 500

local Catalogue = {}
Catalogue.__index = Catalogue
Catalogue.__name = "loyalhook.events"

local function bare(name)
  return (name:gsub("^event_", ""):gsub("^evt_", ""))
end

local function copy_type(entry)
  return { name = entry.name, category = entry.category, title = entry.title,
    description = entry.description, data = entry.data, info = entry.info,
    builtin = entry.builtin }
end

local function add(self, entry)
  if not self._categories[entry.category] then
    local words = entry.category:gsub("^%l", string.upper):gsub("_", " ")
    self._categories[entry.category] = { name = entry.category, title = words .. " events" }
    table.insert(self._category_names, entry.category)
  end
  self._types[entry.name] = entry
  table.insert(self._names, entry.name)
end

local function refuse(message, ...)
  return nil, message:format(...), "invalid"
end

local function shown(value)
  return (tostring(value):sub(1, 80):gsub("[%c\128-\255]", "?"))
end

local REGISTER_KEYS = { "name", "category", "description", "title" }

local function check_entry(entry)
  for key in pairs(entry) do
    if key ~= "name" and key ~= "category" and key ~= "description" and key ~= "title" then
      return refuse("type: unknown key %s%s", shown(key), nearest.hint(key, REGISTER_KEYS))
    end
  end
  local name, category = entry.name, entry.category
  if type(name) ~= "string" or not name:find("^[a-z0-9_.]+$") or #name > NAME_MAX then
    return refuse("name: expected 1 to %d of a-z 0-9 _ . in an event type, got %s", NAME_MAX,
      shown(name))
  end
  if type(category) ~= "string" or not category:find("^[a-z0-9_]+$")
    or #category > CATEGORY_MAX then
    return refuse("category: expected 1 to %d of a-z 0-9 _ for %s, got %s", CATEGORY_MAX, name,
      shown(category))
  end
  for _, key in ipairs({ "description", "title" }) do
    local text = entry[key]
    if text ~= nil and (type(text) ~= "string" or #text > TEXT_MAX) then
      return refuse("%s: expected at most %d bytes of text for %s", key, TEXT_MAX, name)
    end
  end
  return true
end

--- Adds an event type: name ([a-z0-9_.], at most 64), category (an existing or
-- a new one; [a-z0-9_], at most 32), description and title (optional). The same
-- type again is a no-op. Returns true, or nil, message, code ("invalid", or
-- "conflict" if the type exists in another category, "limit").
function Catalogue:register(entry)
  if type(entry) ~= "table" then
    error("register: expected a table { name =, category =, description = }", 2)
  end
  local ok, message, code = check_entry(entry)
  if not ok then
    return nil, message, code
  end
  local known = self._types[entry.name]
  if known then
    if known.category ~= entry.category then
      return nil, ("%s: already registered in category %s"):format(entry.name, known.category),
        "conflict"
    end
    return true
  elseif #self._names >= TYPES_MAX then
    return nil, ("event types: at most %d can be registered"):format(TYPES_MAX), "limit"
  end
  add(self, { name = entry.name, category = entry.category, builtin = false,
    title = entry.title or entry.name, description = entry.description or "", data = {} })
  return true
end

--- The type's entry { name, category, title, description, data, info, builtin },
-- a copy, or nil.
function Catalogue:get(name)
  local entry = self._types[name]
  return entry and copy_type(entry)
end

--- The type's category, or nil for an unknown type.
function Catalogue:category(name)
  local entry = self._types[name]
  return entry and entry.category
end

--- All types in catalogue order, as get gives them. With a category: only its.
function Catalogue:all(category)
  local list = {}
  for _, name in ipairs(self._names) do
    if category == nil or self._types[name].category == category then
      list[#list + 1] = copy_type(self._types[name])
    end
  end
  return list
end

--- All categories in catalogue order: { name, title, types = { names } }.
function Catalogue:categories()
  local list = {}
  for _, name in ipairs(self._category_names) do
    local types = {}
    for _, entry in ipairs(self:all(name)) do
      types[#types + 1] = entry.name
    end
    list[#list + 1] = { name = name, title = self._categories[name].title, types = types }
  end
  return list
end

--- The types somebody may have meant by `name`, nearest first, at most three.
-- A leading event_ does not count.
function Catalogue:nearest(name)
  return nearest.of(tostring(name), self._names, bare)
end

--- nil, message, "unknown_type" for a type that is not registered: the message
-- names the nearest ones.
function Catalogue:unknown(name)
  return nil, ('unknown event type "%s"%s'):format(shown(name),
    nearest.hint(tostring(name), self._names, bare)), "unknown_type"
end

--- Checks one entry of a webhook's event_types: a type, "category:x" or "*".
-- Returns true, or nil, message, "unknown_type".
function Catalogue:check_selector(selector)
  if type(selector) ~= "string" then
    return refuse("expected an event type, category:NAME or *, got %s", shown(selector))
  end
  local category = selector:match("^category:(.*)$")
  if category then
    if self._categories[category] then
      return true
    end
    return nil, ('unknown category "%s"%s'):format(shown(category),
      nearest.hint(category, self._category_names)), "unknown_type"
  elseif selector == "*" or self._types[selector] then
    return true
  elseif self._categories[selector] then
    return nil, ('unknown event type "%s"; did you mean "category:%s"?'):format(selector,
      selector), "unknown_type"
  end
  return self:unknown(selector)
end

--- The types that a list of selectors means now, in catalogue order. Returns an
-- array of names, or nil, message, code.
function Catalogue:expand(selectors)
  local wanted, categories, everything = {}, {}, false
  for _, selector in ipairs(selectors) do
    local ok, message, code = self:check_selector(selector)
    if not ok then
      return nil, message, code
    end
    everything = everything or selector == "*"
    local category = selector:match("^category:(.*)$")
    if category then
      categories[category] = true
    else
      wanted[selector] = true
    end
  end
  local list = {}
  for _, name in ipairs(self._names) do
    if everything or wanted[name] or categories[self._types[name].category] then
      list[#list + 1] = name
    end
  end
  return list
end

local function empty_catalogue()
  return setmetatable({ _types = {}, _names = {}, _categories = {}, _category_names = {} },
    Catalogue)
end

local function builtin_catalogue()
  local self = empty_catalogue()
  for _, category in ipairs(builtin.categories) do
    self._categories[category.name] = category
    table.insert(self._category_names, category.name)
  end
  for _, entry in ipairs(builtin.types) do
    local copy = copy_type(entry)
    copy.builtin = true
    add(self, copy)
  end
  return self
end

local default = builtin_catalogue()

--- A catalogue of its own: everything the default one has now, plus `types`, an
-- array of entries as register takes them. Returns it, or nil, message, code.
function events.new(types)
  local self = empty_catalogue()
  for _, name in ipairs(default._category_names) do
    self._categories[name] = default._categories[name]
    table.insert(self._category_names, name)
  end
  for _, name in ipairs(default._names) do
    add(self, default._types[name])
  end
  for index, entry in ipairs(types or {}) do
    if type(entry) ~= "table" then
      return refuse("types[%d]: expected a table { name =, category =, description = }", index)
    end
    local ok, message, code = self:register(entry)
    if not ok then
      return nil, ("types[%d]: %s"):format(index, message), code
    end
  end
  return self
end

--- The default catalogue as an object.
function events.default()
  return default
end

-- events.register{…}, events.get(name), … speak to the default catalogue.
for name, method in pairs(Catalogue) do
  if type(method) == "function" then
    events[name] = function(...)
      return method(default, ...)
    end
  end
end

return events
