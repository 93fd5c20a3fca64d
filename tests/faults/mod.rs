//! The fault sweep: each system call of a program's life fails once, at each place, with each error that the
//! kernel could give there, or is the last one. Whatever happens, nothing is lost, doubled or left behind.

mod meanwhile;
mod supervisors;
mod svlogd;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What each call can fail with where it is made.
const ERRORS: &[(&str, &[&str])] = &[
    ("clone", &["EAGAIN", "ENOMEM"]),
    ("close", &["EINTR", "EIO"]),
    ("epoll_create1", &["EMFILE", "ENOMEM"]),
    ("epoll_ctl", &["ENOMEM", "ENOSPC"]),
    ("epoll_pwait", &["EINTR"]),
    ("epoll_wait", &["EINTR"]),
    ("faccessat", &["EACCES", "EIO"]),
    ("faccessat2", &["ENOSYS", "EACCES", "EIO"]),
    ("fchmod", &["EPERM", "EROFS", "EIO"]),
    // Only a descriptor that is to have a high number.
    ("fcntl", &["EMFILE"]),
    ("flock", &["EINTR", "ENOLCK"]),
    ("fstat", &["EIO"]),
    ("fstatfs", &["EIO"]),
    ("fsync", &["EIO", "ENOSPC", "EDQUOT"]),
    ("getdents64", &["EIO", "ENOENT"]),
    ("inotify_add_watch", &["ENOSPC", "ENOMEM"]),
    ("inotify_init1", &["EMFILE", "ENOSYS"]),
    ("inotify_rm_watch", &["EINVAL"]),
    ("kill", &["EPERM"]),
    ("lstat", &["EIO"]),
    ("madvise", &["ENOMEM", "EAGAIN"]),
    ("mkdirat", &["ENOSPC", "EROFS", "EIO"]),
    ("mknodat", &["ENOSPC", "EROFS", "EDQUOT"]),
    ("newfstatat", &["EIO", "ENOMEM", "EACCES"]),
    ("openat", &["EMFILE", "ENFILE", "EACCES", "ENOSPC", "EIO"]),
    ("pidfd_open", &["EMFILE", "ENOSYS"]),
    ("pipe2", &["EMFILE", "ENFILE"]),
    ("poll", &["EINTR", "ENOMEM"]),
    ("ppoll", &["EINTR", "ENOMEM"]),
    ("read", &["EINTR", "EIO"]),
    ("readlinkat", &["EIO"]),
    ("renameat", &["EIO", "ENOSPC", "EROFS"]),
    ("signalfd4", &["EMFILE", "ENOMEM"]),
    ("statx", &["EIO", "ENOMEM", "EACCES"]),
    ("unlinkat", &["EIO"]),
    ("utimensat", &["EPERM", "EROFS"]),
    ("vfork", &["EAGAIN", "ENOMEM"]),
    ("wait4", &["EINTR"]),
    ("write", &["ENOSPC", "EIO", "EDQUOT", "EINTR"]),
    ("writev", &["EAGAIN", "EIO"]),
];

/// Calls of the C library's start-up, and calls that have no way to fail here.
const SURE: &[&str] = &[
    "access",
    "arch_prctl",
    "brk",
    "clock_gettime",
    "execve",
    "exit_group",
    "getpid",
    "getrandom",
    "mmap",
    "mprotect",
    "munmap",
    "prctl",
    "pread64",
    "prlimit64",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
];

/// The calls of a trace that are the program's own, each with its places: strace numbers the calls of a name from the
/// start of the program.
fn places(trace: &str) -> BTreeMap<&str, Vec<usize>> {
    let mut made = BTreeMap::<&str, usize>::new();
    let mut places = BTreeMap::<&str, Vec<usize>>::new();
    // The loader of a dynamic program opens and reads libraries with the same calls.
    let own = trace.lines().position(|line| line.starts_with("rt_sigprocmask(SIG_BLOCK, ["));
    for (number, line) in trace.lines().enumerate() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_') || SURE.contains(&name) {
            continue;
        }
        assert!(ERRORS.iter().any(|(known, _)| *known == name), "no error is known for {name}");
        let place = made.entry(name).or_default();
        *place += 1;
        // The standard library of a debug build looks at each descriptor once more before it closes it.
        if own.is_none_or(|own| number >= own) && !line.contains("F_GETFD") {
            places.entry(name).or_default().push(*place);
        }
    }
    let count: usize = places.values().map(Vec::len).sum();
    assert!(count > 50, "only {count} calls: is the trace whole?");
    places
}

/// Every fault of the calls in a trace, as strace takes it. What becomes of an error is the same code in the static
/// program, where each call fails at each place with one of its errors, in turn.
fn faults(trace: &str) -> Vec<String> {
    let every = std::env::var_os("SVBOX_PROGRAM").is_none();
    let mut all = Vec::new();
    for (name, places) in places(trace) {
        let (_, errors) = ERRORS.iter().find(|(known, _)| *known == name).unwrap();
        for (turn, place) in places.into_iter().enumerate() {
            let some = if every { *errors } else { &errors[turn % errors.len()..][..1] };
            all.extend(some.iter().map(|error| format!("{name}:error={error}:when={place}")));
        }
    }
    all
}

/// The end of the program at each of the calls in a trace.
fn kills(trace: &str) -> Vec<String> {
    signals(trace, "KILL")
}

/// A signal at each of the calls in a trace.
fn signals(trace: &str, signal: &str) -> Vec<String> {
    let each = |(name, places): (&str, Vec<usize>)| {
        let at = format!("{name}:signal={signal}:when=");
        places.into_iter().map(move |place| format!("{at}{place}"))
    };
    places(trace).into_iter().flat_map(each).collect()
}

/// Runs a life under every one of the faults that its trace without one suggests, several at a time.
fn sweep(life: impl Fn(Option<&str>) -> String + Sync, faults: impl Fn(&str) -> Vec<String>) {
    let faults = faults(&life(None));
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // Most of the time each waits.
        for _ in 0..24 {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life(Some(fault))));
                    if told.is_err() {
                        failed.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} faults were not borne: {failed:?}", failed.len(), faults.len());
}
