#!/bin/sh
# Builds what is given away twice, from copies of the sources in two places, and compares: reproduce.sh [TARGET...]. Of the
# targets of scripts/cross.sh it is the program alone.
set -eu
. scripts/lib.sh
[ -n "${SVBOX_READY:-}" ] || scripts/setup.sh build
[ $# = 0 ] || [ -n "${SVBOX_READY:-}" ] || scripts/setup.sh cross
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# copy PLACE: the sources, and of what is built only the C library for other machines, of which the sources are shared.
copy() {
    mkdir -p "$1/target/musl"
    cp -r Cargo.toml Cargo.lock src applets tests scripts README.md CHANGELOG.md LICENSE "$1"
    [ ! -d "$musl/source" ] || ln -s "$musl/source" "$1/target/musl/source"
}

# build PLACE [TARGET...]: all of it there.
build() (
    cd "$1"
    shift
    export SVBOX_READY=1
    unset CARGO_TARGET_DIR
    say "building in $PWD"
    SVBOX_BUILD=small scripts/build.sh
    scripts/dist.sh target/bin/svbox target/dist
    [ $# = 0 ] || scripts/cross.sh build "$@" >/dev/null
    for program in target/cross/*/bin/svbox; do
        name=${program#target/cross/}
        [ ! -e "$program" ] || mv "$program" "target/dist/svbox.${name%%/*}"
    done
)

for place in "$work/one" "$work/and/another"; do
    copy "$place"
    build "$place" "$@"
done
diff -r "$work/one/target/dist" "$work/and/another/target/dist" || die "two builds are different"
(cd "$work/one/target/dist" && sha256sum -- *)
