//! Request files: where they are, and what about them counts.

use super::*;

/// Whether a CONT ends stage 2, with these commands done before.
#[track_caller]
fn leaves_after(prepare: &str) -> (bool, First) {
    let mut first = Boot::new().script("ctrlaltdel", "").start();
    in_stage_2(&first);
    assert!(first.command("sh").args(["-ec", prepare]).status().unwrap().success(), "{prepare}");
    first.signal("CONT");
    first.until_idle();
    // Nothing of the CONT is left that could come later than this.
    if first.signal_if_there("INT") {
        let looked = "leave stage: /etc/runit/ctrlaltdel";
        until("ctrlaltdel or the end", || first.said().contains(looked) || !first.lives());
    }
    let left = first.said().contains("leave stage: /etc/runit/2");
    (left, first)
}

#[test]
fn stopit_is_looked_for_in_each_place() {
    for place in places("stopit") {
        let prepare = format!("mkdir -p {}; : >{place}; chmod 100 {place}", parent(&place));
        assert!(leaves_after(&prepare).0, "{place}");
    }
}

fn parent(place: &str) -> &str {
    place.rsplit_once('/').unwrap().0
}

#[test]
fn other_places_do_not_count() {
    for place in
        ["/run/stopit", "/run/runit/runit.stopit", "/etc/runit/runit.stopit", "/run/runit.stopit.new"]
    {
        let prepare = format!("mkdir -p {}; : >{place}; chmod 755 {place}", parent(place));
        assert!(!leaves_after(&prepare).0, "{place}");
    }
}

#[test]
fn only_the_bit_of_the_owner_counts() {
    for place in places("stopit") {
        for (mode, counts) in [("000", false), ("677", false), ("011", false), ("100", true), ("755", true)] {
            let prepare = format!("mkdir -p {}; : >{place}; chmod {mode} {place}", parent(&place));
            assert_eq!(leaves_after(&prepare).0, counts, "{place} {mode}");
        }
    }
}

#[test]
fn the_content_and_the_owner_do_not_count() {
    let place = "/run/runit.stopit";
    for prepare in ["echo no", "echo '#!/bin/false'", "cat /proc/kallsyms"] {
        assert!(leaves_after(&format!("{prepare} >{place}; chmod 100 {place}")).0, "{prepare}");
    }
    if rustix::process::geteuid().is_root() {
        assert!(leaves_after(&format!(": >{place}; chmod 100 {place}; chown 1000:1000 {place}")).0);
    }
}

#[test]
fn links_are_followed() {
    let linked = ": >/run/target; chmod 100 /run/target";
    for place in places("stopit") {
        let prepare = format!("mkdir -p {}; {linked}; ln -s /run/target {place}", parent(&place));
        let (left, first) = leaves_after(&prepare);
        assert!(left, "{place}");
        assert_eq!(first.mode("/run/target"), Some(0), "{place}");
        assert!(
            !leaves_after(&format!("mkdir -p {}; ln -s /run/nothing {place}", parent(&place))).0,
            "{place}"
        );
    }
}

#[test]
fn a_file_system_without_execution_does_not_matter() {
    let prepare = "mkdir -p /run/runit; mount -t tmpfs -o noexec none /run/runit; : >/run/runit/stopit
        chmod 100 /run/runit/stopit; ln -s /run/runit/stopit /run/runit.stopit";
    assert!(leaves_after(prepare).0);
}

#[test]
fn stopit_is_taken_back_when_stage_2_is_left() {
    let places = places("stopit");
    let show = format!("stat -L -c %a {} >/run/modes", places.join(" "));
    let mut first = Boot::new().script("3", &show).start();
    in_stage_2(&first);
    for place in &places {
        first.set(place, 0o755);
    }
    first.signal("CONT");
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/modes"), "0\n".repeat(places.len()));
}

