#!/bin/sh
# Makes Debian packages of a program that was built: debian.sh PROGRAM OUT. The same program, sources and version give the
# same bytes.
#
#   svbox             the program, and the names that nobody else has
#   svbox-runit       the names of runit, instead of Debian's package
#   svbox-over-runit  the same in front of Debian's package, whose programs are diverted and whose scripts stay
#
# VERSION is that of Cargo.toml with `-1` unless it is set, and the date of all files that of the last commit or
# SOURCE_DATE_EPOCH.
set -eu
umask 022
export LC_ALL=C TZ=UTC
[ $# = 2 ] || { echo "usage: $0 program out" >&2; exit 100; }
. scripts/lib.sh
have dpkg-deb || die "dpkg-deb is missing"
program=$1 packages=$2
version=${VERSION:-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)-1}
architecture=${ARCH:-$(dpkg --print-architecture)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
files=scripts/packaging/debian
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$packages" "$work/all/usr/share/zsh/vendor-completions"
DESTDIR=$work/all PREFIX=/usr scripts/install.sh "$program"

# What runit's names are, and where Debian has those that are not in /usr/bin.
of_runit="runsv runsvdir sv svlogd chpst"
of_runit_for_root="runsvchdir utmpset"

# take FILE: one of all files, or links, for the package.
take() {
    [ ! -e "$work/all/$1" ] || { mkdir -p "$root/${1%/*}" && cp -d "$work/all/$1" "$root/$1"; }
}

# extras NAME: the page and the completions of a program.
extras() {
    for volume in 1 7 8; do
        page=usr/share/man/man$volume/$1.$volume
        [ ! -e "$work/all/$page" ] || { take "$page" && gzip -9n "$root/$page"; }
    done
    take "usr/share/bash-completion/completions/$1"
    take "usr/share/fish/vendor_completions.d/$1.fish"
}

# link PLACE: a name of the program.
link() {
    mkdir -p "$root/${1%/*}"
    ln -s /usr/bin/svbox "$root/$1"
}

links() {
    for name in $of_runit; do
        link "usr/bin/$name"
        extras "$name"
    done
    for name in $of_runit_for_root; do
        link "usr/sbin/$name"
        extras "$name"
    done
}

fill_svbox() {
    install -D -m 755 "$work/all/usr/bin/svbox" "$root/usr/bin/svbox"
    link usr/bin/pid1
    for name in svbox svbox-service pid1; do
        extras "$name"
    done
    take usr/share/zsh/vendor-completions/_svbox
    install -D -m 644 CHANGELOG.md "$root/usr/share/doc/svbox/changelog"
    gzip -9n "$root/usr/share/doc/svbox/changelog"
}

# What packages of services look at is there, too: /sbin/runit, and where services are linked.
fill_svbox_runit() {
    links
    link sbin/runit
    extras runit
    mkdir -p "$root/etc/sv" "$root/etc/runit/runsvdir/default"
    ln -s runit/runsvdir/current "$root/etc/service"
}

fill_svbox_over_runit() {
    links
}

# package NAME: packs what is below $root.
package() {
    root=$work/$1
    mkdir -p "$root/DEBIAN"
    "fill_$(echo "$1" | tr - _)"
    install -D -m 644 LICENSE "$root/usr/share/doc/$1/copyright"
    size=$(find "$root" -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
    (cd "$root" && find usr etc sbin -type f 2>/dev/null | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
    sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/" "$files/$1.control" \
        >"$root/DEBIAN/control"
    # The files that are put in front of others.
    diverted=$(cd "$root" && find usr/bin usr/sbin usr/share/man usr/share/bash-completion ! -type d 2>/dev/null | sort |
        tr '\n' ' ')
    for script in preinst postinst postrm; do
        [ -e "$files/$1.$script" ] || continue
        sed "s|@DIVERTED@|$diverted|" "$files/$1.$script" >"$root/DEBIAN/$script"
        chmod 755 "$root/DEBIAN/$script"
    done
    find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    name=$1_${version}_$(sed -n 's/^Architecture: //p' "$root/DEBIAN/control").deb
    dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$packages/$name" >/dev/null
    echo "$packages/$name"
}

for name in svbox svbox-runit svbox-over-runit; do
    package "$name"
done
