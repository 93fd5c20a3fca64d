//! When supervisors are replaced, and when new directories are taken for services.

use super::*;
use std::time::{Duration, Instant, SystemTime};

/// A fake supervisor that writes down when it was started, and ends.
const SHORT_LIVED: &str = "date +%s.%N >>../starts-$1; exit 1";

/// The times that were written down, in seconds.
fn times(sandbox: &Sandbox, file: &str) -> Vec<f64> {
    sandbox.read(file).lines().map(|line| line.parse().unwrap()).collect()
}

/// Waits until a process is this old.
#[track_caller]
fn until_old(pid: i32, age: Duration) {
    let born = fs::metadata(format!("/proc/{pid}")).unwrap().modified().unwrap();
    until("some age", || SystemTime::now().duration_since(born).is_ok_and(|now| now > age));
}

#[test]
fn a_supervisor_that_died_is_replaced() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let _runsvdir = scan.start(&[], &[]);
    one.until_up();
    let old = supervisor(&sandbox, "one");
    kill(one.status().pid(), Signal::KILL);
    kill(old, Signal::KILL);
    until("another", || sandbox.named("runsv").iter().any(|&pid| pid != old));
    until("its supervision", || one.is_supervised());
}

#[test]
fn a_supervisor_that_was_told_to_exit_is_replaced() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let _runsvdir = scan.start(&[], &[]);
    let pid = one.until_up();
    one.send(b"x");
    one.until_up_again(pid);
}

#[test]
fn a_supervisor_that_dies_young_is_replaced_after_a_second_each_time() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("scan/one")).unwrap();
    let mut command = with_fake_runsv(&sandbox, SHORT_LIVED);
    command.arg("scan");
    let _runsvdir = sandbox.start(command);
    until("three starts", || sandbox.lines("starts-one") >= 3);
    // runit counts from its last look, which is a little before the start.
    let least = if against_runit() { 0.8 } else { 1.0 };
    for pair in times(&sandbox, "starts-one").windows(2) {
        assert!(pair[1] - pair[0] >= least, "{}", pair[1] - pair[0]);
    }
}

#[test]
fn a_supervisor_that_lived_a_second_is_replaced_at_once() {
    if only_svbox("told") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let _runsvdir = scan.start(&[], &[]);
    one.until_up();
    let quickest = (0..2).map(|_| time_to_replace(&sandbox, &one)).min().unwrap();
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
}

/// How long it takes until a supervisor that is old enough is replaced.
#[track_caller]
fn time_to_replace(sandbox: &Sandbox, service: &Service<'_>) -> Duration {
    until("supervision", || service.is_supervised());
    let old = supervisor(sandbox, &service.name);
    until_old(old, Duration::from_millis(1500));
    kill(old, Signal::KILL);
    let start = Instant::now();
    until("another", || supervisors(sandbox).iter().any(|&pid| pid != old));
    start.elapsed()
}

#[test]
fn one_that_dies_all_the_time_does_not_hold_up_the_others() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("scan/bad")).unwrap();
    let body = "case $1 in bad) echo >>../bad; exit 1;; *) echo >>../good; exec sleep 1000000;; esac";
    let mut command = with_fake_runsv(&sandbox, body);
    command.arg("scan");
    let _runsvdir = sandbox.start(command);
    until("the bad one", || sandbox.lines("bad") >= 1);
    fs::create_dir_all(sandbox.join("scan/good")).unwrap();
    until("the good one", || sandbox.lines("good") == 1);
    let before = sandbox.lines("bad");
    until("the bad one, still", || sandbox.lines("bad") > before);
    assert_eq!(sandbox.lines("good"), 1);
}

#[test]
fn one_that_is_taken_out_while_it_waits_for_its_next_start_is_forgotten() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    scan.link(&sandbox.service("bad"));
    let mut command = with_fake_runsv(&sandbox, SHORT_LIVED);
    command.arg("scan");
    let _runsvdir = sandbox.start(command);
    until("a start", || sandbox.lines("starts-bad") >= 1);
    scan.unlink("bad");
    scan.link(&sandbox.service("other"));
    until("the other", || sandbox.lines("starts-other") >= 1);
    let before = sandbox.lines("starts-bad");
    until("the other, twice more", || sandbox.lines("starts-other") >= 3);
    assert_eq!(sandbox.lines("starts-bad"), before);
}

/// Waits for the end of a scan: what is found by the first one is taken as it is.
#[track_caller]
fn until_scanned(sandbox: &Sandbox, runsvdir: &Running) {
    runsvdir.signal(Signal::ALARM);
    until("a scan", || sandbox.join("scan/.forced-rescan").exists());
}

#[test]
fn a_new_directory_is_left_alone_for_its_first_second() {
    if only_svbox("young") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    scan.link(&sandbox.service("first"));
    let mut command = with_fake_runsv(&sandbox, "date +%s.%N >>../starts-$1; exec sleep 1000000");
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    until("the first", || sandbox.lines("starts-first") == 1);
    until_scanned(&sandbox, &runsvdir);
    fs::create_dir(sandbox.join("scan/young")).unwrap();
    let made = fs::metadata(sandbox.join("scan/young")).unwrap().modified().unwrap();
    until("the young one", || sandbox.lines("starts-young") == 1);
    let made = made.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let age = times(&sandbox, "starts-young")[0] - made;
    assert!(age >= 1.0, "{age}");
}

#[test]
fn a_directory_that_is_filled_after_it_was_made_is_not_started_too_soon() {
    if only_svbox("young") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let first = sandbox.service("first").run_forever();
    scan.link(&first);
    let runsvdir = scan.start(&[], &[]);
    first.until_up();
    until_scanned(&sandbox, &runsvdir);
    let young = sandbox.service("scan/young");
    let last = sandbox.service("last").run_forever();
    scan.link(&last);
    last.until_up();
    young.down().run_forever().send_when_there(b"u");
    assert_eq!(runsvdir.stderr(), "");
}

/// Waits for supervision, then sends.
trait SendWhenThere {
    fn send_when_there(&self, bytes: &[u8]);
}

impl SendWhenThere for Service<'_> {
    #[track_caller]
    fn send_when_there(&self, bytes: &[u8]) {
        until("its supervisor", || self.is_supervised());
        self.send(bytes);
        self.until_up();
    }
}

#[test]
fn a_directory_that_goes_again_in_its_first_second_is_never_started() {
    if only_svbox("young") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    scan.link(&sandbox.service("first"));
    let mut command = with_fake_runsv(&sandbox, "echo $1 >>../starts; exec sleep 1000000");
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    until("the first", || sandbox.lines("starts") == 1);
    until_scanned(&sandbox, &runsvdir);
    // Made before the brief one goes, or it could get its inode and be taken for it.
    fs::create_dir(sandbox.join("last")).unwrap();
    fs::create_dir(sandbox.join("scan/brief")).unwrap();
    fs::remove_dir(sandbox.join("scan/brief")).unwrap();
    fs::rename(sandbox.join("last"), sandbox.join("scan/last")).unwrap();
    until("the last", || sandbox.read("starts").contains("last"));
    assert_eq!(sandbox.read("starts"), "first\nlast\n");
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn a_missing_directory_is_not_complained_about_all_the_time() {
    let sandbox = Sandbox::new();
    let start = Instant::now();
    let runsvdir = start_on(&sandbox, "missing");
    until("two seconds", || start.elapsed() > Duration::from_secs(2));
    let warnings = count(&runsvdir.stderr(), "unable to stat missing");
    assert!((1..=3).contains(&warnings), "{warnings}");
}
