# Completion of tidegate for bash: eval "$(tidegate completion bash)"
_tidegate() {
    local word rest
    COMPREPLY=()
    while IFS=$'\t' read -r word rest; do
        if [ "$word" = ":files" ]; then
            compopt -o default 2>/dev/null
        else
            COMPREPLY+=("$word")
        fi
        case $word in *=) compopt -o nospace 2>/dev/null ;; esac
    done < <("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _tidegate tidegate
