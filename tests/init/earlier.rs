//! Requests of an earlier life, which do not count.

use super::*;

/// All places of the requests for the end.
fn all_places() -> Vec<String> {
    ["stopit", "reboot", "halt"].iter().flat_map(|request| places(request)).collect()
}

#[test]
fn requests_of_an_earlier_life_are_taken_back_at_the_start() {
    if only_svbox("earlier life") {
        return;
    }
    let show = format!("stat -c %a {} >/run/modes; exit 100", all_places().join(" "));
    let boot =
        all_places().iter().fold(Boot::new().script("1", &show), |boot, place| boot.file(place, 0o755));
    let mut first = boot.start();
    assert_eq!(first.ended(), End::Off);
    let modes = first.read("/run/modes");
    let armed = |mode: &str| u32::from_str_radix(mode, 8).unwrap() & 0o100 != 0;
    assert!(modes.lines().count() == 9 && !modes.lines().any(armed), "{modes}");
    assert_eq!(first.said(), life("+1 !1 -1 skip +3 -3 off"));
}

#[test]
fn what_links_point_to_is_taken_back_too() {
    if only_svbox("earlier life") {
        return;
    }
    let boot = Boot::new().file("/run/elsewhere", 0o100);
    symlink("/run/elsewhere", boot.sandbox.join("etc/reboot")).unwrap();
    symlink("/run/nowhere/at/all", boot.sandbox.join("etc/stopit")).unwrap();
    let mut first = boot.script("2", "").start();
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.mode("/run/elsewhere").unwrap() & 0o100, 0);
    assert!(!first.at("/run/nowhere").exists());
}

#[test]
fn nosync_and_the_programs_are_not_requests_to_take_back() {
    let boot = Boot::new().script("ctrlaltdel", "").script("pwrfail", "").file("/etc/runit/nosync", 0o100);
    let mut first = boot.script("2", "").start();
    assert_eq!(first.ended(), End::Off);
    for file in ["/etc/runit/ctrlaltdel", "/etc/runit/pwrfail", "/etc/runit/nosync", "/etc/runit/1"] {
        assert_eq!(first.mode(file).unwrap() & 0o100, 0o100, "{file}");
    }
}

/// An `/etc/runit` with requests of an earlier life, read-only until stage 1 does `remount`.
fn read_only(stage_1: &str) -> Boot {
    let boot = Boot::new().file("/etc/runit/stopit", 0o100).file("/etc/runit/reboot", 0o100);
    boot.before("mount -o remount,bind,ro /etc/runit").script("1", stage_1)
}

const REMOUNT: &str = "mount -o remount,bind,rw /etc/runit";

#[test]
fn what_is_on_a_read_only_root_is_taken_back_after_stage_1() {
    if only_svbox("earlier life") {
        return;
    }
    let show = "stat -c %a /etc/runit/stopit /etc/runit/reboot >/run/modes";
    let mut first = read_only(&format!("{REMOUNT}; {show}")).script("2", "").start();
    assert_eq!(first.ended(), End::Off);
    // It could not be done before.
    assert_eq!(first.read("/run/modes"), "100\n100\n");
    for file in ["/etc/runit/stopit", "/etc/runit/reboot"] {
        assert_eq!(first.mode(file).unwrap() & 0o100, 0, "{file}");
    }
}

#[test]
fn a_request_that_came_in_stage_1_is_not_taken_back_after_it() {
    if only_svbox("earlier life") {
        return;
    }
    let ask = format!("{REMOUNT}; runit-init 6 && : >/run/asked");
    let mut first = read_only(&ask).start();
    assert_eq!(first.ended(), End::Again);
    assert!(first.at("/run/asked").exists());
    assert_eq!(first.said(), life("+1 remembered -1 skip +3 -3 again"));
}

#[test]
fn what_is_on_a_root_that_stays_read_only_does_no_harm() {
    if only_svbox("earlier life") {
        return;
    }
    let mut first = read_only("").start();
    in_stage_2(&first);
    assert_eq!(first.said(), life("+1 -1 +2"));
    first.signal("CONT");
    first.until_said("leave stage: /etc/runit/2");
    let end = first.ended();
    assert_eq!((end, first.said()), (End::Again, life("+1 -1 +2 -2 +3 -3 again")));
}
