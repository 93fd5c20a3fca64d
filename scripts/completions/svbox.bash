# Completes the command lines of svbox's programs in bash.

# The program, an option or a word or `:` for operands, what comes behind it, and what it is for.
_svbox_table='
@TABLE@
'

# Where sv looks for services.
_svbox_services() {
    local dir
    if [[ ${SVDIR+set} ]]; then
        printf '%s' "$SVDIR"
        return
    fi
    for dir in /run/svbox/service /etc/service /var/service /run/runit/service /run/it/service /service; do
        [[ ! -d $dir ]] || break
    done
    printf '%s' "$dir"
}

# _svbox_inside DIR: the names of directories in DIR that fit the word.
_svbox_inside() {
    local dir
    for dir in "$1"/*/; do
        dir=${dir%/}
        [[ ! $1 || ! -d $dir ]] || _svbox_words "${dir##*/}"
    done
}

# _svbox_files ACTION: what compgen has, as names of files.
_svbox_files() {
    local line
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(compgen "$1" -- "$cur")
    compopt -o filenames 2>/dev/null
}

# _svbox_words WORD...: those that fit.
_svbox_words() {
    local word
    for word; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
}

# _svbox_kind KIND: what can be there.
_svbox_kind() {
    local dir line
    dir=$(_svbox_services)
    case $1 in
        dir) _svbox_files -d ;;
        file) _svbox_files -f ;;
        user) COMPREPLY+=($(compgen -u -- "$cur")) ;;
        program) if [[ $cur == */* ]]; then _svbox_files -f; else COMPREPLY+=($(compgen -c -- "$cur")); fi ;;
        command | word) _svbox_words "${words[@]}" ;;
        name) _svbox_words $(printf '%s' "$_svbox_table" | cut -f 1 | uniq) ;;
        time) _svbox_words now +1 +5 +10 +30 ;;
        line) for line in /dev/tty[0-9]* /dev/pts/[0-9]*; do _svbox_words "${line#/dev/}"; done ;;
        runlevel) _svbox_inside "${RUNSVDIR:-/etc/runit/runsvdir}" ;;
        service)
            case $cur in
                [./]*) _svbox_files -d ;;
                */*) [[ ! -d $dir/${cur%/*}/log ]] || _svbox_words "${cur%/*}/log" ;;
                *) _svbox_inside "$dir" ;;
            esac
            ;;
        place)
            # Not names: a path in the place of the name that fits.
            [[ ! $dir || $cur == */* ]] || for line in "$dir/$cur"*/; do
                [[ ! -d $line ]] || COMPREPLY+=("${line%/}")
            done
            _svbox_files -d
            ;;
    esac
}

_svbox() {
    local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[0]##*/} first=1
    local program option kind rest wanted='' last='' operand=0 ended='' i
    local -a words=() operands=()
    local -A values=()
    COMPREPLY=()
    if [[ $name == svbox && $COMP_CWORD -gt 1 && $_svbox_table == *$'\n'"${COMP_WORDS[1]}"$'\t'* ]]; then
        name=${COMP_WORDS[1]}
        first=2
    fi
    while IFS=$'\t' read -r program option kind rest; do
        [[ $program == "$name" ]] || continue
        case $option in
            :) read -ra operands <<<"$kind" ;;
            -*) values[$option]=$kind ;;
            *) words+=("$option") ;;
        esac
    done <<<"$_svbox_table"
    for ((i = first; i < COMP_CWORD; i++)); do
        option=${COMP_WORDS[i]}
        if [[ $option == [:=] ]]; then
            # Words of their own to bash, like what is behind them.
            wanted=''
            i=$((i + 1))
        elif [[ $wanted ]]; then
            wanted=''
        elif [[ ! $ended && $option == -- ]]; then
            ended=1
        elif [[ ! $ended && $option == -?* ]]; then
            # The last of joined letters, or a long name.
            [[ $option == --* ]] || option=-${option: -1}
            last=${values[$option]:--}
            wanted=${last#-}
        else
            ended=1
            kind=${operands[operand]:-}
            [[ $kind == *... ]] || operand=$((operand + 1))
            if [[ $kind == program ]]; then
                if declare -F _command_offset >/dev/null; then _command_offset "$i"; else _svbox_kind file; fi
                return
            fi
        fi
    done
    if ((i > COMP_CWORD)) || [[ $cur == [:=] ]]; then
        [[ $cur != [:=] ]] || cur=''
        if [[ $last == user ]]; then COMPREPLY=($(compgen -g -- "$cur")); else _svbox_files -f; fi
    elif [[ $wanted ]]; then
        _svbox_kind "$wanted"
    elif [[ ! $ended && $cur == -* ]]; then
        _svbox_words "${!values[@]}"
    else
        kind=${operands[operand]:-}
        _svbox_kind "${kind%...}"
    fi
}

# By the name of a link, too, by which this is looked for when that program is called for the first time.
complete -F _svbox @NAMES@ "${BASH_SOURCE[0]##*/}"
