-- How bash, zsh and fish ask for completions: a function of theirs hands the words of the line to
-- `loyalhook completion SHELL -- WORD…` and offers what comes back. The first line is what kind of
-- thing may stand there: "words", which follow, or "files", which the shell knows better. Nothing
-- that comes back is run, and nothing is said when something fails.

local shells = {}

-- In bash a word ends at = and : too (COMP_WORDBREAKS): such pieces are put together before asking,
-- and of an answer only what stands behind the last of them is given to bash.
local BASH = [=[
# bash completion of loyalhook, printed by: loyalhook completion bash
_loyalhook() {
  local line=${COMP_LINE:0:COMP_POINT} blank piece word prefix='' kind='' i
  local -a words=()
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    blank=${line%%[![:blank:]]*}
    line=${line#"$blank"}
    piece=${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && piece=$line
    if [[ $blank || $i -eq 0 ]]; then
      words+=("$piece")
    else
      words[${#words[@]}-1]+=$piece
    fi
    line=${line#"$piece"}
  done
  word=${words[${#words[@]}-1]}
  case $word in
    [\'\"]*) ;;
    *[=:]*) [[ $COMP_WORDBREAKS == *[=:]* ]] && prefix=${word%"${word##*[=:]}"} ;;
  esac
  words=("${words[@]//[\\\'\"]/}")
  while IFS= read -r piece; do
    if [[ ! $kind ]]; then
      kind=$piece
    else
      piece=${piece#"$prefix"}
      [[ $word == [\'\"]* ]] || printf -v piece %q "$piece"
      COMPREPLY+=("$piece")
    fi
  done < <("${words[0]/#\~/$HOME}" completion bash -- "${words[@]:1}" 2>/dev/null)
  if [[ $kind == files ]]; then
    compopt -o default 2>/dev/null
  fi
  return 0
}
complete -F _loyalhook loyalhook
]=]

local ZSH = [=[
#compdef loyalhook
# zsh completion of loyalhook, printed by: loyalhook completion zsh
_loyalhook() {
  local program=${(Q)words[1]}
  local -a lines
  lines=("${(@f)$("${program/#\~/$HOME}" completion zsh -- \
    "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  case $lines[1] in
    words)
      shift lines
      _describe -t values value lines
      ;;
    files)
      compset -P '--*='
      _files
      ;;
    *) return 1 ;;
  esac
}
if [[ ${funcstack[1]} == _loyalhook ]]; then
  _loyalhook "$@"
elif (( $+functions[compdef] )); then
  compdef _loyalhook loyalhook
fi
]=]

local FISH = [=[
# fish completion of loyalhook, printed by: loyalhook completion fish
function __loyalhook_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    type -q -- $program; or return
    set -l lines ($program completion fish -- $words[2..-1] "$word" 2>/dev/null)
    switch "$lines[1]"
        case words
            printf '%s\n' $lines[2..-1]
        case files
            set -l option (string match -r -- '^--[^=]*=' $word)
            set -l path (string replace -r -- '^--[^=]*=' '' $word)
            printf "$option%s\n" (__fish_complete_path "$path")
    end
end
complete -c loyalhook -f -a '(__loyalhook_complete)'
]=]

--- The script that a shell reads, by its name.
shells.scripts = { bash = BASH, zsh = ZSH, fish = FISH }

local lines = {}

-- bash shows no descriptions, and filters nothing itself.
function lines.bash(word, description, current)
  return word:sub(1, #current) == current and word or nil, description
end

function lines.zsh(word, description)
  return (word:gsub("[\\:]", "\\%0")) .. (description ~= "" and ":" .. description or "")
end

function lines.fish(word, description)
  return word .. "\t" .. description
end

--- The answer to a shell: what kind of thing may stand for `current`, then a line for each
--- candidate { word, description }.
function shells.answer(shell, kind, candidates, current)
  local answer = { kind }
  for _, pair in ipairs(candidates) do
    local line = lines[shell](pair[1], pair[2], current)
    answer[#answer + 1] = line
  end
  return answer
end

return shells
