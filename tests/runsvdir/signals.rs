//! What signals do, and the scripts run for them.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A runsvdir with one service that is up.
fn one_up(sandbox: &Sandbox) -> (Running, Service<'_>) {
    with_options(sandbox, &[])
}

fn with_options<'s>(sandbox: &'s Sandbox, options: &[&str]) -> (Running, Service<'s>) {
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let runsvdir = scan.start(options, &[]);
    service.until_up();
    (runsvdir, service)
}

/// Waits until a forced scan has left its mark; gives the mark.
#[track_caller]
fn until_stamped(sandbox: &Sandbox) -> String {
    until("the mark", || sandbox.read("scan/.forced-rescan").len() == 25);
    sandbox.read("scan/.forced-rescan")
}

/// Seconds of a TAI64N label.
fn seconds(label: &str) -> u64 {
    u64::from_str_radix(&label[1..17], 16).unwrap() - 0x4000_0000_0000_000a
}

#[test]
fn term_ends_it_with_0_and_leaves_the_services_running() {
    let sandbox = Sandbox::new();
    let (mut runsvdir, service) = one_up(&sandbox);
    let (pid, runsv) = (service.status().pid(), supervisor(&sandbox, "one"));
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!((service.status().pid(), service.status().term()), (pid, false));
    assert_eq!(supervisor(&sandbox, "one"), runsv);
    service.send(b"x");
    until("the end of the supervisor, which still listens", || sandbox.processes().is_empty());
}

#[test]
fn hup_ends_it_with_111_and_all_services() {
    let sandbox = Sandbox::new();
    let two = sandbox.service("two").run_forever().logged();
    sandbox.scan().link(&two);
    let (mut runsvdir, _) = one_up(&sandbox);
    two.until_up();
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    until("the end of all", || sandbox.processes().is_empty());
}

#[test]
fn after_hup_it_does_not_wait_for_services() {
    let sandbox = Sandbox::new();
    let run = "trap 'echo >told' TERM\necho >ready\nwhile ! test -e leave; do sleep 0.01; done";
    let slow = sandbox.service("slow").run(run);
    sandbox.scan().link(&slow);
    let (mut runsvdir, _) = one_up(&sandbox);
    slow.until_lines("ready", 1);
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    slow.until_lines("told", 1);
    assert!(slow.is_supervised());
    sandbox.write("slow/leave", "");
    until("its end", || !slow.is_supervised());
}

#[test]
fn other_signals_kill_it_and_leave_the_services_running() {
    for signal in [Signal::INT, Signal::QUIT, Signal::USR1, Signal::USR2] {
        let sandbox = Sandbox::new();
        let (mut runsvdir, service) = one_up(&sandbox);
        runsvdir.signal(signal);
        assert_eq!(runsvdir.ended().signal(), Some(signal.as_raw()));
        assert!(service.is_supervised());
        assert!(!service.status().term());
    }
}

#[test]
fn alrm_leaves_a_label_of_now_in_the_directory() {
    let sandbox = Sandbox::new();
    let (runsvdir, _) = one_up(&sandbox);
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    runsvdir.signal(Signal::ALARM);
    let label = until_stamped(&sandbox);
    assert!(label.starts_with("@4"), "{label}");
    assert!(label[1..].bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{label}");
    assert!((before..=now()).contains(&seconds(&label)), "{label}");
    let mode = fs::metadata(sandbox.join("scan/.forced-rescan")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
}

#[test]
fn each_alrm_renews_the_label() {
    let sandbox = Sandbox::new();
    let (runsvdir, _) = one_up(&sandbox);
    runsvdir.signal(Signal::ALARM);
    let first = until_stamped(&sandbox);
    runsvdir.signal(Signal::ALARM);
    until("a later one", || {
        // runit's forgets a signal that comes when it has just written.
        if against_runit() {
            runsvdir.signal(Signal::ALARM);
        }
        until_stamped(&sandbox) > first
    });
}

#[test]
fn the_label_is_complete_whenever_it_is_there() {
    if only_svbox("stamp") {
        return;
    }
    let sandbox = Sandbox::new();
    let (runsvdir, _) = one_up(&sandbox);
    let mut last = String::new();
    for _ in 0..50 {
        runsvdir.signal(Signal::ALARM);
        last = until_some("another label", || {
            let Ok(label) = fs::read_to_string(sandbox.join("scan/.forced-rescan")) else { return None };
            assert_eq!(label.len(), 25, "{label:?}");
            (label != last).then_some(label)
        });
    }
}

#[test]
fn alrm_finds_what_the_directory_itself_does_not_show() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("../late", sandbox.join("scan-late")).unwrap();
    sandbox.scan();
    fs::rename(sandbox.join("scan-late"), sandbox.join("scan/late")).unwrap();
    let (runsvdir, _) = one_up(&sandbox);
    let late = sandbox.service("late").run_forever();
    runsvdir.signal(Signal::ALARM);
    late.until_up();
}

#[test]
fn the_label_is_not_written_before_the_services_were_looked_at() {
    let sandbox = Sandbox::new();
    let (runsvdir, _) = one_up(&sandbox);
    let two = sandbox.service("two").run_forever();
    sandbox.scan().link(&two);
    runsvdir.signal(Signal::ALARM);
    until_stamped(&sandbox);
    two.until_up();
}

#[test]
fn alrm_stops_what_is_gone() {
    let sandbox = Sandbox::new();
    let (runsvdir, service) = one_up(&sandbox);
    sandbox.scan().unlink("one");
    runsvdir.signal(Signal::ALARM);
    until("its end", || !service.is_supervised());
}

#[test]
fn alrm_does_no_harm_while_the_directory_is_missing() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let mut runsvdir = start_on(&sandbox, "late");
    until("the warning", || runsvdir.stderr().contains("unable to stat late"));
    runsvdir.signal(Signal::ALARM);
    set_of(&sandbox, "late", &[&one]);
    one.until_up();
    assert!(runsvdir.lives());
}

