# Prints what bash completes each line of standard input to, a match on a line, and END.
. /usr/share/bash-completion/bash_completion
while IFS= read -r line; do
    # As readline takes a line apart: with colons and equals signs as words of their own.
    read -ra COMP_WORDS <<<"$(sed 's/[:=]/ & /g' <<<"$line")"
    [[ $line != *[:=\ ] ]] || COMP_WORDS+=('')
    COMP_LINE=$line COMP_POINT=${#line} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
    COMPREPLY=()
    # 124 says that something has been loaded.
    complete -p "${COMP_WORDS[0]}" >/dev/null 2>&1 || _completion_loader "${COMP_WORDS[0]}"
    function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.* -F \([^ ]*\).*/\1/')
    $function "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" END
done
