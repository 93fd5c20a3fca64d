#!/bin/sh
# Builds the static program and its links: OUT/bin/svbox, OUT/bin/runsv and so on.
#
# Best is std rebuilt for the musl target without unwinding: a fifth of the size. Without the sources of std or
# without a network for its dependencies it is the musl target as shipped, and without that target a static
# program for the machine's own C library: larger, otherwise the same.
set -eu
. scripts/lib.sh

[ -n "${SVBOX_READY:-}" ] || scripts/setup.sh build

# No tables for unwinding, nor jump tables (larger with this code); no page alignment between code and data, and
# relocations in the packed form: position-independent at the price of a few bytes, since a program that the
# kernel places near the stack needs 11 KiB less for page tables, in each supervisor.
# With a C library of its own at SVBOX_LIBC the linker is called directly, and not by way of cc.
[ -n "${SVBOX_LIBC:-}" ] && through= || through=-Wl,
common="-Cforce-unwind-tables=no -Cjump-tables=no -Clink-arg=$through--build-id=none
    -Clink-arg=$through-znoseparate-code -Clink-arg=$through-znorelro"
packed="-Clink-arg=-Wl,-zpack-relative-relocs"
# Smaller by three percent than what the compiler chooses for size: small functions become part of others early, before
# what is left of them there is known (-Zinline-mir below); nothing is written twice to save a jump, nor kept in a register
# over a loop that costs more to be kept than to be made again.
careful="-Cllvm-args=-inline-threshold=0 -Cllvm-args=-phi-node-folding-threshold=1 -Cllvm-args=-sink-common-insts
    -Cllvm-args=-disable-early-taildup -Cllvm-args=-disable-machine-licm -Cllvm-args=-split-spill-mode=size"
log=$out/build.log
mkdir -p "$out"

build() {
    cargo build --release --target "$1" --bin svbox ${FEATURES+--no-default-features --features "$FEATURES"} ${2:-} ${3:-} \
        >"$log" 2>&1
}

# For another kind of machine, with the linker that Rust brings along and a C library that scripts/musl.sh has built.
# At fixed addresses: on mips an eighth of the program is saved. There rustix goes by way of the C library, and would pass
# it times of 64 bits where those of 32 are meant; told, it converts them. See src/sys/ffi/libc.rs for the others.
# Every ARMv7 that runs Linux has the short instructions, too (Thumb-2), which Rust does not use by itself: a third less.
foreign() {
    packed="-Clinker=rust-lld -Clink-self-contained=no -Ctarget-feature=+crt-static -Crelocation-model=static"
    case $target in
        mips-* | mipsel-*) packed="$packed --cfg fix_y2038" ;;
        armv7-*) packed="$packed -Ctarget-feature=+thumb-mode" ;;
    esac
    layout foreign
    rebuilt "-Clink-arg=$SVBOX_LIBC/crt1.o" "-Lnative=$SVBOX_LIBC" "-Clink-arg=-T$layout"
}

# layout NAME: a copy of a layout for the linker, which has a name of its own for each content: cargo would see no change.
layout() {
    layout=$(cd "$out" && pwd)/$(cksum <"scripts/$1.ld" | tr ' ' -).ld
    cp "scripts/$1.ld" "$layout"
}

small() {
    sysroot=$(rustc --print sysroot)
    [ -e "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ] || return
    [ -z "${SVBOX_LIBC:-}" ] || { foreign; return; }
    # Where we know how, the program starts without the C library's preparations: src/sys/ffi/bare. Not every
    # linker takes a layout.
    layout svbox
    case $target in
        x86_64-*-musl)
            rebuilt --cfg svbox_bare -Clink-self-contained=no -Clink-arg=-nostartfiles -Clink-arg=-nostdlib \
                "-Clink-arg=-Wl,-T,$layout" "-Lnative=$sysroot/lib/rustlib/$target/lib/self-contained" ||
                rebuilt ;;
        *) rebuilt ;;
    esac
}

rebuilt() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none
        -Zfmt-debug=none -Zinline-mir=yes -Zinline-mir-threshold=200 -Zmutable-noalias=no $common $packed $careful $*" \
        build "$target" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
}

shipped() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] && RUSTFLAGS="$common" build "$target"
}

static() {
    target=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS="-Ctarget-feature=+crt-static -Crelocation-model=static" build "$target"
}

case ${SVBOX_BUILD:-any} in
    small | shipped | static) "$SVBOX_BUILD" || { cat "$log" >&2; die "unable to build"; } ;;
    any)
        if ! small; then
            if shipped; then
                say "std could not be rebuilt: larger program with std as shipped"
            elif [ -z "${TARGET:-}" ] && static; then
                say "no musl target: larger static program for the machine's own C library"
            else
                cat "$log" >&2
                die "unable to build"
            fi
        fi
        ;;
    *) die "SVBOX_BUILD can be small, shipped, static or any" ;;
esac

rm -rf "$out/bin.new"
mkdir "$out/bin.new"
cp "$out/$target/release/svbox" "$out/bin.new/svbox"
if [ -z "${TARGET:-}" ]; then
    "$out/bin.new/svbox" --install -s "$out/bin.new"
fi
rm -rf "$out/bin"
mv "$out/bin.new" "$out/bin"
