#!/bin/sh
# Builds musl for another kind of machine, unless that is done: musl.sh TARGET, into OUT/musl/TARGET. Of it the static
# library and what calls `main`; and in the place of the library for unwinding one that is never called: on powerpc64le
# the linker finds a use of two of its functions.
set -eu
. scripts/lib.sh
place=$musl/$1
[ ! -e "$place/crt1.o" ] || exit 0

# What Rust compiles for on such a machine, and the C compiler has to agree to.
case $1 in
    mips-* | mipsel-*) kind="--target=$1 -march=mips32r2 -msoft-float" ;;
    armv7-*) kind="--target=$1 -mfpu=vfpv3-d16 -mthumb" ;;
    riscv64gc-*) kind="--target=riscv64-${1#*-} -march=rv64gc -mabi=lp64d" ;;
    *) kind="--target=$1" ;;
esac

rm -rf "$place.new"
mkdir -p "$place.new"
cd "$place.new"
say "building musl for $1"
{
    CC="clang $kind" AR=ar RANLIB=ranlib ../source/configure --target="$1" --disable-shared --enable-optimize=size &&
        make -j "$(nproc)" lib/libc.a lib/crt1.o
} >build.log 2>&1 || { tail -n 20 build.log >&2; die "unable to build musl for $1"; }
for name in _Unwind_GetTextRelBase _Unwind_GetDataRelBase; do
    echo "void $name(void) { __builtin_trap(); }"
done >unwind.c
# shellcheck disable=SC2086
clang $kind -Os -ffreestanding -ffunction-sections -c -o unwind.o unwind.c
ar rcD lib/libunwind.a unwind.o
mv lib "$place"
rm -rf "$place.new"
