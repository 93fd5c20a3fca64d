//! ctrlaltdel and pwrfail.

use super::*;

/// Makes stopit, as ctrlaltdel of a distribution does.
const STOP: &str = ": >/run/runit.stopit; chmod 100 /run/runit.stopit";

#[test]
fn int_runs_ctrlaltdel_and_then_looks_at_stopit() {
    for code in [0, 1, 111] {
        let body = format!("{STOP}; exit {code}");
        let mut first = Boot::new().script("ctrlaltdel", &body).start();
        in_stage_2(&first);
        first.signal("INT");
        assert_eq!(first.ended(), End::Off, "{body}");
        let expected = life("+1 -1 +2 ctrl +ctrlaltdel -ctrlaltdel -2 +3 -3 off");
        assert_eq!(first.said(), expected, "{body}");
    }
}

#[test]
fn a_crash_of_it_is_told() {
    let mut first = Boot::new().script("ctrlaltdel", &format!("{STOP}; kill -KILL $$")).start();
    in_stage_2(&first);
    first.signal("INT");
    assert_eq!(first.ended(), End::Off);
    let expected = life("+1 -1 +2 ctrl +ctrlaltdel #ctrlaltdel -ctrlaltdel -2 +3 -3 off");
    assert_eq!(first.said(), expected);
}

#[test]
fn without_stopit_stage_2_goes_on_and_it_can_be_run_again() {
    let first = Boot::new().script("ctrlaltdel", "echo run >>/run/ran").start();
    in_stage_2(&first);
    for times in 1..=3 {
        first.signal("INT");
        first.until_said_times("leave stage: /etc/runit/ctrlaltdel", times);
        first.until_idle();
    }
    assert_eq!(first.read("/run/ran"), "run\nrun\nrun\n");
    let one = "ctrl +ctrlaltdel -ctrlaltdel";
    assert_eq!(first.said(), life(&format!("+1 -1 +2 {one} {one} {one}")));
}

#[test]
fn the_programs_find_what_a_stage_finds() {
    if only_svbox("ctrlaltdel mask") {
        return;
    }
    for (name, signal) in [("ctrlaltdel", "INT"), ("pwrfail", "PWR")] {
        let body = format!(
            "exec >/run/found; cat /proc/self/status >/run/status
            tr '\\0' ' ' </proc/$$/cmdline; echo
            set -- $(sed 's/.*) //' /proc/$$/stat); test $$ = $3 && test $$ = $4 && echo leads
            {DESCRIPTORS} | cmp - /run/given && echo same
            tr '\\0' '\\n' </proc/$$/environ >/run/environment
            chmod -f 0 /run/runit.stopit; : >/run/done"
        );
        let first = Boot::new().script(name, &body).file("/run/runit.stopit", 0).start();
        in_stage_2(&first);
        first.signal(signal);
        first.until_there("/run/done");
        assert_eq!(first.read("/run/found"), format!("/bin/sh /etc/runit/{name} \nleads\nsame\n"));
        assert_eq!(masks(&first.read("/run/status")), (0, 0));
        let own = fs::read_to_string(format!("/proc/{}/environ", first.pid)).unwrap();
        assert_eq!(first.read("/run/environment"), own.replace('\0', "\n"));
    }
}

/// A life in which ctrlaltdel hangs.
#[track_caller]
fn hanging() -> First {
    let boot = Boot::new().script("ctrlaltdel", ": >/run/hangs; exec sleep 1000000").script("pwrfail", "");
    let first = boot.file("/run/runit.stopit", 0).start();
    in_stage_2(&first);
    first.signal("INT");
    first.until_there("/run/hangs");
    first.until_idle();
    first
}

