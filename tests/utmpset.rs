//! utmpset, in a root directory of the test's own.

use crate::kit::*;
use rustix::fs::{FlockOperation, fcntl_lock, flock};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use svbox::utmp::{Field, Kind, Record, SIZE};

/// Somebody on a line.
fn login(line: &str, user: &str) -> Record {
    let mut record = Record::new(Kind::User);
    record.set_text(Field::Line, line.as_bytes());
    record.set_text(Field::Id, b"id");
    record.set_text(Field::User, user.as_bytes());
    record.set_text(Field::Host, b"far.example");
    record.set_seconds(1000);
    record.set_microseconds(77);
    // Process, exit code, session and address.
    for at in [4, 333, 336, SIZE - 30] {
        record.0[at] = 9;
    }
    record
}

/// The same when it is over.
fn over(mut record: Record, seconds: i64) -> Record {
    record.set_kind(Kind::Dead);
    record.set_text(Field::User, b"");
    record.set_text(Field::Host, b"");
    record.set_seconds(seconds);
    record
}

fn file(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|record| record.0).collect()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Whether a file has these records, with the time of now where `times` says so.
#[track_caller]
fn assert_file(bytes: &[u8], since: i64, records: impl Fn(i64) -> Vec<Record>) {
    let until = now();
    assert!(
        (since..=until).any(|second| bytes == file(&records(second))),
        "{since} to {until}: {}",
        bytes.escape_ascii()
    );
}

/// Runs it; gives the exit code, and what it says.
fn run(root: &Root, args: &str) -> (Option<i32>, String) {
    let output = root.output(&format!("exec utmpset {args}"));
    assert!(output.stdout.is_empty());
    (output.status.code(), steady(&output.stderr))
}

const SILENCE: (Option<i32>, String) = (Some(0), String::new());

fn no_such_entry(line: &str) -> (Option<i32>, String) {
    (Some(111), format!("utmpset: warning: unable to logout line {line} in utmp: no such entry\n"))
}

#[test]
fn the_line_is_marked_and_everything_else_stays() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let others = [login("tty2", "b"), login("tty1", ""), login("tty11", "c")];
    let mut bytes = file(&[others[0], others[1], login("tty1", "a"), others[2]]);
    bytes.extend([1, 2, 3]);
    root.write("run/utmp", bytes);
    root.write("var/log/wtmp", "");
    let since = now();
    assert_eq!(run(&root, "tty1 ignored"), SILENCE);
    let utmp = root.read("run/utmp").unwrap();
    assert_eq!(utmp[SIZE * 4..], [1, 2, 3]);
    assert_file(&utmp[..SIZE * 4], since, |now| {
        vec![others[0], others[1], over(login("tty1", "a"), now), others[2]]
    });
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
}

#[test]
fn with_w_the_logout_is_added_to_wtmp() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[login("pts/3", "a")]));
    root.write("var/log/wtmp", file(&[login("pts/3", "a")]));
    let since = now();
    assert_eq!(run(&root, "-w pts/3"), SILENCE);
    assert_file(&root.read("run/utmp").unwrap(), since, |now| vec![over(login("pts/3", "a"), now)]);
    assert_file(&root.read("var/log/wtmp").unwrap(), since, |now| {
        let mut record = Record::new(Kind::Dead);
        record.set_text(Field::Line, b"pts/3");
        record.set_seconds(now);
        vec![login("pts/3", "a"), record]
    });
}

#[test]
fn utmpdump_can_read_what_is_written() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[login("tty1", "a")]));
    root.write("var/log/wtmp", "");
    assert_eq!(run(&root, "-w tty1"), SILENCE);
    for path in ["run/utmp", "var/log/wtmp"] {
        let output = sandbox.output("utmpdump", &[root.join(path).to_str().unwrap()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.starts_with("[8] [") && text.contains("] [tty1        ] ["), "{path}: {text}");
        assert_eq!(text.lines().count(), 1);
    }
}

