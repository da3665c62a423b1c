-- The registry of commands: name, module, one line for the overview. A command is one file in
-- commands/ with two functions: arguments(parser) declares its options, run(args, context) does it
-- and returns nothing or an exit code, or nil, message, code.

local entries = {
  { "init", "store, key file and a commented loyalhook.lua" },
  { "webhook create", "configure a destination for events" },
  { "webhook list", "the webhooks" },
  { "webhook show", "one webhook" },
  { "webhook edit", "change a webhook's settings" },
  { "webhook enable", "deliver to a paused or disabled webhook again" },
  { "webhook disable", "stop delivering to a webhook" },
  { "webhook delete", "remove a webhook for good" },
  { "webhook rotate-secret", "give a webhook a new secret" },
  { "webhook test", "send one sample event to a webhook" },
  { "emit", "accept one event, or many from a file" },
  { "work", "deliver what was accepted" },
  { "request list", "the log of requests, newest first" },
  { "request show", "one request with its attempts" },
  { "request retry", "the same as retry" },
  { "retry", "send failed requests again: chosen ones, or all" },
  { "explain", "why an event was delivered, or was not" },
  { "inbox list", "received events and how far their handlers are" },
  { "inbox show", "one received event with its tasks and data" },
  { "inbox retry", "run failed tasks again: of chosen events, or all" },
  { "inbox handlers", "the handlers that the store knows" },
  { "inbox forget", "end what a removed handler has left" },
  { "notices", "what administrators must hear of, and a test of its mails" },
  { "serve", "receive from configured sources, and work" },
  { "listen", "receive on this machine and show what came, and why not" },
  { "account set", "say who gets the mails about an account" },
  { "account list", "the accounts" },
  { "account show", "one account" },
  { "token create", "let a program use the API" },
  { "token list", "the tokens of programs" },
  { "token revoke", "let a program use the API no more" },
  { "user add", "let a person use the console" },
  { "user list", "the console's users" },
  { "user set-role", "make a user a viewer or an admin" },
  { "user set-password", "give a user another password" },
  { "user remove", "let a person use the console no more" },
  { "user reset", "a new first-run token, for a console without users" },
  { "audit", "who changed what" },
  { "sign", "the signature of a body" },
  { "verify", "whether a signature fits a body, and if not, why" },
  { "trigger", "send one signed sample event to a URL" },
  { "events", "the catalogue of event types" },
  { "stats", "figures of the store or of one webhook" },
  { "doctor", "check the store and what it needs" },
  { "backup", "copy the store to a file while it is in use" },
  { "completion", "let bash, zsh or fish complete command lines" },
  { "version", "the version" },
}

local commands = {}

for index, pair in ipairs(entries) do
  entries[index] = {
    name = pair[1],
    summary = pair[2],
    module = "loyalhook.cli.commands." .. pair[1]:gsub("[ -]", "_"),
  }
end

--- The entry { name, summary, module } of a full name such as "webhook list", or nil.
function commands.find(name)
  for _, entry in ipairs(entries) do
    if entry.name == name then
      return entry
    end
  end
  return nil
end

--- All full names, in the order of the overview.
function commands.names()
  local names = {}
  for index, entry in ipairs(entries) do
    names[index] = entry.name
  end
  return names
end

--- Second words of a group such as "webhook"; empty if there is no such group.
function commands.of_group(group)
  local words = {}
  for _, entry in ipairs(entries) do
    local first, second = entry.name:match("^(%S+) (%S+)$")
    if first == group then
      words[#words + 1] = second
    end
  end
  return words
end

--- First words of commands that have two, each once.
function commands.groups()
  local groups, seen = {}, {}
  for _, entry in ipairs(entries) do
    local group = entry.name:match("^(%S+) ")
    if group and not seen[group] then
      seen[group] = true
      groups[#groups + 1] = group
    end
  end
  return groups
end

--- Rows { name, summary } of all commands, or of one group's.
function commands.overview(group)
  local rows = {}
  for _, entry in ipairs(entries) do
    if not group or entry.name:match("^(%S+) ") == group then
      rows[#rows + 1] = { entry.name, entry.summary }
    end
  end
  return rows
end

return commands
