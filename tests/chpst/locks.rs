//! -l and -L: a lock for the program.

use super::*;
use rustix::fs::{CWD, FlockOperation, Mode, flock, mkfifoat};
use rustix::process::Signal;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;

/// Holds the lock until told otherwise.
pub struct Held(File);

impl Held {
    pub fn new(sandbox: &Sandbox, name: &str) -> Self {
        let file = File::options().append(true).create(true).open(sandbox.join(name)).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        Self(file)
    }

    /// Not by closing: a child of another test may have inherited the file for a moment.
    pub fn release(self) {
        flock(&self.0, FlockOperation::Unlock).unwrap();
    }
}

/// Whether a process waits for a lock.
pub fn waits(pid: i32) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks
        .lines()
        .any(|line| line.contains("-> FLOCK") && line.split_whitespace().any(|word| word == pid.to_string()))
}

fn is_free(sandbox: &Sandbox, name: &str) -> bool {
    let file = File::open(sandbox.join(name)).unwrap();
    let free = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    let _ = flock(&file, FlockOperation::Unlock);
    free
}

#[test]
fn a_free_lock_is_taken_and_the_file_made() {
    for option in ["-l", "-L"] {
        let sandbox = Sandbox::new();
        assert_eq!(chpst(&sandbox, &[option, "lock", "echo", "ran"]), success("ran\n"));
        let made = fs::metadata(sandbox.join("lock")).unwrap();
        assert_eq!((made.permissions().mode() & 0o7777, made.len()), (0o600, 0));
    }
}

#[test]
fn the_mode_of_a_new_lock_file_obeys_the_umask_and_has_nothing_for_others() {
    for (umask, mode) in [("0", 0o600), ("077", 0o600), ("0277", 0o400)] {
        let sandbox = Sandbox::new();
        let script = format!("umask {umask}; exec chpst -l lock true");
        assert_eq!(run(&sandbox, "sh", &["-c", &script]), success(""));
        assert_eq!(
            fs::metadata(sandbox.join("lock")).unwrap().permissions().mode() & 0o7777,
            mode,
            "{umask}"
        );
    }
}