#[test]
fn a_line_that_is_not_there_is_told_of() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let before = file(&[over(login("tty1", "a"), 5), login("tty2", "b")]);
    root.write("run/utmp", &before);
    for line in ["tty1", "tty", "/dev/tty2", "tty22"] {
        assert_eq!(run(&root, line), no_such_entry(line));
    }
    assert_eq!(root.read("run/utmp").unwrap(), before);
}

#[test]
fn a_logout_that_is_noted_already_is_added_to_wtmp_all_the_same() {
    if only_svbox("out already") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[over(login("tty1", "a"), 5)]));
    root.write("var/log/wtmp", "");
    assert_eq!(run(&root, "-w tty1"), no_such_entry("tty1"));
    assert_eq!(root.read("var/log/wtmp").unwrap().len(), SIZE);
}

#[test]
fn all_records_of_the_line_are_marked() {
    if only_svbox("all records") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[login("tty1", "a"), login("tty2", "b"), login("tty1", "c")]));
    let since = now();
    assert_eq!(run(&root, "tty1"), SILENCE);
    assert_file(&root.read("run/utmp").unwrap(), since, |now| {
        vec![over(login("tty1", "a"), now), login("tty2", "b"), over(login("tty1", "c"), now)]
    });
}

#[test]
fn a_wtmp_that_is_not_there_is_not_made() {
    if only_svbox("no wtmp") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[login("tty1", "a")]));
    assert_eq!(run(&root, "-w tty1"), SILENCE);
    assert!(!root.has("var/log/wtmp"));
}

#[test]
fn a_line_as_long_as_its_place_is_found_and_a_longer_one_is_an_error() {
    if only_svbox("long line") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let line = "x".repeat(32);
    root.write("run/utmp", file(&[login(&line, "a")]));
    root.write("var/log/wtmp", "");
    let longer = format!("{line}x");
    let error = format!("utmpset: fatal: unable to logout line {longer} in utmp: name too long\n");
    assert_eq!(run(&root, &format!("-w {longer}")), (Some(111), error));
    assert_eq!(root.read("run/utmp").unwrap(), login(&line, "a").0);
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
    assert_eq!(run(&root, &format!("-w {line}")), SILENCE);
    assert_eq!(root.read("var/log/wtmp").unwrap()[8..40], *line.as_bytes());
}

#[test]
fn a_missing_utmp_is_an_error() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("var/log/wtmp", "");
    let error = "utmpset: fatal: unable to open /var/run/utmp: file does not exist\n".to_owned();
    assert_eq!(run(&root, "-w tty1"), (Some(111), error));
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
}

#[test]
fn utmp_is_looked_for_in_both_places() {
    if only_svbox("both places") {
        return;
    }
    for path in ["run/utmp", "var/run/utmp"] {
        let sandbox = Sandbox::new();
        let root = sandbox.root();
        std::fs::remove_file(root.join("var/run")).unwrap();
        root.write(path, file(&[login("tty1", "a")]));
        assert_eq!(run(&root, "tty1"), SILENCE);
        assert_ne!(root.read(path).unwrap(), login("tty1", "a").0);
    }
}

#[test]
fn what_cannot_be_opened_is_told_of() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[login("tty1", "a")]));
    std::fs::create_dir(root.join("var/log/wtmp")).unwrap();
    let error = "utmpset: fatal: unable to open /var/log/wtmp: is a directory\n".to_owned();
    assert_eq!(run(&root, "-w tty1"), (Some(111), error));
    assert_eq!(root.read("run/utmp").unwrap()[0], 8, "utmp comes first");
}

#[test]
fn a_record_that_does_not_fit_into_wtmp_is_taken_out_again() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let Some(_mount) = sandbox.tmpfs("root/var/log", "size=4k") else { return };
    let ten = file(&[login("tty1", "a"); 10]);
    root.write("var/log/wtmp", &ten);
    root.write("run/utmp", file(&[login("tty1", "a")]));
    let (code, said) = run(&root, "-w tty1");
    assert_eq!(code, Some(111));
    assert!(said.starts_with("utmpset: warning: unable to logout line tty1 in wtmp: "), "{said}");
    assert_eq!(root.read("var/log/wtmp").unwrap(), ten);
}

