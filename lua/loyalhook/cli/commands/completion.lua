-- loyalhook completion: the script that lets a shell complete this program's lines; and, asked by
-- that script, what a word could be. What is offered follows from the definitions of the commands.

local document = require "loyalhook.cli.document"

local completion = {}

completion.examples = {
  "loyalhook completion bash > ~/.local/share/bash-completion/completions/loyalhook",
  "loyalhook completion zsh > ~/.zfunc/_loyalhook    # where fpath has ~/.zfunc",
  "loyalhook completion fish > ~/.config/fish/completions/loyalhook.fish",
}
completion.notes = [[
The scripts ask loyalhook itself: completion SHELL -- WORD... prints what the last of those words
could be. A webhook's name, an event type or a request's id is completed too, from the store that
the line means.]]

function completion.arguments(parser)
  parser:argument("SHELL", "bash, zsh or fish."):choices({ "bash", "zsh", "fish" }):target("shell")
  parser:argument("WORD"):args("*"):target("words"):hidden(true)
end

function completion.run(args, context)
  local shells = require "loyalhook.cli.shells"
  local script = shells.scripts[args.shell]
  if #args.words == 0 then
    if context.json then
      context.output:document(document.object("shell", args.shell, "script", script))
    else
      context.output:write(script)
    end
    return
  end
  local kind, candidates = require("loyalhook.cli.completion").candidates(
    require "loyalhook.cli.commands", args.words, require("loyalhook.cli.values").look_up)
  context.output:lines(shells.answer(args.shell, kind, candidates, args.words[#args.words]))
end

return completion