#[test]
fn while_it_hangs_the_machine_can_be_ended() {
    if only_svbox("ctrlaltdel beside") {
        return;
    }
    let mut first = hanging();
    first.signal("38");
    assert_eq!(first.ended(), End::Off);
    let mut first = hanging();
    stop(&first);
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn while_it_hangs_stage_2_may_end() {
    if only_svbox("ctrlaltdel beside") {
        return;
    }
    let mut first = hanging();
    let sleeping = first.sandbox.running("sleep 1000000");
    let stage_2 = sleeping.iter().find(|pid| parent(**pid) == first.pid && argv0(**pid) == "sleep");
    // The oldest is stage 2.
    kill(*stage_2.unwrap(), rustix::process::Signal::KILL);
    first.until_said("restarting.");
    first.until_said_times("enter stage: /etc/runit/2", 2);
    first.signal("38");
    assert_eq!(first.ended(), End::Off);
}

fn parent(pid: i32) -> i32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or_default()
}

fn argv0(pid: i32) -> String {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split('\0').next().unwrap_or_default().to_owned()
}

#[test]
fn while_it_hangs_orphans_are_collected() {
    if only_svbox("ctrlaltdel beside") {
        return;
    }
    let first = hanging();
    let orphans = "i=0; while test $i -lt 100; do (:) & i=$((i+1)); done";
    assert!(first.command("sh").args(["-c", orphans]).status().unwrap().success());
    until("the end of the orphans", || first.children() == (2, 0));
}

#[test]
fn pwr_makes_stopit_and_runs_pwrfail() {
    if only_svbox("pwrfail") {
        return;
    }
    let show = "for f in /etc/runit/stopit /run/runit/stopit /run/runit.stopit; do
        test -e $f && stat -c '%a %n' $f; done >/run/found";
    for body in [show.to_owned(), format!("{show}; exit 7")] {
        let mut first = Boot::new().script("pwrfail", &body).start();
        in_stage_2(&first);
        first.signal("PWR");
        assert_eq!(first.ended(), End::Off);
        assert_eq!(first.read("/run/found"), "100 /etc/runit/stopit\n");
        assert_eq!(first.said(), life("+1 -1 +2 power +pwrfail -pwrfail -2 +3 -3 off"));
    }
}

#[test]
fn a_crash_of_pwrfail_is_told() {
    if only_svbox("pwrfail") {
        return;
    }
    let mut first = Boot::new().script("pwrfail", "kill -SEGV $$").start();
    in_stage_2(&first);
    first.signal("PWR");
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 power +pwrfail #pwrfail -pwrfail -2 +3 -3 off"));
}

#[test]
fn what_is_made_is_made_where_it_is_already() {
    if only_svbox("pwrfail") {
        return;
    }
    for place in places("stopit") {
        let show = format!(
            "stat -L -c '%a' {place} >/run/found; ls /etc/runit /run /run/runit | grep -c stopit >>/run/found"
        );
        let mut first = Boot::new().script("pwrfail", &show).file(&place, 0).start();
        in_stage_2(&first);
        first.signal("PWR");
        assert_eq!(first.ended(), End::Off);
        assert_eq!(first.read("/run/found"), "100\n1\n", "{place}");
    }
}

#[test]
fn what_is_made_may_lie_behind_a_link_that_leads_nowhere() {
    if only_svbox("pwrfail") {
        return;
    }
    let boot = Boot::new().script("pwrfail", "stat -c '%a' /run/target >/run/found");
    symlink("/run/target", boot.sandbox.join("etc/stopit")).unwrap();
    let mut first = boot.start();
    in_stage_2(&first);
    first.signal("PWR");
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/found"), "100\n");
}

#[test]
fn on_a_read_only_root_it_is_made_below_run() {
    if only_svbox("pwrfail") {
        return;
    }
    let boot = Boot::new().before("mount -o remount,bind,ro /etc/runit");
    let mut first = boot.script("pwrfail", "stat -c '%a' /run/runit/stopit >/run/found").start();
    in_stage_2(&first);
    first.signal("PWR");
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/found"), "100\n");
}

