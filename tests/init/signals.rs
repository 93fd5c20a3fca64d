//! What process 1 hears, and where.

use super::*;

#[test]
fn cont_without_stopit_is_nothing_and_with_it_ends_stage_2() {
    let mut first = Boot::new().start();
    in_stage_2(&first);
    first.signal("CONT");
    first.until_idle();
    assert_eq!(first.said(), life("+1 -1 +2"));
    stop(&first);
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn int_without_its_program_is_nothing() {
    // Without pwrfail PWR ends what is no machine, as these are.
    let first = Boot::new().start();
    in_stage_2(&first);
    first.set("/run/runit.stopit", 0o100);
    first.signal("INT");
    first.until_idle();
    first.set("/etc/runit/ctrlaltdel", 0o677);
    first.signal("INT");
    first.until_idle();
    assert_eq!(first.said(), life("+1 -1 +2"));
    assert_eq!(first.mode("/run/runit.stopit"), Some(0o100));
}

#[test]
fn term_and_pwr_end_a_container() {
    if only_svbox("containers") {
        return;
    }
    for signal in ["TERM", "PWR"] {
        let mut first = Boot::new().start();
        in_stage_2(&first);
        first.set("/run/runit.reboot", 0o100);
        first.signal(signal);
        assert_eq!(first.ended(), End::Off, "{signal}");
        assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"), "{signal}");
    }
    let mut first = early("TERM", &[]);
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 remembered -1 skip +3 -3 off"));
}

#[test]
fn the_last_request_in_stage_1_is_the_one_that_counts() {
    if only_svbox("remembered") {
        return;
    }
    let mut first = Boot::new().script("1", "runit-init 6; runit-init 0").start();
    assert_eq!(first.ended(), End::Off);
    let mut first = Boot::new().script("1", "runit-init 0; runit-init 6").start();
    assert_eq!(first.ended(), End::Again);
}

/// Somebody from outside has come into the namespace before, as the second process.
#[test]
fn a_guest_of_a_container_is_not_taken_for_the_kernel() {
    if only_svbox("containers") || !rustix::process::geteuid().is_root() {
        return;
    }
    let program =
        "sh -c 'echo 1 >/proc/sys/kernel/ns_last_pid; : >/run/there; read go </run/gate; exec runit'";
    let mut first = Boot::new().gate("gate").program(program).start_under(&[]);
    first.until_there("/run/there");
    let mut guest =
        first.command("sh").args(["-c", "echo $$ >/run/guest; exec sleep 1000000"]).spawn().unwrap();
    until("the guest", || !first.read("/run/guest").is_empty());
    let number = first.read("/run/guest");
    first.go("gate");
    first.until_said("enter stage: /etc/runit/2");
    first.signal("TERM");
    assert_eq!((number.as_str(), first.ended()), ("2\n", End::Off));
    guest.wait().unwrap();
}

#[test]
fn the_three_signals_without_a_name_end_the_machine_whatever_the_files_say() {
    if only_svbox("numbered signals") {
        return;
    }
    for (signal, end, short) in
        [("37", End::Off, "halt"), ("38", End::Off, "off"), ("39", End::Again, "again")]
    {
        for request in ["none", "reboot", "halt"] {
            let mut first = Boot::new().start();
            in_stage_2(&first);
            first.set(&format!("/run/runit.{request}"), 0o100);
            first.signal(signal);
            assert_eq!(first.ended(), end, "{signal} {request}");
            assert_eq!(first.said(), life(&format!("+1 -1 +2 -2 +3 -3 {short}")), "{signal} {request}");
        }
    }
}

/// All signals but KILL and STOP, which from outside mean what they say, and those of `but`.
fn harmless(but: &[u32]) -> Vec<String> {
    // The C library keeps 32 and 33 for itself.
    let own = |signal: &u32| ![9, 19, 32, 33].contains(signal) && !but.contains(signal);
    (1..=64).filter(own).map(|signal| signal.to_string()).collect()
}

#[test]
fn all_other_signals_are_harmless_in_stage_2() {
    // Debian's hands ALRM on to stage 2.
    let but: &[u32] = if against_runit() { &[14, 30] } else { &[15, 30, 37, 38, 39, 59] };
    let mut first = Boot::new().start();
    in_stage_2(&first);
    for signal in harmless(but) {
        first.signal(&signal);
        first.until_idle();
        assert!(first.lives(), "{signal}");
    }
    let inside = "for signal in HUP USR1 USR2 QUIT SEGV ILL TSTP TTIN TTOU KILL STOP PIPE CHLD; do
            kill -$signal 1 || exit; done; grep '^State:.[SR]' /proc/1/status";
    assert!(first.command("sh").args(["-c", inside]).status().unwrap().success());
    first.until_idle();
    assert!(first.field("State:").starts_with('S'));
    assert_eq!(first.said(), life("+1 -1 +2"));
    stop(&first);
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn in_stage_1_signals_that_are_no_requests_are_harmless() {
    let first = Boot::new().gate("gate").script("1", "read go </run/gate || :").start();
    first.until_said("enter stage: /etc/runit/1");
    for signal in harmless(&[2, 15, 18, 30, 37, 38, 39]) {
        first.signal(&signal);
        first.until_idle();
    }
    first.go("gate");
    in_stage_2(&first);
    let said = first.said();
    let told = said.matches("signals only work in stage 2").count();
    assert_eq!(said.replace(&life("only"), ""), life("+1 -1 +2"));
    // HUP and PIPE are heard.
    assert!(told <= 2, "{said}");
}

/// A life in which this signal comes in stage 1, with these requests.
#[track_caller]
fn early(signal: &str, requests: &[&str]) -> First {
    let boot = Boot::new().gate("gate").script("1", "read go </run/gate || :");
    let first = boot.script("ctrlaltdel", "").script("pwrfail", "").start();
    first.until_said("enter stage: /etc/runit/1");
    first.until_idle();
    requests.iter().for_each(|request| first.set(request, 0o100));
    first.signal(signal);
    first.until_said("warning: signals only work in stage 2");
    first.until_idle();
    first.go("gate");
    first
}

#[test]
fn a_request_in_stage_1_to_leave_stage_2_skips_it() {
    if only_svbox("remembered") {
        return;
    }
    let mut first = early("CONT", &["/run/runit.stopit"]);
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 remembered -1 skip +3 -3 off"));
    for (signal, end, short) in
        [("37", End::Off, "halt"), ("38", End::Off, "off"), ("39", End::Again, "again")]
    {
        let mut first = early(signal, &[]);
        assert_eq!(first.ended(), end, "{signal}");
        assert_eq!(first.said(), life(&format!("+1 remembered -1 skip +3 -3 {short}")), "{signal}");
    }
}

#[test]
fn a_cont_in_stage_1_without_stopit_skips_nothing() {
    let first = early("CONT", &[]);
    in_stage_2(&first);
    let said = first.said();
    assert!(said.ends_with(&life("-1 +2")) && said.matches("stage 2").count() == 1, "{said}");
}

#[test]
fn int_and_pwr_in_stage_1_run_their_programs_in_stage_2() {
    if only_svbox("remembered") {
        return;
    }
    let first = early("INT", &[]);
    first.until_said("leave stage: /etc/runit/ctrlaltdel");
    let said = first.said();
    assert!(said.starts_with(&life("+1 remembered -1")), "{said}");
    // Two programs are started, in either order.
    let said = said.replace(&life("+2"), "");
    assert_eq!(said, life("+1 remembered -1 ctrl +ctrlaltdel -ctrlaltdel"));
    let mut first = early("PWR", &[]);
    assert_eq!(first.ended(), End::Off);
    let said = first.said().replace(&life("+2"), "");
    assert_eq!(said, life("+1 remembered -1 power +pwrfail -pwrfail -2 +3 -3 off"));
}

#[test]
fn signals_in_stage_3_are_forgotten() {
    let signals: &[&str] =
        if against_runit() { &["CONT", "INT"] } else { &["CONT", "INT", "PWR", "37", "39"] };
    for signal in signals {
        let boot = Boot::new().gate("gate").script("2", "").script("3", "read go </run/gate || :");
        let mut first = boot.script("ctrlaltdel", ": >/run/ran").script("pwrfail", ": >/run/ran").start();
        first.until_said("enter stage: /etc/runit/3");
        first.until_idle();
        first.set("/run/runit.stopit", 0o100);
        first.signal(signal);
        first.until_said("signals only work");
        first.go("gate");
        assert_eq!(first.ended(), End::Off, "{signal}");
        assert_eq!(first.said(), life("+1 -1 +2 -2 +3 only -3 off"), "{signal}");
        assert!(!first.at("/run/ran").exists());
    }
}

#[test]
fn a_power_failure_in_stage_1_is_not_forgotten_over_an_int() {
    if only_svbox("remembered") {
        return;
    }
    for signals in [["PWR", "INT"], ["INT", "PWR"]] {
        let boot = Boot::new().gate("gate").script("1", "read go </run/gate || :");
        let mut first = boot.script("ctrlaltdel", "").script("pwrfail", "").start();
        first.until_said("enter stage: /etc/runit/1");
        for signal in signals {
            first.signal(signal);
            first.until_idle();
        }
        first.go("gate");
        first.until_said("leave stage: /etc/runit/pwrfail");
        assert_eq!(first.ended(), End::Off, "{signals:?}");
    }
}
