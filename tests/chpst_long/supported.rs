//! `--if-supported`: only what the kernel does not know is passed over.

use super::*;

/// Who calls, the option, the system call that is not there, and what is said about it.
type Row = (Caller, &'static [&'static str], &'static str, &'static str);

const ROWS: [Row; 13] = [
    (as_user, &["--landlock", "rw:/"], "landlock_create_ruleset", "unable to allow with landlock: /"),
    (as_user, &["--landlock", "rw:/"], "landlock_restrict_self", "unable to restrict with landlock"),
    (as_root, &["--read-only", "/usr"], "mount_setattr", "unable to make read-only: /usr"),
    (as_root, &["--read-only", "/usr"], "open_tree", "unable to make read-only: /usr"),
    (as_user, &["--io-priority", "idle"], "ioprio_set", "unable to set io priority"),
    (as_user, &["--scheduler", "batch"], "sched_setscheduler", "unable to set scheduler"),
    (as_user, &["--cpus", "0-1023"], "sched_setaffinity", "unable to set cpus"),
    (as_user, &["--ns", "user"], "unshare", "unable to set namespaces"),
    (as_root, &["--ns", "net"], "unshare", "unable to set namespaces"),
    (as_root, &["--cap-ambient", "chown"], "capset", "unable to set ambient capabilities"),
    (as_user, &["--new-session"], "setsid", "unable to start a new session"),
    (as_user, &["--parent-death-signal", "TERM"], "prctl", "unable to set parent death signal"),
    (as_user, &["--no-new-privs"], "prctl", "unable to set no_new_privs"),
];

/// chpst with a system call that fails with this error every time.
fn without(sandbox: &Sandbox, caller: Caller, call: &str, error: &str) -> Command {
    let mut command = caller(sandbox);
    command.args([
        "strace",
        "-f",
        "-qqq",
        "-o",
        "trace",
        "-e",
        &format!("trace={call}"),
        "-e",
        "signal=none",
    ]);
    command.arg(format!("--inject={call}:error={error}")).arg(reachable(sandbox));
    command
}

/// What an option needs to be asked for at all.
fn before(row: &Row) -> &'static [&'static str] {
    if row.1[0] == "--landlock" { &["--no-new-privs"] } else { &[] }
}

#[test]
fn what_the_kernel_does_not_know_is_fatal() {
    if only_svbox("long options") {
        return;
    }
    for row in &ROWS {
        let (caller, options, call, message) = row;
        let sandbox = Sandbox::new();
        let command = without(&sandbox, *caller, call, "ENOSYS");
        let options = [before(row), options].concat();
        refused(&sandbox, command, &options, &format!("{message}: system call not available"));
    }
}

#[test]
fn what_the_kernel_does_not_know_is_a_warning_if_that_is_asked_for() {
    if only_svbox("long options") {
        return;
    }
    for row in &ROWS {
        let (caller, options, call, message) = row;
        let sandbox = Sandbox::new();
        let mut command = without(&sandbox, *caller, call, "ENOSYS");
        let options = [before(row), &["--if-supported"], options].concat();
        let (code, shown, complaint) = told(&command.args(&options).args(TRACE).output().unwrap());
        assert_eq!((code, shown.as_str()), (Some(0), "ran\n"), "{options:?} without {call}: {complaint}");
        let warning = format!("chpst: warning: {message}: system call not available\n");
        assert!(complaint.starts_with(&warning), "{options:?} without {call}: {complaint}");
    }
}

#[test]
fn a_lack_of_privileges_is_never_passed_over() {
    if only_svbox("long options") {
        return;
    }
    for row in &ROWS {
        let (caller, options, call, message) = row;
        for (error, why) in [("EPERM", "permission denied"), ("EACCES", "access denied")] {
            let sandbox = Sandbox::new();
            let command = without(&sandbox, *caller, call, error);
            let options = [before(row), &["--if-supported"], options].concat();
            refused(&sandbox, command, &options, &format!("{message}: {why}"));
        }
    }
}

#[test]
fn a_lack_of_memory_is_never_passed_over() {
    if only_svbox("long options") {
        return;
    }
    for row in &ROWS {
        let (caller, options, call, message) = row;
        let sandbox = Sandbox::new();
        let mut command = without(&sandbox, *caller, call, "ENOMEM");
        let options = [before(row), &["--if-supported"], options].concat();
        let (code, shown, complaint) = told(&command.args(&options).args(TRACE).output().unwrap());
        assert_eq!((code, shown.as_str()), (Some(111), ""), "{options:?} {call}: {complaint}");
        assert!(complaint.starts_with("chpst: fatal: "), "{message}: {complaint}");
    }
}

