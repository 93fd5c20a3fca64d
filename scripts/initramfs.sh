#!/bin/sh
# Packs an initramfs: initramfs.sh PROGRAM OUT [DIR...]. In it are the static PROGRAM as /bin/svbox and busybox, with
# links for all of their programs, svbox' own in the place of busybox' of the same name; the usual empty directories;
# and what lies in each DIR, the last one on top. One of them brings /init. All files are root's.
# The shell of some busybox runs its own program of a name whatever PATH says: such a one of svbox is called by its path.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 program out [dir ...]" >&2; exit 100; }
umask 022
. scripts/lib.sh
program=$1 packed=$2
shift 2
[ -x "$guest/busybox" ] || die "no busybox: scripts/setup.sh test"
root=$(mktemp -d)
trap 'rm -rf "$root" "$root.cpio" "$root.log" "$packed.new"' EXIT

for dir in bin dev etc mnt new proc root run sbin sys tmp usr/bin usr/sbin var/log var/tmp; do
    mkdir -p "$root/$dir"
done
chmod 1777 "$root/tmp" "$root/var/tmp"
cp "$guest/busybox" "$program" "$root/bin/"
[ "${program##*/}" = svbox ] || mv "$root/bin/${program##*/}" "$root/bin/svbox"
for name in $("$guest/busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
done
names=$(names_of "$program")
for name in $names; do ln -sf svbox "$root/bin/$name"; done
for dir in "$@"; do
    cp -a "$dir/." "$root/"
done
chmod 755 "$root"

find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
(cd "$root" && find . | LC_ALL=C sort |
    "$guest/busybox" cpio -o -H newc -R 0:0 --renumber-inodes --ignore-devno) >"$root.cpio" 2>"$root.log" ||
    { cat "$root.log" >&2; die "unable to pack $packed"; }
gzip -1n <"$root.cpio" >"$packed.new"
mv "$packed.new" "$packed"