/// The end of a life that is asked for reboot or halt in these places.
#[track_caller]
fn end_with(requests: &[&str]) -> (End, String) {
    let mut first = Boot::new().start();
    in_stage_2(&first);
    for request in requests {
        first.set(request, 0o100);
    }
    stop(&first);
    let end = first.ended();
    let said = first.said();
    let last = said.lines().last().unwrap_or_default().to_owned();
    (end, last)
}

fn reboots() -> (End, String) {
    (End::Again, "- runit: system reboot.".into())
}

fn halts() -> (End, String) {
    (End::Off, "- runit: system halt.".into())
}

fn switches_off() -> (End, String) {
    (End::Off, "- runit: power off...".into())
}

#[test]
fn reboot_is_looked_for_in_each_place() {
    for place in places("reboot") {
        assert_eq!(end_with(&[&place]), reboots(), "{place}");
    }
    assert_eq!(end_with(&["/run/reboot"]), switches_off());
}

#[test]
fn halt_is_looked_for_in_each_place() {
    if only_svbox("halt") {
        return;
    }
    for place in places("halt") {
        assert_eq!(end_with(&[&place]), halts(), "{place}");
    }
}

#[test]
fn with_reboot_halt_has_no_meaning() {
    assert_eq!(end_with(&["/etc/runit/halt", "/run/runit/halt", "/run/runit.reboot"]), reboots());
}

#[test]
fn reboot_counts_by_its_bit_too() {
    for (mode, end) in [(0o100, End::Again), (0o677, End::Off), (0o011, End::Off)] {
        let mut first = Boot::new().start();
        in_stage_2(&first);
        first.set("/run/runit.reboot", mode);
        stop(&first);
        assert_eq!(first.ended(), end, "{mode:o}");
        assert_eq!(first.mode("/run/runit.reboot"), Some(mode), "it is left as it is");
    }
}

#[test]
fn stage_3_may_still_change_what_is_asked_for() {
    let set = ": >/run/runit.reboot; chmod 100 /run/runit.reboot";
    let mut first = Boot::new().script("2", "").script("3", set).start();
    assert_eq!(first.ended(), End::Again);
    let (set, clear) = (format!("{set}; exit 0"), "chmod 0 /run/runit.reboot");
    let mut first = Boot::new().script("2", &set).script("3", clear).start();
    assert_eq!(first.ended(), End::Off);
}

/// How often everything is written out at the end of a life, and the call by which it ends.
#[track_caller]
fn written(before: &str) -> (usize, String) {
    let calls = "trace=sync,syncfs,fsync,fdatasync,reboot";
    let boot = Boot::new().script("2", "").before(before);
    let mut first =
        boot.start_under(&["strace", "-f", "-qq", "-o", "trace", "-e", "signal=none", "-e", calls]);
    assert_eq!(first.ended(), End::Off);
    let trace = first.sandbox.read("trace");
    let lines = || trace.lines().filter(|line| !line.contains("+++") && !line.contains("resumed"));
    let syncs = lines().filter(|line| line.contains("sync")).count();
    let mut reboot = lines().filter(|line| line.contains("reboot(") && !line.contains("CAD"));
    (syncs, reboot.next_back().unwrap_or_default().to_owned())
}

#[test]
fn what_waits_is_written_out_once() {
    let (syncs, reboot) = written("");
    assert_eq!(syncs, 1);
    assert!(reboot.contains("LINUX_REBOOT_CMD_POWER_OFF"), "{reboot}");
}

#[test]
fn with_nosync_nothing_is_written_out() {
    let places = if against_runit() { vec!["/etc/runit/nosync".to_owned()] } else { places("nosync") };
    for place in places {
        for make in [": >P; chmod 0 P", "mkdir P"] {
            let make = format!("mkdir -p {}; {}", parent(&place), make.replace('P', &place));
            let (syncs, reboot) = written(&make);
            assert_eq!(syncs, 0, "{make}");
            assert!(reboot.contains("LINUX_REBOOT_CMD_POWER_OFF"), "{reboot}");
        }
    }
}
