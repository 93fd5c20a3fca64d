//! `--ns`, `--parent-death-signal`.

use super::*;
use rustix::process::Signal;

/// Names, and those of the links in `/proc/self/ns`.
const KINDS: [(&str, &str); 7] = [
    ("mount", "mnt"),
    ("pid", "pid"),
    ("net", "net"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("user", "user"),
    ("cgroup", "cgroup"),
];

/// The namespaces of a program, in the order of [`KINDS`].
#[track_caller]
fn namespaces(command: Command, options: &[&str]) -> Vec<String> {
    let links = KINDS.map(|(_, link)| format!("/proc/self/ns/{link}"));
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let shown = seen(command, &[options, &["readlink"], &links].concat());
    let list: Vec<String> = shown.lines().map(str::to_owned).collect();
    assert_eq!(list.len(), KINDS.len(), "{shown}");
    list
}

/// Which kinds are others.
fn left(before: &[String], after: &[String]) -> Vec<&'static str> {
    KINDS
        .iter()
        .zip(before.iter().zip(after))
        .filter(|(_, (a, b))| a != b)
        .map(|((name, _), _)| *name)
        .collect()
}

#[test]
fn each_kind_of_namespace_can_be_left_by_root() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let before = namespaces(root(&sandbox), &[]);
    for (kind, _) in KINDS {
        let after = namespaces(root(&sandbox), &["--ns", kind]);
        assert_eq!(left(&before, &after), [kind]);
    }
}

#[test]
fn each_kind_of_namespace_can_be_left_by_everybody_with_a_user_namespace() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let before = namespaces(user(&sandbox), &[]);
    for (kind, _) in KINDS {
        for list in [format!("user,{kind}"), format!("{kind},user")] {
            let after = namespaces(user(&sandbox), &["--ns", &list]);
            let mut expected = vec![kind, "user"];
            expected.sort_by_key(|kind| KINDS.iter().position(|(name, _)| name == kind));
            expected.dedup();
            assert_eq!(left(&before, &after), expected);
        }
    }
}

#[test]
fn lists_of_namespaces_add_up() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let before = namespaces(user(&sandbox), &[]);
    let options = ["--ns", "net", "--ns=uts,net", "--ns", "user"];
    assert_eq!(left(&before, &namespaces(user(&sandbox), &options)), ["net", "uts", "user"]);
    let all = ["--ns", "mount,pid,net,ipc,uts,user,cgroup"];
    assert_eq!(left(&before, &namespaces(user(&sandbox), &all)), KINDS.map(|(name, _)| name));
}

#[test]
fn what_is_changed_in_a_namespace_is_not_seen_outside() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("dir/outside", "");
    let before = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let inside =
        "mount -t tmpfs tmpfs dir; ls dir; ls /sys/class/net >/dev/null; grep -c : /proc/self/net/dev
        echo svbox-test >/proc/sys/kernel/hostname; uname -n";
    assert_eq!(script(root(&sandbox), &["--ns", "mount,net,uts"], inside), "1\nsvbox-test\n");
    assert!(sandbox.join("dir/outside").exists());
    assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), before);
}

#[test]
fn the_mounts_of_a_namespace_of_its_own_are_private() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut shared = sandbox.command("unshare");
    shared.args(["--user", "--map-root-user", "--mount", "--propagation", "shared"]).arg(reachable(&sandbox));
    let shown = script(shared, &["--ns", "mount"], "grep -c ' shared:\\| master:' /proc/self/mountinfo || :");
    assert_eq!(shown, "0\n");
}

#[test]
fn in_a_user_namespace_the_numbers_are_those_outside_and_there_are_no_others() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let ids = script(user(&sandbox), &[], "id -u; id -g");
    let shown =
        script(user(&sandbox), &["--ns", "user"], "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map");
    let (own, maps) = shown.split_at(ids.len());
    assert_eq!(own, ids);
    let ids: Vec<&str> = ids.lines().collect();
    let maps: Vec<Vec<&str>> = maps.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(maps, ids.iter().map(|id| vec![*id, *id, "1"]).collect::<Vec<_>>());
}

#[test]
fn groups_cannot_be_dropped_in_a_user_namespace() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(seen(user(&sandbox), &["--ns", "user", "cat", "/proc/self/setgroups"]), "deny\n");
}

#[test]
fn a_user_that_is_not_in_the_user_namespace_cannot_be_changed_to() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let options = ["--ns", "user", "-u", ":77:77"];
        let output = caller(&sandbox).args(options).args(TRACE).output().unwrap();
        let (code, shown, complaint) = told(&output);
        assert_eq!((code, shown), (Some(111), String::new()), "{complaint}");
        assert!(complaint.starts_with("chpst: fatal: unable to set"), "{complaint}");
        assert!(!sandbox.join("ran").exists());
    }
}

