#!/bin/sh
# Packs what is given away: dist.sh PROGRAM DIR. DIR gets an archive of what `make install` installs, to be unpacked at the
# root of a system; a container image; and SHA256SUMS. They are the same, bit for bit, for the same program.
set -eu
[ $# = 2 ] || { echo "usage: $0 program dir" >&2; exit 100; }
umask 022
. scripts/lib.sh
name=svbox-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work/root PREFIX=/usr scripts/install.sh "$1"
for file in README.md CHANGELOG.md LICENSE; do
    install -D -m 644 "$file" "$work/root/usr/share/doc/svbox/$file"
done
scripts/image.sh "$1" "$work/image"

mkdir -p "$2"
pack "$work/root" usr | gzip -9n >"$work/$name.tar.gz"
pack "$work/image" . >"$work/$name.oci.tar"
(cd "$work" && sha256sum "$name.tar.gz" "$name.oci.tar") >"$work/SHA256SUMS"
mv "$work/$name.tar.gz" "$work/$name.oci.tar" "$work/SHA256SUMS" "$2"
