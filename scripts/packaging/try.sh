#!/bin/sh
# Tries the Debian packages in a Debian that debootstrap makes, as root: try.sh PACKAGES. What has been seen to work is told
# in lines of which the last run's are in tried.record. PACKAGES has those of one version; a later one is made from PROGRAM.
set -eu
. scripts/lib.sh
[ "$(id -u)" = 0 ] || die "this is for root"
packages=$(cd "$1" && pwd)
program=$out/bin/svbox
base=$out/debian.tar
work=$(mktemp -d)
trap 'umount -l "$work/root/proc" 2>/dev/null || true; rm -rf "$work"' EXIT

if [ ! -e "$base" ]; then
    have debootstrap || die "debootstrap is missing: scripts/setup.sh packages"
    say "making a Debian"
    debootstrap --variant=minbase --include=procps bookworm "$work/base" >"$out/debootstrap.log" 2>&1 ||
        die "debootstrap has failed: $out/debootstrap.log"
    tar -C "$work/base" -cf "$base.new" .
    mv "$base.new" "$base"
    rm -rf "$work/base"
fi

VERSION=9-1 scripts/packaging/debian.sh "$program" "$work/later" >/dev/null

# The same sources, elsewhere and with nothing that has been built.
mkdir -p "$work/else/where"
git ls-files -z | tar -c --null -T - | tar -x -C "$work/else/where"
(cd "$work/else/where" && CARGO_TARGET_DIR=$work/else/target SVBOX_READY=1 scripts/build.sh)
cmp "$program" "$work/else/target/bin/svbox" || die "the program is another one when it is built elsewhere"
echo "ok: the program, built in another directory, is the same to the bit"

# inside WHAT SCRIPT: in a fresh copy, of which nothing stays.
inside() {
    rm -rf "$work/root"
    mkdir "$work/root"
    tar -C "$work/root" -xf "$base"
    cp -r "$packages" "$work/root/one"
    cp -r "$work/later" "$work/root/two"
    cp /etc/resolv.conf "$work/root/etc/" 2>/dev/null || true
    # As the machine finds packages, so does the copy.
    cp -r /etc/apt/apt.conf.d /etc/apt/sources.list* "$work/root/etc/apt/" 2>/dev/null || true
    printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d"
    chmod +x "$work/root/usr/sbin/policy-rc.d"
    if unshare --mount --pid --fork --kill-child sh -c '
        cd "$0"; mount -t proc proc proc; mount --bind /dev/null dev/null
        exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -c "$1"' \
        "$work/root" "set -e; $helpers $2" >"$work/log" 2>&1; then
        echo "ok: $1"
    else
        cat "$work/log" >&2
        echo "failed: $1"
        failed=1
    fi
}
failed=0

# What the scripts share.
helpers='
    apt() { apt-get -y -qq --no-install-recommends --allow-downgrades "$@"; }
    is() { for name in runsv runsvdir sv svlogd chpst runsvchdir utmpset; do
        test "$(readlink -f "$(command -v $name)")" = /usr/bin/svbox || return 1; done; }
    is_not() { for name in runsv runsvdir sv svlogd chpst runsvchdir utmpset; do
        test "$(readlink -f "$(command -v $name)")" != /usr/bin/svbox || return 1; done; }
    wait_for() { until eval "$1"; do sleep 0.1; done; }
    service() { mkdir -p /etc/sv/own; printf "#!/bin/sh\nexec sleep 1000000\n" >/etc/sv/own/run; chmod +x /etc/sv/own/run
        ln -s /etc/sv/own /etc/service/own; runsvdir -P /etc/service & runsvdir=$!
        wait_for "sv status own 2>/dev/null | grep -q ^run"; pid=$(cat /etc/sv/own/supervise/pid); }
    etc() { find /etc/runit /etc/sv /etc/service | sort | xargs ls -ldi --time-style=full-iso | grep -v supervise | md5sum; }
    apt update
'

inside "svbox-runit on a Debian without runit is installed, upgraded, purged" '
    apt install /one/svbox_*.deb /one/svbox-runit_*.deb; is
    service; sv -w 30 restart own
    apt install /two/svbox_*.deb /two/svbox-runit_*.deb; is
    test "$(cat /etc/sv/own/supervise/pid)" -gt 0
    kill $runsvdir; sv -w 30 exit own
    apt purge svbox svbox-runit; test ! -e /usr/bin/sv; test ! -e /usr/bin/svbox; test -e /etc/sv/own/run; dpkg --audit'
inside "it takes the place of runit, whose service goes on, and runit that of it" '
    apt install runit; is_not; rm -rf /etc/sv/* /etc/runit/runsvdir/default/*; service
    apt install /one/svbox_*.deb /one/svbox-runit_*.deb; is
    test "$pid" = "$(cat /etc/sv/own/supervise/pid)"; sv status own
    sv -w 30 exit own; wait_for "sv status own 2>/dev/null | grep -q ^run"
    test "$(readlink /proc/$(pgrep -x runsv)/exe)" = /usr/bin/svbox
    svbox --doctor | grep -q "error:" && exit 1
    apt install runit; is_not; test -d /etc/service/.; sv status own'
inside "packages that need runit are content with it" '
    apt install /one/svbox_*.deb /one/svbox-runit_*.deb; apt install runit-run; is
    dpkg-query -W -f "\${db:Status-Status}" runit-run | grep -q "^installed"'
inside "runit-init keeps runit, unless it goes as well" '
    apt install runit-init; apt-get -s install /one/svbox_*.deb /one/svbox-runit_*.deb >/said || true
    ! grep "^Inst svbox-runit" /said || grep "^Remv runit-init" /said
    dpkg -i /one/svbox_*.deb /one/svbox-runit_*.deb && exit 1
    test -x /sbin/init; is_not'
inside "svbox-over-runit is installed, upgraded, and removed, and runit beneath it" '
    apt install runit; service; rm /etc/service/own
    apt install /one/svbox_*.deb /one/svbox-over-runit_*.deb; is
    apt install --reinstall runit; is; update-service --list; etc >/before
    apt install /two/svbox_*.deb /two/svbox-over-runit_*.deb; is; etc | cmp - /before
    kill $pid || true
    apt remove svbox-over-runit; is_not; test -z "$(dpkg-divert --list "*svbox*")"
    test -z "$(ls /usr/bin/*.runit /usr/sbin/*.runit 2>/dev/null)"
    dpkg --verify runit | grep bin/ && exit 1; dpkg --audit; etc | cmp - /before'
inside "services of Debian packages, made for its runit, go on" '
    apt install runit /one/svbox_*.deb /one/svbox-over-runit_*.deb; apt install acpid
    grep -l /lib/runit/invoke-run /etc/sv/*/run
    apt purge svbox-over-runit; apt install /one/svbox-runit_*.deb && exit 1; is_not'
exit "$failed"