#[test]
fn without_privileges_only_a_user_namespace_helps() {
    if only_svbox("long options") {
        return;
    }
    for (kind, _) in KINDS.iter().filter(|(kind, _)| *kind != "user") {
        let sandbox = Sandbox::new();
        refused(&sandbox, user(&sandbox), &["--ns", kind], "unable to set namespaces: permission denied");
    }
}

/// Who may have a PID namespace, and how.
const PID: [(Caller, &str); 2] = [(root, "pid"), (user, "user,pid")];

#[test]
fn in_a_pid_namespace_the_program_is_process_1_and_proc_stays() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        let sandbox = Sandbox::new();
        let shown = script(
            caller(&sandbox),
            &["--ns", list],
            "echo $$; (echo $PPID); test -d /proc/self && echo proc",
        );
        assert!(shown.starts_with("1\n") && shown.ends_with("proc\n"), "{shown}");
        assert!(Path::new("/proc/1/status").exists());
    }
}

#[test]
fn the_exit_code_of_a_program_in_a_pid_namespace_is_handed_on() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        for code in [0, 1, 7, 100, 111, 255] {
            let sandbox = Sandbox::new();
            let exit = format!("exit {code}");
            let output = caller(&sandbox).args(["--ns", list, "sh", "-c", &exit]).output().unwrap();
            assert_eq!(told(&output), (Some(code), String::new(), String::new()));
        }
    }
}

/// A program in a PID namespace that has said that it is there, and its number outside.
fn inside(sandbox: &Sandbox, mut command: Command, options: &[&str], body: &str) -> (Running, i32) {
    command.args(options).args(["sh", "-c", body, "the-inner-one"]);
    let outer = sandbox.start(command);
    until("the program", || sandbox.join("ready").exists());
    let inner = sandbox.running("the-inner-one").into_iter().filter(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:").map(str::to_owned));
        numbers.is_some_and(|numbers| numbers.split_whitespace().last() == Some("1"))
    });
    let inner: Vec<i32> = inner.collect();
    let [inner] = inner.as_slice() else { panic!("not one process 1: {inner:?}; {}", outer.stderr()) };
    (outer, *inner)
}

/// Until it is killed.
const STAY: &str = ": >ready; while :; do sleep 1000000 & wait $!; done";

#[test]
fn a_program_in_a_pid_namespace_that_is_killed_gives_128_and_the_signal() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        let sandbox = Sandbox::new();
        let (mut outer, inner) = inside(&sandbox, caller(&sandbox), &["--ns", list], STAY);
        kill(inner, Signal::KILL);
        assert_eq!((outer.ended().code(), outer.stderr()), (Some(137), String::new()));
    }
}

#[test]
fn signals_are_handed_on_into_a_pid_namespace() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        for (name, signal) in [
            ("TERM", Signal::TERM),
            ("HUP", Signal::HUP),
            ("INT", Signal::INT),
            ("USR1", Signal::USR1),
            ("USR2", Signal::USR2),
            ("ALRM", Signal::ALARM),
            ("WINCH", Signal::WINCH),
            ("CONT", Signal::CONT),
        ] {
            let sandbox = Sandbox::new();
            let body = format!("trap 'echo {name} >got; exit 5' {name}; {STAY}");
            let (mut outer, _) = inside(&sandbox, caller(&sandbox), &["--ns", list], &body);
            outer.signal(signal);
            assert_eq!((outer.ended().code(), sandbox.read("got")), (Some(5), format!("{name}\n")));
        }
    }
}

#[test]
fn quit_is_handed_on_as_kill() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        let sandbox = Sandbox::new();
        let body = format!("trap 'exit 5' QUIT; {STAY}");
        let (mut outer, _) = inside(&sandbox, caller(&sandbox), &["--ns", list], &body);
        outer.signal(Signal::QUIT);
        assert_eq!(outer.ended().code(), Some(137));
    }
}

#[test]
fn everything_in_a_pid_namespace_ends_with_the_chpst_outside() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        let sandbox = Sandbox::new();
        let body = format!("trap '' TERM HUP INT; (trap '' TERM HUP; setsid sleep 1000000) & {STAY}");
        let (mut outer, _) = inside(&sandbox, caller(&sandbox), &["--ns", list], &body);
        outer.signal(Signal::KILL);
        outer.ended();
        until("the end of everything inside", || sandbox.processes().is_empty());
    }
}

#[test]
fn everything_in_a_pid_namespace_ends_with_the_chpst_outside_whoever_the_program_is() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["-u", ":1000:1000", "--ns", "pid", "--no-new-privs"];
    let (mut outer, _) = inside(&sandbox, root(&sandbox), &options, STAY);
    outer.signal(Signal::KILL);
    outer.ended();
    until("the end of everything inside", || sandbox.processes().is_empty());
}

