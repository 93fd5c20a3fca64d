#!/bin/sh
# Prints what completes the command lines of the programs in a shell: completions.sh PROGRAM bash|zsh|fish [NAME...].
# What they take is what PROGRAM, a svbox, says with --help. With zsh the names are those that are completed by it.
set -eu
here=$(dirname "$0")/completions
program=$1
shell=$2
shift 2

# What sv does, of which --help has the letters only.
commands="start	start it, and wait
stop	stop it, and wait
restart	stop it and start it again, and wait
try-restart	end it with TERM, and wait until it is back
reload	send HUP, and wait
check	wait until it is as it is wanted
shutdown	have the supervisor exit, and wait
force-stop	stop, and KILL in the end
force-restart	restart, and KILL in the end
force-reload	try-restart, and KILL in the end
force-shutdown	shutdown, and KILL in the end
status	show what it does
why	show what it waits for
up	start it, and start it again whenever it ends
down	stop it
once	start it, and do not start it again
exit	stop it and have the supervisor exit
term	send TERM
kill	send KILL
pause	send STOP
cont	send CONT
hup	send HUP
alarm	send ALRM
interrupt	send INT
quit	send QUIT
1	send USR1
2	send USR2"

# help NAME: what the program of that name says.
help() {
    if [ "$1" = svbox ]; then "$program" --help; else "$program" "$1" --help; fi
}

table() {
    for name in svbox $("$program" --list); do
        help "$name" | awk -v name="$name" -f "$here/table.awk"
        case $name in
            # These take the words of runit-init.
            init | telinit) help runit-init | awk -v name="$name" -f "$here/table.awk" | grep '	[^-:]*	-	.' ;;
            sv) printf '%s\n' "$commands" | sed 's/^\([^	]*\)	/sv	\1	-	/' ;;
        esac
    done
}

# A word in quotes; the three shells agree on this.
table=$(table | sed "s/'/'\\\\''/g")
while IFS= read -r line; do
    case $line in
        @TABLE@) printf '%s\n' "$table" ;;
        *@NAMES@*) printf '%s%s%s\n' "${line%%@*}" "$*" "${line##*@}" ;;
        *) printf '%s\n' "$line" ;;
    esac
done <"$here/svbox.$shell"