#[test]
fn pwrfail_can_take_it_back() {
    if only_svbox("pwrfail") {
        return;
    }
    let mut first = Boot::new().script("pwrfail", "chmod 0 /etc/runit/stopit").start();
    in_stage_2(&first);
    first.signal("PWR");
    first.until_said("leave stage: /etc/runit/pwrfail");
    first.until_idle();
    first.signal("CONT");
    first.until_idle();
    assert_eq!(first.said(), life("+1 -1 +2 power +pwrfail -pwrfail"));
    assert!(first.lives());
}

#[test]
fn whether_it_is_a_reboot_is_for_the_reboot_file() {
    if only_svbox("pwrfail") {
        return;
    }
    let mut first = Boot::new().script("pwrfail", "").start();
    in_stage_2(&first);
    first.set("/run/runit.reboot", 0o100);
    first.signal("PWR");
    assert_eq!(first.ended(), End::Again);
}

#[test]
fn programs_that_cannot_be_run_are_told_and_stopit_is_looked_at() {
    if only_svbox("missing stage") {
        return;
    }
    for (name, signal, told) in [("ctrlaltdel", "INT", "ctrl"), ("pwrfail", "PWR", "power")] {
        let mut first = Boot::new().file(&format!("/etc/runit/{name}"), 0o755).start();
        in_stage_2(&first);
        first.set("/run/runit.stopit", 0o100);
        first.signal(signal);
        assert_eq!(first.ended(), End::Off);
        let unable = format!("fatal: unable to start child: /etc/runit/{name}: exec format error");
        let (before, after) = (format!("+1 -1 +2 {told} +{name}"), format!("-{name} -2 +3 -3 off"));
        let expected = format!("{}- runit: {unable}\n{}", life(&before), life(&after));
        assert_eq!(first.said(), expected);
    }
}

#[test]
fn while_it_hangs_pwrfail_is_run() {
    if only_svbox("ctrlaltdel beside") {
        return;
    }
    let mut first = hanging();
    first.signal("PWR");
    first.until_said("leave stage: /etc/runit/pwrfail");
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn stopit_is_looked_at_after_it_also_if_stage_2_is_not_there_then() {
    if only_svbox("ctrlaltdel beside") {
        return;
    }
    let fails = "test -e /run/second && exec sleep 1000000; : >/run/second; read go </run/fail; exit 111";
    let ctrlaltdel = format!("read go </run/gate; {STOP}");
    let boot = Boot::new().gate("fail").gate("gate").script("2", fails);
    let mut first = boot.script("ctrlaltdel", &ctrlaltdel).start();
    in_stage_2(&first);
    first.signal("INT");
    first.until_said("enter stage: /etc/runit/ctrlaltdel");
    first.go("fail");
    first.until_said("killing all processes in stage 2...");
    first.go("gate");
    first.until_said("leave stage: /etc/runit/ctrlaltdel");
    first.until_said("enter stage: /etc/runit/3");
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn what_pwrfail_may_take_back_is_not_acted_on_when_ctrlaltdel_ends() {
    if only_svbox("pwrfail") {
        return;
    }
    let boot = Boot::new().gate("gate").script("ctrlaltdel", "until test -e /run/asked; do sleep 0.01; done");
    let pwrfail = ": >/run/asked; read go </run/gate || :; chmod 0 /etc/runit/stopit";
    let mut first = boot.script("pwrfail", pwrfail).start();
    in_stage_2(&first);
    first.signal("INT");
    first.until_said("enter stage: /etc/runit/ctrlaltdel");
    first.signal("PWR");
    first.until_said("leave stage: /etc/runit/ctrlaltdel");
    first.until_idle();
    assert!(first.lives() && !first.said().contains("leave stage: /etc/runit/2"));
    first.go("gate");
    first.until_said("leave stage: /etc/runit/pwrfail");
    first.until_idle();
    assert!(first.lives() && !first.said().contains("leave stage: /etc/runit/2"));
}
