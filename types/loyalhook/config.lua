---@meta loyalhook.config

--- The configuration of a deployment: flag > environment > loyalhook.lua > default.
---@class loyalhook.config
local config = {}

--- Where the configuration comes from.
---@class loyalhook.ConfigOptions
---@field flags? table<string, any> settings as typed on a command line
---@field file? string of loyalhook.lua; else LOYALHOOK_CONFIG, else ./loyalhook.lua if it is there
---@field environment? fun(name: string): string? default os.getenv

--- Reads the configuration.
---@param options? loyalhook.ConfigOptions where from
---@return table? settings name → value
---@return table|string|nil origins name → flag, environment, file or default; or why not
---@return loyalhook.Code? code "config"
function config.load(options) end

--- Runs the text of a configuration file and checks it.
---@param text string of the file
---@param name string shown in messages
---@return table? settings name → value
---@return string? message why not
---@return loyalhook.Code? code "config"
function config.parse(text, name) end

return config