#[test]
fn the_chpst_outside_hands_on_the_signal_at_its_parent_s_end() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        for order in
            [["--ns", list, "--parent-death-signal", "USR1"], ["--parent-death-signal", "USR1", "--ns", list]]
        {
            let sandbox = Sandbox::new();
            let body = format!("trap 'echo USR1 >got; exit' USR1; {STAY}");
            let mut parent = with_parent(&sandbox, &caller(&sandbox), &order, &body);
            parent.signal(Signal::KILL);
            parent.ended();
            until("the signal", || sandbox.read("got") == "USR1\n");
        }
    }
}

#[test]
fn everything_in_a_pid_namespace_ends_with_the_chpst_outside_whatever_its_parent_s_end_means() {
    if only_svbox("long options") {
        return;
    }
    for (caller, list) in PID {
        let sandbox = Sandbox::new();
        let body = format!("trap '' USR1; {STAY}");
        let options = ["--ns", list, "--parent-death-signal", "USR1"];
        let (mut outer, _) = inside(&sandbox, caller(&sandbox), &options, &body);
        outer.signal(Signal::KILL);
        outer.ended();
        until("the end of everything inside", || sandbox.processes().is_empty());
    }
}

/// Starts a shell that starts chpst with these options, and waits until the program is there.
fn with_parent(sandbox: &Sandbox, chpst: &Command, options: &[&str], body: &str) -> Running {
    let mut parent = through(sandbox, chpst, "\"$@\" & wait");
    parent.args(options).args(["sh", "-c", body]);
    let parent = sandbox.start(parent);
    until("the program", || sandbox.join("ready").exists());
    parent
}

#[test]
fn a_program_is_sent_a_signal_when_its_parent_ends() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        for signal in ["USR1", "SIGUSR1", "10"] {
            let sandbox = Sandbox::new();
            let body = format!("trap 'echo USR1 >got; exit' USR1; {STAY}");
            let mut parent =
                with_parent(&sandbox, &caller(&sandbox), &["--parent-death-signal", signal], &body);
            parent.signal(Signal::KILL);
            parent.ended();
            until("the signal", || sandbox.read("got") == "USR1\n");
        }
    }
}

#[test]
fn a_program_really_dies_with_its_parent() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let body = ": >ready; exec sleep 1000000";
        let mut parent = with_parent(&sandbox, &caller(&sandbox), &["--parent-death-signal", "KILL"], body);
        parent.signal(Signal::KILL);
        parent.ended();
        until("its end", || sandbox.processes().is_empty());
    }
}

#[test]
fn a_program_that_works_as_another_user_dies_with_its_parent() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let body = ": >ready; exec sleep 1000000";
    for options in [
        &["--parent-death-signal", "KILL", "-u", ":1000:1000"][..],
        &["-u", ":1000:1000", "--cap-ambient", "net_raw", "--parent-death-signal", "KILL"],
        &["-u", ":1000:1000", "--no-new-privs", "--landlock", "rw:/", "--parent-death-signal", "KILL"],
        &["-u", ":1000:1000", "--cap-bound", "none", "--new-session", "--parent-death-signal", "KILL"],
    ] {
        let sandbox = Sandbox::new();
        let mut parent = with_parent(&sandbox, &root(&sandbox), options, body);
        parent.signal(Signal::KILL);
        parent.ended();
        until("its end", || sandbox.processes().is_empty());
    }
}

#[test]
fn a_parent_that_has_ended_already_is_noticed() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let mut holder = user(&sandbox);
        holder.args(["-l", "lock", "sh", "-c", ": >held; exec sleep 1000000"]);
        let holder = sandbox.start(holder);
        until("the lock", || sandbox.join("held").exists());

        let mut parent = through(&sandbox, &caller(&sandbox), "\"$@\" & wait");
        parent.args(["-l", "lock", "--parent-death-signal", "KILL", "sh", "-c", ": >ran"]);
        let mut parent = sandbox.start(parent);
        let waits = || {
            let waiting = sandbox.named("chpst");
            waiting.into_iter().find(|pid| {
                let mut files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
                let has = |file: fs::DirEntry| {
                    fs::read_link(file.path()).is_ok_and(|to| to == sandbox.join("lock"))
                };
                files.any(has)
            })
        };
        let waiting = until_some("chpst that waits for the lock", waits);
        parent.signal(Signal::KILL);
        parent.ended();
        drop(holder);
        until("the end of chpst", || !sandbox.processes().contains(&waiting));
        assert!(!sandbox.join("ran").exists(), "the program was run");
    }
}