#[test]
fn a_wrong_command_line_is_answered_with_the_usage() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let usage = "usage: utmpset [-w] line\n\n";
    for (args, before) in [("", ""), ("-w", ""), ("-x tty1", "utmpset: illegal option -- x\n"), ("--", "")] {
        assert_eq!(run(&root, args), (Some(1), format!("{before}{usage}")), "{args}");
    }
    let (code, said) = run(&root, "-V tty1");
    assert_eq!(code, Some(1));
    let (version, rest) = said.split_once('\n').unwrap();
    assert_eq!(rest, usage);
    assert!(against_runit() || version == concat!("svbox utmpset ", env!("CARGO_PKG_VERSION")), "{version}");
}

type Lock = fn(&std::fs::File);
const FLOCK: Lock = |file| flock(file, FlockOperation::LockExclusive).unwrap();
const FCNTL: Lock = |file| fcntl_lock(file, FlockOperation::LockExclusive).unwrap();

/// Takes a lock of utmp.
fn hold(root: &Root, lock: Lock) -> std::fs::File {
    let held = std::fs::OpenOptions::new().read(true).write(true).open(root.join("run/utmp")).unwrap();
    lock(&held);
    held
}

/// Whether utmpset sleeps with this file open.
fn sleeps_with(sandbox: &Sandbox, path: &std::path::Path) -> bool {
    let inode = std::fs::metadata(path).unwrap().ino();
    sandbox.named("utmpset").into_iter().any(|pid| {
        let mut open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        open.any(|fd| std::fs::metadata(fd.path()).is_ok_and(|file| file.ino() == inode))
            && stat().contains(") S ")
    })
}

/// Whether it waits until the test lets go of a lock.
#[track_caller]
fn waits(lock: Lock) {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", file(&[login("tty1", "a")]));
    let held = hold(&root, lock);
    let mut utmpset = sandbox.start(root.command("exec utmpset tty1"));
    until("its wait for the lock", || sleeps_with(&sandbox, &root.join("run/utmp")));
    assert_eq!(root.read("run/utmp").unwrap(), login("tty1", "a").0);
    // What comes while it waits is not lost.
    held.write_all_at(&login("tty2", "b").0, SIZE as u64).unwrap();
    drop(held);
    assert_eq!(utmpset.ended().code(), Some(0));
    let utmp = root.read("run/utmp").unwrap();
    assert_eq!((utmp[0], &utmp[SIZE..]), (8, &login("tty2", "b").0[..]));
}

#[test]
fn it_waits_for_the_lock_of_runits_programs() {
    waits(FLOCK);
}

#[test]
fn it_waits_for_the_lock_of_c_libraries() {
    if only_svbox("both locks") {
        return;
    }
    waits(FCNTL);
}

#[test]
fn it_goes_on_without_a_lock_that_is_held_for_ever() {
    if only_svbox("held lock") {
        return;
    }
    let sandboxes = [Sandbox::new(), Sandbox::new()];
    let start = Instant::now();
    let all = [FLOCK, FCNTL].into_iter().zip(&sandboxes).map(|(lock, sandbox)| {
        let root = sandbox.root();
        root.write("run/utmp", file(&[login("tty1", "a")]));
        (hold(&root, lock), sandbox.start(root.command("exec utmpset tty1")), root)
    });
    for (_held, mut utmpset, root) in all.collect::<Vec<_>>() {
        assert_eq!(utmpset.ended().code(), Some(0));
        assert!(start.elapsed() >= Duration::from_secs(5));
        assert_eq!(root.read("run/utmp").unwrap()[0], 8);
        assert_eq!(utmpset.stderr(), "");
    }
}