#[test]
fn it_is_for_the_next_option_only() {
    if only_svbox("long options") {
        return;
    }
    let message = "unable to set io priority: system call not available";
    for options in [
        &["--if-supported", "--cpus", "0-1023", "--io-priority", "idle"][..],
        &["--io-priority", "idle", "--if-supported", "--scheduler", "batch"],
    ] {
        let sandbox = Sandbox::new();
        refused(&sandbox, without(&sandbox, as_user, "ioprio_set", "ENOSYS"), options, message);
    }
}

#[test]
fn it_changes_nothing_where_the_option_is_supported() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut options = Vec::new();
    for option in [
        &["--no-new-privs"][..],
        &["--landlock=rw:/"],
        &["--umask", "77"],
        &["--rlimit", "nofile=44:55"],
        &["--io-priority", "idle"],
        &["--scheduler", "batch"],
        &["--oom-score-adj", "1000"],
        &["--close-fds"],
        &["--new-session"],
        &["--env", "A=b"],
    ] {
        options.push("--if-supported");
        options.extend(option);
    }
    let inside =
        "ulimit -Sn; ulimit -Hn; umask; ionice; chrt -p 0 | grep -c BATCH; cat /proc/self/oom_score_adj
        grep -c 'NoNewPrivs:.1' /proc/self/status; echo $A";
    assert_eq!(script(user(&sandbox), &options, inside), "44\n55\n0077\nidle\n1\n1000\n1\nb\n");
}

#[test]
fn what_else_goes_wrong_is_fatal() {
    if only_svbox("long options") {
        return;
    }
    for (options, message) in [
        (&["--rlimit", "nofile=9:8"][..], "unable to set limit: nofile: invalid argument"),
        (&["--cpus", "1023"], "unable to set cpus: invalid argument"),
        (&["--scheduler", "fifo:1"], "unable to set scheduler: permission denied"),
        (&["--io-priority", "realtime"], "unable to set io priority: permission denied"),
        (&["--oom-score-adj", "-1000"], "unable to set oom_score_adj: access denied"),
        (&["--cap-bound", "none"], "unable to set bounding set: permission denied"),
        (&["--cap-ambient", "chown"], "unable to set ambient capabilities: permission denied"),
        (&["--ns", "net"], "unable to set namespaces: permission denied"),
        (&["--keep-fd", "77"], "unable to keep descriptors: file descriptor not open"),
        (&["--stdin", "missing"], "unable to open: missing: file does not exist"),
        (&["--cgroup", "/"], "unable to join control group: /: access denied"),
    ] {
        let sandbox = Sandbox::new();
        let options = [&["--if-supported"], options].concat();
        refused(&sandbox, user(&sandbox), &options, message);
    }
}

#[test]
fn a_missing_close_range_is_made_up_for() {
    if only_svbox("long options") {
        return;
    }
    for options in [&["--close-fds"][..], &["--if-supported", "--close-fds"], &["--keep-fd", "5"]] {
        let sandbox = Sandbox::new();
        let chpst = without(&sandbox, as_user, "close_range", "ENOSYS");
        let mut command = through(&sandbox, &chpst, "exec 3</dev/null 5</dev/null 7</dev/null; exec \"$@\"");
        let inside = "for n in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$n && echo $n; done; echo done";
        let output = command.args(options).args(["sh", "-c", inside]).output().unwrap();
        let (code, shown, complaint) = told(&output);
        let stay = if options[0] == "--keep-fd" { "5\ndone\n" } else { "done\n" };
        let closed = (code, shown.as_str()) == (Some(0), stay);
        assert!(closed, "{options:?}: {code:?} {shown} {complaint}");
    }
}

#[test]
fn a_root_directory_that_is_no_mount_is_nothing_that_the_kernel_lacks() {
    if only_svbox("long options") {
        return;
    }
    for more in [&[][..], &["--if-supported"]] {
        let sandbox = Sandbox::new();
        let mut command = chrooted(&sandbox);
        let output =
            command.args(more).args(["--ns", "mount", "/bin/sh", "-c", "echo ran"]).output().unwrap();
        let message = "chpst: fatal: unable to make mounts private: invalid argument\n";
        assert_eq!(told(&output), (Some(111), String::new(), message.into()), "{more:?}");
    }
}
