#!/bin/sh
# Installs a program that was built, its manual pages and completions: install.sh PROGRAM, to DESTDIR and PREFIX of the
# environment; then with `init` behind it what makes it process 1: its names in SBINDIR, and services and stages in /etc. Of
# these nothing is replaced that is there, and where there are stages already /etc stays as it is. Where it ends for want of
# room, the machine boots as before or as after, and the next run does the rest: every file and service is made beside its
# place, stage 1 is the last in /etc, and then come the names in SBINDIR.
set -eu
umask 022
. scripts/lib.sh
program=$1
part=${2:-programs}
root=${DESTDIR:-}
prefix=${PREFIX:-/usr}
bin=${BINDIR:-$prefix/bin}
sbin=${SBINDIR:-/sbin}
man=${MANDIR:-$prefix/share/man}
etc=$root/etc

# Names that other inits have too, and that would be found in their place.
of_init="init runit runit-init telinit shutdown halt poweroff reboot switch_root"

# Those that runit has; distributions do not agree on where.
of_runit="runsv runsvdir runsvchdir sv svlogd chpst utmpset"

is_of_init() {
    case " $of_init " in *" $1 "*) ;; *) return 1 ;; esac
}

is_there() {
    [ -e "$1" ] || [ -L "$1" ]
}

# copy FILE PLACE: installs a file with its permissions.
copy() {
    install -D -m "$(stat -c %a "$1")" "$1" "$2"
}

# keep FILE PLACE: installs a file unless there is one.
keep() {
    ! is_there "$2" || return 0
    copy "$1" "$2.new"
    mv -f "$2.new" "$2"
}

# keep_link TEXT PLACE: the same for a link.
keep_link() {
    is_there "$2" || { mkdir -p "${2%/*}" && ln -s "$1" "$2"; }
}

# link TEXT PLACE: makes a link in one step, also in the place of another.
link() {
    ln -sfn "$1" "$2.new" && mv -fT "$2.new" "$2"
}

programs() {
    install -D -m 755 "$program" "$root$bin/svbox.new"
    mv -f "$root$bin/svbox.new" "$root$bin/svbox"
    for name in $names; do
        is_of_init "$name" || link svbox "$root$bin/$name"
    done
    for name in $of_runit; do
        elsewhere "$name"
    done
    pages false
    completions
}

# elsewhere NAME: a link in the place of runit's program where a distribution has it in another directory, which may come
# first in PATH. A directory that is a link is one of the others.
elsewhere() {
    for dir in "$prefix/sbin" $([ "$prefix" != /usr ] || echo /bin /sbin); do
        [ ! -L "$root$dir" ] && [ ! "$root$dir" -ef "$root$bin" ] && [ -e "$root$dir/$1" ] || continue
        link "$bin/svbox" "$root$dir/$1"
    done
}

# pages ARE_OF_INIT: the manual pages of the one kind or the other.
pages() {
    for page in applets/*.[178] applets/*/*.8; do
        name=${page##*/}
        are=false
        ! is_of_init "${name%.*}" || are=true
        place=$root$man/man${page##*.}/$name
        [ "$are" = "$1" ] || continue
        install -D -m 644 "$page" "$place"
        # One that is compressed would still be found.
        rm -f "$place.gz"
    done
}

# completions: what completes command lines in three shells, each of which looks for a file by the name of the program;
# zsh for one file with all names in it.
completions() {
    shown=svbox
    for name in $names; do
        is_of_init "$name" || shown="$shown $name"
    done
    for shell in bash zsh fish; do
        place=$(completion_place $shell svbox)
        mkdir -p "${place%/*}"
        # shellcheck disable=SC2086
        scripts/completions.sh "$program" $shell $shown >"$place.new"
        mv -f "$place.new" "$place"
    done
    for name in ${shown#svbox}; do
        completion_links "$name"
    done
}

# completion_place SHELL NAME: where a shell looks.
completion_place() {
    case $1 in
        bash) echo "$root$prefix/share/bash-completion/completions/$2" ;;
        zsh)
            # Debian's looks in its own place only.
            where=$root$prefix/share/zsh
            [ -d "$where/vendor-completions" ] && where=$where/vendor-completions || where=$where/site-functions
            echo "$where/_$2"
            ;;
        fish) echo "$root$prefix/share/fish/vendor_completions.d/$2.fish" ;;
    esac
}

# completion_links NAME: the name leads to the file for all.
completion_links() {
    for pair in bash:svbox fish:svbox.fish; do
        place=$(completion_place "${pair%:*}" "$1")
        mkdir -p "${place%/*}"
        link "${pair#*:}" "$place"
    done
}

init() {
    is_there "$etc/runit/1" || stages
    pages true
    place=$(completion_place zsh svbox_init)
    mkdir -p "${place%/*}" "$root$sbin"
    printf '%s\n' "#compdef $of_init" '_svbox "$@"' >"$place"
    mine=
    for name in $names; do
        ! is_of_init "$name" || mine="$mine $name"
    done
    for name in $mine; do
        completion_links "$name"
    done
    for name in $mine; do
        replace "$name"
    done
}

# stages: the services, and the stages that run them; what says that all of it is there comes last.
stages() {
    for service in scripts/init/sv/*; do
        service "$service" "${service##*/}"
    done
    for name in getty-console socklog-unix socklog-klog dhcp; do
        keep_link "/etc/sv/$name" "$etc/runit/runsvdir/default/$name"
    done
    keep_link /etc/sv/getty-console "$etc/runit/runsvdir/single/getty-console"
    keep_link default "$etc/runit/runsvdir/current"
    keep_link /etc/runit/runsvdir/current "$etc/service"
    for stage in timeout-kill ctrlaltdel 3 2 1; do
        keep "scripts/init/$stage" "$etc/runit/$stage"
    done
}

# replace NAME: the link of a name of init; what another init has there is kept beside it.
replace() {
    place=$root$sbin/$1
    case $(readlink "$place" || :) in
        *svbox | *runit*) ;;
        *) [ ! -e "$place" ] || { say "kept as $place.old"; ln -fT "$place" "$place.old"; } ;;
    esac
    link "$bin/svbox" "$place"
}

# service DIR NAME: a service directory whose state is kept where the root need not be writable.
service() {
    ! is_there "$etc/sv/$2" || return 0
    new=$etc/sv/.svbox-new
    rm -rf "$new"
    (cd "$1" && find . -type f) | while read -r file; do
        copy "$1/$file" "$new/$file"
    done
    ln -s "/run/runit/supervise.$2" "$new/supervise"
    [ ! -d "$1/log" ] || ln -s "/run/runit/supervise.$2.log" "$new/log/supervise"
    mv -T "$new" "$etc/sv/$2"
}

names=$("$program" --list)
case $part in
    programs | init) "$part" ;;
    *) die "unknown part: $part" ;;
esac
