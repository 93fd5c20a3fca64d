# Shared by the scripts here: read with `.`, from the top of the project.

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# The musl target of this machine, unless the caller names one.
target=${TARGET:-$(case $(uname -m) in
    armv7l) echo armv7-unknown-linux-musleabihf ;;
    riscv64) echo riscv64gc-unknown-linux-musl ;;
    *) echo "$(uname -m)-unknown-linux-musl" ;;
esac)}

# Where everything that is built goes.
out=${CARGO_TARGET_DIR:-target}
# Where a kernel and a busybox for guests lie, and the C library for other kinds of machines.
whole=$(case $out in /*) echo "$out" ;; *) echo "$PWD/$out" ;; esac)
guest=$whole/guest
musl=$whole/musl
# And what others have written for runit, for the tests.
clients=$whole/clients

# names_of PROGRAM: the names of a program's programs. One for another kind of machine is not run here: then they are
# those of this machine's.
names_of() {
    "$1" --list 2>/dev/null || "$out/bin/svbox" --list
}

# pack DIR NAME: an archive of what is below a directory, in which nothing tells where, when and by whom it was made.
pack() {
    tar --create --directory "$1" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
        --mtime="@${SOURCE_DATE_EPOCH:-0}" "$2"
}
