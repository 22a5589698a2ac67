#compdef tidegate
# Completion of tidegate for zsh: eval "$(tidegate completion zsh)", or this as a file _tidegate
_tidegate() {
    local -a found
    local line word
    for line in "${(@f)$("${words[1]}" completion words -- "${(@)words[2,$CURRENT]}" 2>/dev/null)}"; do
        word="${line%%$'\t'*}"
        if [[ $word == :files ]]; then
            _files
            return
        elif [[ -n $word ]]; then
            found+=("${word//:/\\:}:${line#*$'\t'}")
        fi
    done
    _describe tidegate found
}
if [ "$funcstack[1]" = "_tidegate" ]; then _tidegate "$@"; else compdef _tidegate tidegate; fi
