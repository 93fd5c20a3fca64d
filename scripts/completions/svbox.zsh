#compdef @NAMES@
# Completes the command lines of svbox's programs in zsh.

# The program, an option or a word or `:` for operands, what comes behind it, and what it is for.
_svbox_table='
@TABLE@
'

# Where sv looks for services.
_svbox_services() {
    local dir
    if (( ${+SVDIR} )); then
        print -r -- $SVDIR
        return
    fi
    for dir in /run/svbox/service /etc/service /var/service /run/runit/service /run/it/service /service; do
        [[ ! -d $dir ]] || break
    done
    print -r -- $dir
}

# _svbox_kind KIND: what can be there.
_svbox_kind() {
    local dir=$(_svbox_services)
    local -a found
    case $1 in
        dir) _directories ;;
        file) _files ;;
        user) if compset -P '*:'; then _groups; else _users -S ''; fi ;;
        command | word) _describe -t commands command svbox_words ;;
        name) _describe -t commands program svbox_names ;;
        time) compadd -- now +1 +5 +10 +30 ;;
        line) found=(/dev/tty<->(N) /dev/pts/<->(N)); compadd -- ${found#/dev/} ;;
        runlevel) found=(${RUNSVDIR:-/etc/runit/runsvdir}/*(-/N:t)); compadd -- $found ;;
        service)
            case $PREFIX in
                [./~]*) _directories ;;
                */*) [[ ! -d $dir/${PREFIX%/*}/log ]] || compadd -- ${PREFIX%/*}/log ;;
                *) [[ -z $dir ]] || { found=($dir/*(-/N:t)); compadd -- $found } ;;
            esac
            ;;
        place)
            # Not names: a path in the place of the name that fits.
            if [[ -n $dir && $PREFIX != */* ]]; then
                found=($dir/${PREFIX}*(-/N))
                compadd -U -f -- $found
            fi
            _directories
            ;;
    esac
}

# A command line behind a command line. No command begins with a dash, but for a builtin.
_svbox_run() {
    [[ $CURRENT -eq 1 && $PREFIX == -* ]] || _normal
}

_svbox() {
    local program=${service:-${words[1]:t}} line option kind text at=0
    local -a rows=(${(f)_svbox_table}) specs operands svbox_words row
    local -aU svbox_names=(${${rows%%$'\t'*}:#svbox})
    if [[ $program == svbox && $CURRENT -gt 2 && $_svbox_table == *$'\n'"$words[2]"$'\t'* ]]; then
        # What is behind the name is a command line.
        shift words
        (( CURRENT-- ))
        program=$words[1]
    fi
    for line in ${(M)rows:#$program$'\t'*}; do
        row=("${(@ps:\t:)line}")
        option=$row[2] kind=$row[3] text=$row[4]
        # What means something to _arguments.
        text=${${${text//\\/\\\\}//\[/\\[}//\]/\\]}
        case $option in
            :) operands=(${=kind}) ;;
            -*)
                case $kind in
                    -) specs+="*${option}[$text]" ;;
                    # Behind `=`, or for a letter right behind it; or the next word.
                    *)
                        [[ $option == --* ]] && option+== || option+=+
                        specs+="*${option}[$text]:$kind: _svbox_kind $kind"
                        ;;
                esac
                ;;
            *) svbox_words+="$option${text:+:$text}" ;;
        esac
    done
    for kind in $operands; do
        (( ++at ))
        case $kind in
            -) ;;
            program) specs+='*::: : _svbox_run' ;;
            *...) specs+="*: : _svbox_kind ${kind%...}" ;;
            *) specs+="$at: : _svbox_kind $kind" ;;
        esac
    done
    # The first operand ends the options.
    _arguments -s -S -A '-*' $specs
}

_svbox "$@"
