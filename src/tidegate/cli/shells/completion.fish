# Completion of tidegate for fish: tidegate completion fish | source
function __tidegate_words
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($typed[1] completion words -- $typed[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path "$current"
    else
        printf '%s\n' $found
    end
end
complete -c tidegate -f -a '(__tidegate_words)'