#[test]
fn what_is_in_the_file_stays() {
    let sandbox = Sandbox::new();
    sandbox.write("lock", "text");
    fs::set_permissions(sandbox.join("lock"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(chpst(&sandbox, &["-l", "lock", "sh", "-c", "echo more >&3"]), success(""));
    assert_eq!(sandbox.read("lock"), "textmore\n");
    assert_eq!(fs::metadata(sandbox.join("lock")).unwrap().permissions().mode() & 0o7777, 0o640);
}

#[test]
fn a_lock_that_is_held_is_waited_for() {
    let sandbox = Sandbox::new();
    let held = Held::new(&sandbox, "lock");
    let mut command = sandbox.command("chpst");
    command.args(["-l", "lock", "sh", "-c", "echo >ran"]);
    let mut waiting = sandbox.start(command);
    until("a chpst that waits for the lock", || waits(waiting.pid()));
    assert!(!sandbox.join("ran").exists());
    held.release();
    assert_eq!(waiting.ended().code(), Some(0));
    assert!(sandbox.join("ran").exists());
    assert_eq!(waiting.stderr(), "");
}

#[test]
fn waiting_ends_by_a_signal() {
    let sandbox = Sandbox::new();
    let held = Held::new(&sandbox, "lock");
    let mut command = sandbox.command("chpst");
    command.args(["-l", "lock", "sh", "-c", "echo >ran"]);
    let mut waiting = sandbox.start(command);
    until("a chpst that waits for the lock", || waits(waiting.pid()));
    waiting.signal(Signal::TERM);
    assert_eq!(waiting.ended().code(), None);
    assert!(!sandbox.join("ran").exists());
    held.release();
}

#[test]
fn a_lock_that_is_held_is_not_waited_for_if_it_must_be_free() {
    let sandbox = Sandbox::new();
    let held = Held::new(&sandbox, "lock");
    let refused = fatal("unable to lock: lock: temporary failure");
    assert_eq!(chpst(&sandbox, &["-L", "lock", "echo", "ran"]), refused);
    let refused = fatal("unable to lock: ./lock: temporary failure");
    assert_eq!(chpst(&sandbox, &["-L", "./lock", "echo", "ran"]), refused);
    held.release();
    assert_eq!(chpst(&sandbox, &["-L", "lock", "echo", "ran"]), success("ran\n"));
}

#[test]
fn the_lock_is_one_of_flock() {
    let sandbox = Sandbox::new();
    sandbox.write("lock", "");
    let held = "chpst -L lock true; flock -n lock true || echo held";
    let (code, stdout, stderr) = run(&sandbox, "flock", &["lock", "sh", "-c", "chpst -L lock echo ran"]);
    let refused = "chpst: fatal: unable to lock: lock: temporary failure\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(111), "", refused));
    assert_eq!(
        chpst(&sandbox, &["-L", "lock", "sh", "-c", held]),
        (Some(0), "held\n".into(), refused.into())
    );
}

#[test]
fn the_lock_lasts_as_long_as_the_program() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("chpst");
    command.args(["-L", "lock", "sh", "-c", "echo >ran; exec sleep 1000000"]);
    let mut program = sandbox.start(command);
    until("the program", || sandbox.join("ran").exists());
    assert!(!is_free(&sandbox, "lock"));
    program.signal(Signal::KILL);
    program.ended();
    assert!(is_free(&sandbox, "lock"));
}

#[test]
fn the_lock_lasts_as_long_as_a_child_of_the_program() {
    let sandbox = Sandbox::new();
    assert_eq!(
        told(sandbox.command("chpst").args([
            "-l",
            "lock",
            "sh",
            "-c",
            "sleep 1000000 >&- 2>&- & echo $! >child"
        ])),
        success("")
    );
    assert!(!is_free(&sandbox, "lock"));
    kill(sandbox.read("child").trim().parse().unwrap(), Signal::KILL);
    until("a free lock", || is_free(&sandbox, "lock"));
}

#[test]
fn the_program_has_the_lock_as_its_lowest_free_descriptor() {
    let sandbox = Sandbox::new();
    let show = "for fd in 0 3 4 5; do readlink /proc/$$/fd/$fd; done; grep flags /proc/$$/fdinfo/${1-3}";
    // To write and to append, not close-on-exec, and with what the C library adds for large files.
    let lines = |told: Told| -> Vec<String> { told.1.lines().map(str::to_owned).collect() };
    let shown = lines(chpst(&sandbox, &["-l", "lock", "sh", "-c", show]));
    let path = fs::canonicalize(sandbox.join("lock")).unwrap().display().to_string();
    assert_eq!(shown[..2], ["/dev/null", &path], "{shown:?}");
    let flags = u32::from_str_radix(shown.last().unwrap().split_whitespace().last().unwrap(), 8).unwrap();
    assert_eq!((flags & 3, flags & 0o2000, flags & 0o2_000_000), (1, 0o2000, 0), "{flags:o}");
    let script = format!("exec chpst -l lock sh -c '{show}' sh 0 <&-");
    let shown = lines(run(&sandbox, "sh", &["-c", &script]));
    assert_eq!(shown[0], path, "{shown:?}");
}

#[test]
fn a_lock_file_that_cannot_be_opened_is_fatal() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    fs::create_dir(sandbox.join("dir")).unwrap();
    mkfifoat(CWD, sandbox.join("fifo"), Mode::from_raw_mode(0o600)).unwrap();
    for (lock, why) in [
        ("missing/lock", "file does not exist"),
        ("", "file does not exist"),
        ("file/lock", "not a directory"),
        ("dir", "is a directory"),
        (".", "is a directory"),
        ("fifo", "device not configured"),
    ] {
        for option in ["-l", "-L"] {
            let refused = fatal(&format!("unable to open lock: {lock}: {why}"));
            assert_eq!(chpst(&sandbox, &[option, lock, "echo", "ran"]), refused);
        }
    }
}

#[test]
fn a_lock_file_that_may_not_be_written_is_fatal() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let lock = sandbox.write("lock", "");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o444)).unwrap();
    let mut command = unprivileged(&sandbox, "chpst", 65534);
    let refused = fatal("unable to open lock: lock: access denied");
    assert_eq!(told(command.args(["-l", "lock", "echo", "ran"])), refused);
}
