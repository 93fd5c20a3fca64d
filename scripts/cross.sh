#!/bin/sh
# Builds the program for other kinds of machines, into OUT/cross/TARGET/bin, and checks each: cross.sh [build] [TARGET...].
# A target can be given by its first word; without one it is all of them. With `build` nothing is checked.
set -eu
. scripts/lib.sh
all="aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf riscv64gc-unknown-linux-musl mips-unknown-linux-musl
    mipsel-unknown-linux-musl i686-unknown-linux-musl powerpc64le-unknown-linux-musl"

# whole_name NAME: the target that is meant.
whole_name() {
    for target in $all; do
        case $target in "$1" | "$1"-*) echo "$target"; return ;; esac
    done
    # shellcheck disable=SC2086
    die "no such target: $1; there are:" $all
}

build() {
    scripts/musl.sh "$1"
    say "building for $1"
    TARGET=$1 CARGO_TARGET_DIR=$cross/$1 SVBOX_LIBC=$musl/$1 SVBOX_BUILD=small SVBOX_READY=1 scripts/build.sh
}

only_build=
[ "${1:-}" != build ] || { only_build=yes; shift; }
targets=
# shellcheck disable=SC2086
for name in ${*:-$all}; do
    targets="$targets $(whole_name "$name")"
done
if [ -z "${SVBOX_READY:-}" ]; then
    scripts/setup.sh cross
    [ -n "$only_build" ] || scripts/setup.sh test
fi
cross=$whole/cross
failed=
for target in $targets; do
    build "$target"
    [ -n "$only_build" ] || scripts/cross_check.sh "$target" || failed="$failed $target"
done
for target in $targets; do
    printf '%8d  %s\n' "$(wc -c <"$cross/$target/bin/svbox")" "$target"
done
[ -z "$failed" ] || die "failed:$failed"