#[test]
fn a_script_gets_the_number_of_the_signal_before_it_takes_effect() {
    if only_svbox("script") {
        return;
    }
    for (signal, number, code) in [(Signal::TERM, "15\n", 0), (Signal::HUP, "1\n", 111)] {
        let sandbox = Sandbox::new();
        sandbox.script("script", "echo \"$@\" >>numbers");
        let (mut runsvdir, _) = with_options(&sandbox, &["-s", "./script"]);
        runsvdir.signal(signal);
        assert_eq!(runsvdir.ended().code(), Some(code));
        assert_eq!(sandbox.read("numbers"), number);
    }
}

#[test]
fn a_script_is_waited_for() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.script("script", "echo >begun; while ! test -e go; do sleep 0.01; done; echo >done");
    let (mut runsvdir, service) = with_options(&sandbox, &["-s", "./script"]);
    runsvdir.signal(Signal::HUP);
    until("the script", || sandbox.lines("begun") == 1);
    assert!(runsvdir.lives());
    assert!(service.is_supervised() && !service.status().term());
    sandbox.write("go", "");
    assert_eq!(runsvdir.ended().code(), Some(111));
    assert_eq!(sandbox.lines("done"), 1);
    until("the end of the service", || sandbox.processes().is_empty());
}

#[test]
fn with_a_script_term_leaves_the_services_running_too() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.script("script", "exit 3");
    let (mut runsvdir, service) = with_options(&sandbox, &["-s", "./script"]);
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert!(service.is_supervised() && !service.status().term());
}

#[test]
fn a_script_that_cannot_be_run_is_warned_about_and_the_signal_takes_effect() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut runsvdir, _) = with_options(&sandbox, &["-s", "./nothing"]);
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    let text = "runsvdir scan: warning: unable to run ./nothing: file does not exist\n";
    assert_eq!(runsvdir.stderr(), text);
}

#[test]
fn a_script_is_not_run_for_alrm() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.script("script", "echo \"$@\" >>numbers");
    let (mut runsvdir, _) = with_options(&sandbox, &["-s", "./script"]);
    runsvdir.signal(Signal::ALARM);
    until_stamped(&sandbox);
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!(sandbox.read("numbers"), "15\n");
}

#[test]
fn a_script_starts_with_a_clean_signal_state() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.script("script", "grep -E '^Sig(Blk|Ign)' /proc/self/status >signals");
    let (mut runsvdir, _) = with_options(&sandbox, &["-s", "./script"]);
    runsvdir.signal(Signal::TERM);
    runsvdir.ended();
    let sets = sandbox.read("signals");
    let sets: Vec<_> = sets.lines().map(|line| named_signals(line.split_once('\t').unwrap().1)).collect();
    assert_eq!(sets, [0, 0]);
}

#[test]
fn the_script_may_be_written_behind_its_letter_and_be_combined_with_p() {
    if only_svbox("script") {
        return;
    }
    for options in [&["-s./script"][..], &["-P", "-s", "./script"], &["-s", "./script", "-P"]] {
        let sandbox = Sandbox::new();
        sandbox.script("script", "echo \"$@\" >>numbers");
        let (mut runsvdir, _) = with_options(&sandbox, options);
        runsvdir.signal(Signal::TERM);
        assert_eq!(runsvdir.ended().code(), Some(0), "{options:?}");
        assert_eq!(sandbox.read("numbers"), "15\n", "{options:?}");
    }
}
