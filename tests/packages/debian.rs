//! Debian's.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn packages_are_the_same_bytes_whenever_and_wherever_they_are_made() {
    if cannot_be_made() {
        return;
    }
    let sandbox = Sandbox::new();
    let epoch = ("SOURCE_DATE_EPOCH", "1700000000");
    let [one, two] = ["one", "deep/er/two"].map(|dir| sandbox.join(dir));
    make(&one, "1-1", &[epoch]);
    let other = sandbox.join("tmp");
    fs::create_dir(&other).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o700)).unwrap();
    let change = [epoch, ("TZ", "Asia/Tokyo"), ("LC_ALL", "C.UTF-8"), ("TMPDIR", other.to_str().unwrap())];
    make(&two, "1-1", &change);
    assert_eq!(names(&one).len(), 3);
    assert_eq!(names(&one), names(&two));
    for name in names(&one) {
        assert!(fs::read(one.join(&name)).unwrap() == fs::read(two.join(&name)).unwrap(), "{name}");
    }
}

/// What is installed of a kind, and all that there is in `/etc` of services and stages.
const WHAT: &str = "
    exe() { readlink -f \"$(command -v $1)\"; }
    etc() { find /etc/sv /etc/runit -exec ls -di --time-style=full-iso {} + | md5sum; }
    programs() { for name in runsv runsvdir sv svlogd chpst runsvchdir utmpset; do exe $name; done | sort -u | tr '\\n' ' '; echo; }
    wait_for() { until eval \"$1\"; do sleep 0.01; done; }
    scan() { mkdir -p /scan/one; printf '#!/bin/sh\\nexec sleep 1000000\\n' >/scan/one/run; chmod +x /scan/one/run
        runsvdir -P /scan >/dev/null 2>&1 &
        wait_for 'sv status /scan/one 2>/dev/null | grep -q ^run'; }
    damaged() { dpkg-query -W -f '${db:Status-Status}\\n' | grep '^half\\|^unpacked' || true; }
    dpkg_i() { dpkg --no-triggers --force-unsafe-io -i \"$@\" >/tmp/log 2>&1 || { cat /tmp/log; return 1; }; }
";

#[test]
fn svbox_over_runit_comes_and_goes_and_services_go_on() {
    if cannot_be_made() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "{WHAT}
        etc >/tmp/etc; sum=$(md5sum </usr/bin/sv); scan; pid=$(cat /scan/one/supervise/pid)
        dpkg_i /packages/svbox_1-1_*.deb /packages/svbox-over-runit_1-1_*.deb
        programs; cp /usr/bin/sv.runit /tmp/sv; /tmp/sv status /scan/one | cut -d ' ' -f 1; dpkg -S /usr/bin/sv.runit | tail -n 1
        sv status /scan/one | cut -d ' ' -f 1
        test $pid = $(cat /scan/one/supervise/pid); sv -w 60 exit /scan/one >/dev/null
        wait_for 'sv status /scan/one 2>/dev/null | grep -q ^run'; readlink /proc/$(pgrep -x runsv)/exe
        dpkg_i /packages/svbox_1-2_*.deb /packages/svbox-over-runit_1-2_*.deb
        programs; etc | cmp - /tmp/etc
        dpkg --no-triggers -r svbox-over-runit svbox >/dev/null
        programs; test \"$sum\" = \"$(md5sum </usr/bin/sv)\"; etc | cmp - /tmp/etc
        dpkg-divert --list | grep -c svbox || true; ls -d /usr/bin/*.runit /usr/bin/svbox 2>/dev/null || true
        sv status /scan/one | cut -d ' ' -f 1; damaged"
    );
    let Some(text) = in_debian(&sandbox, &script) else { return };
    let theirs = "/usr/bin/chpst /usr/bin/runsv /usr/bin/runsvdir /usr/bin/sv /usr/bin/svlogd /usr/sbin/runsvchdir /usr/sbin/utmpset ";
    let wanted = [
        "/usr/bin/svbox ",
        "run:",
        "diversion by svbox-over-runit to: /usr/bin/sv.runit",
        "run:",
        "/usr/bin/svbox",
        "/usr/bin/svbox ",
        theirs,
        "0",
        "run:",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), wanted, "{text}");
}

#[test]
fn svbox_runit_takes_the_place_of_runit_and_services_go_on() {
    if cannot_be_made() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "{WHAT}
        scan; pid=$(cat /scan/one/supervise/pid); rm -rf /etc/sv/*; mkdir /etc/sv/own; echo '#!/bin/sh' >/etc/sv/own/run
        stages=$(md5sum /etc/runit/[123])
        dpkg_i /packages/svbox_1-1_*.deb; dpkg_i --auto-deconfigure /packages/svbox-runit_1-1_*.deb
        programs; dpkg-query -W -f '${{db:Status-Status}}\\n' runit; readlink /etc/service; test -d /etc/service/.
        dpkg-query -W -f '${{db:Status-Status}} ${{Provides}}\\n' svbox-runit; test -f /sbin/runit
        test $pid = $(cat /scan/one/supervise/pid); sv status /scan/one | cut -d ' ' -f 1
        dpkg_i /packages/svbox_1-2_*.deb /packages/svbox-runit_1-2_*.deb
        programs; test \"$stages\" = \"$(md5sum /etc/runit/[123])\"; cat /etc/sv/own/run
        svbox --doctor | grep -v 'is not this svbox\\|^note' || true
        dpkg --no-triggers -r svbox-runit svbox >/dev/null
        ls -d /usr/bin/svbox /usr/bin/sv 2>/dev/null || true; test -e /etc/sv/own/run; kill -0 $pid; damaged"
    );
    let Some(text) = in_debian(&sandbox, &script) else { return };
    let wanted = [
        "/usr/bin/svbox ",
        "config-files",
        "runit/runsvdir/current",
        "installed runit",
        "run:",
        "/usr/bin/svbox ",
        "#!/bin/sh",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), wanted, "{text}");
}

#[test]
fn svbox_runit_does_not_take_away_what_a_service_needs() {
    if cannot_be_made() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "{WHAT}
        mkdir /etc/sv/one; echo '#!/usr/bin/env /lib/runit/invoke-run' >/etc/sv/one/run
        dpkg_i /packages/svbox_1-1_*.deb
        dpkg_i --auto-deconfigure /packages/svbox-runit_1-1_*.deb | grep ^svbox-runit: || true
        test -x /lib/runit/invoke-run; dpkg-query -W -f '${{db:Status-Status}}\\n' runit; exe sv"
    );
    let Some(text) = in_debian(&sandbox, &script) else { return };
    let wanted = [
        "svbox-runit: /etc/sv/one/run needs what only Debian's runit has: install svbox-over-runit instead",
        "installed",
        "/usr/bin/sv",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), wanted, "{text}");
}
