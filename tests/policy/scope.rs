//! `kill-scope`: what is left of a service when it has ended.

use super::*;
use rustix::process::Signal;
use std::path::{Path, PathBuf};

/// Who supervises, and whether a cgroup can be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// As we are.
    Cgroup,
    /// The same where there are no cgroups.
    Without,
    /// A user without rights.
    User,
    /// Such a user, to whom a cgroup has been given.
    UserCgroup,
}

/// The mount of cgroup v2, if we may make cgroups.
pub(super) fn cgroups() -> Option<&'static Path> {
    let roots = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
    let root = roots.into_iter().find(|root| root.join("cgroup.procs").exists())?;
    let probe = root.join(format!("svbox-probe-{}", std::process::id()));
    let made = fs::create_dir(&probe).is_ok();
    let _ = fs::remove_dir(&probe);
    made.then_some(root)
}

/// Whether a supervisor can be told that orphans come to it: QEMU 7.2 does not know PR_SET_CHILD_SUBREAPER.
pub(super) fn can_adopt() -> bool {
    !emulated()
}

/// Those that can be had here.
fn ways() -> Vec<Way> {
    let root = rustix::process::geteuid().is_root();
    let all = [Way::Cgroup, Way::Without, Way::User, Way::UserCgroup];
    all.into_iter()
        .filter(|way| match way {
            Way::Cgroup => cgroups().is_some(),
            Way::Without => root && can_adopt(),
            Way::User => can_adopt(),
            Way::UserCgroup => root && cgroups().is_some(),
        })
        .collect()
}

/// A cgroup that belongs to the user; it is removed at the end.
pub(super) struct Given(pub(super) PathBuf);

impl Given {
    pub(super) fn new(sandbox: &Sandbox, user: u32) -> Self {
        let name = sandbox.path().file_name().unwrap();
        let path = cgroups().unwrap().join(name);
        fs::create_dir(&path).unwrap();
        for entry in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            std::os::unix::fs::chown(path.join(entry), Some(user), Some(user)).unwrap();
        }
        Self(path)
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        let inner = fs::read_dir(&self.0).into_iter().flatten().flatten();
        inner.filter(|entry| entry.path().is_dir()).for_each(|entry| _ = fs::remove_dir(entry.path()));
        let _ = fs::remove_dir(&self.0);
    }
}

/// A supervisor of the service, and what has to stay as long as it does.
fn supervise(way: Way, service: &Service<'_>) -> (Running, Option<Given>) {
    let sandbox = service.sandbox;
    let mut given = None;
    let command = match way {
        Way::Cgroup => {
            let mut command = sandbox.command("runsv");
            command.arg(&service.name);
            command
        }
        Way::Without => {
            let mut command = sandbox.command("unshare");
            let act = format!("mount -t tmpfs none /sys/fs/cgroup && exec runsv {}", service.name);
            command.args(["-m", "sh", "-c", &act]);
            command
        }
        Way::User | Way::UserCgroup => {
            let user = unprivileged(sandbox, "runsv", 1000);
            let mut command = sandbox.command("sh");
            command.envs(user.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let mut act = "exec \"$@\"".to_owned();
            if way == Way::UserCgroup {
                let cgroup = given.insert(Given::new(sandbox, 1000));
                act = format!("echo 0 >{}/cgroup.procs && {act}", cgroup.0.display());
            }
            command.args(["-c", &act, "sh"]).arg(user.get_program()).args(user.get_args()).arg(&service.name);
            allow(&service.join(""));
            if service.join("log").exists() {
                allow(&service.join("log"));
            }
            command
        }
    };
    let runsv = sandbox.start(command);
    until("a supervisor", || service.is_supervised());
    (runsv, given)
}

/// What the supervisor has said; shells say something of their own.
fn said(runsv: &Running) -> String {
    runsv.stderr().split_inclusive('\n').filter(|line| line.starts_with("runsv")).collect()
}

/// The user may write there.
fn allow(dir: &Path) {
    std::os::unix::fs::chown(dir, Some(1000), Some(1000)).unwrap();
}

/// What nobody but a tree can hold: its children leave session and parents, ignore TERM, and there are ever more.
const STORM: &str = "trap '' TERM HUP
setsid sh -c 'while :; do (setsid sleep 1000000 &) ; sleep 0.02; done' &
while :; do sleep 0.01; done";

/// The processes that a storm has left.
fn storm(sandbox: &Sandbox) -> usize {
    sandbox.named("sleep").len()
}

#[test]
fn of_a_tree_nothing_is_left_whatever_it_does() {
    if only_svbox("own files") {
        return;
    }
    for way in ways() {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run(STORM)
            .file("kill-scope", "tree")
            .file("timeout-kill", "300")
            .finish("echo >>finished");
        let (mut runsv, _given) = supervise(way, &service);
        until("a storm", || storm(&sandbox) > 20);
        service.until_up();
        service.send(b"d");
        let status =
            until_some("the end", || Some(service.status()).filter(|status| status.shown() == Shown::Down));
        assert_eq!(status.pid(), 0);
        // Nobody but the supervisor, at the very moment that the service is said to be down.
        assert_eq!(sandbox.processes(), [runsv.pid()], "{way:?}");
        assert_eq!(service.lines("finished"), 1, "{way:?}: {}", runsv.stderr());
        service.send(b"x");
        assert_eq!(runsv.ended().code(), Some(0), "{way:?}: {}", runsv.stderr());
        assert!(!runsv.stderr().contains("unable"), "{way:?}: {}", runsv.stderr());
    }
}

#[test]
fn what_it_leaves_is_asked_first_and_has_the_time_of_the_service() {
    if only_svbox("own files") {
        return;
    }
    for (scope, ways) in [("tree", ways()), ("group", vec![Way::User])] {
        for way in ways {
            let sandbox = Sandbox::new();
            let service = sandbox
                .service("one")
                .run(
                    "sh -c 'trap \"echo term >>heard; until test -e go; do sleep 0.01; done; echo bye >>heard; exit\" TERM
                    echo >>ready; while :; do sleep 0.01; done' &
                    exec sleep 1000000",
                )
                .file("kill-scope", scope)
                .file("timeout-kill", "60000")
                .finish("cat heard >>before-finish");
            let (runsv, _given) = supervise(way, &service);
            service.until_lines("ready", 1);
            service.until_up();
            service.send(b"d");
            service.until_lines("heard", 1);
            until("the end of ./run", || sandbox.running("1000000").is_empty());
            // What is left is no service.
            until("that it is shown", || service.status().shown() == Shown::Finish);
            assert_eq!((service.status().pid(), service.stat()), (0, "finish, got TERM, want down".into()));
            assert_eq!(service.sv(&["-w", "0", "check"]).status.code(), Some(1), "{scope} {way:?}");
            sandbox.write("one/go", "");
            service.until_shown(Shown::Down);
            assert_eq!(service.read("before-finish"), "term\nbye\n", "{scope} {way:?}");
            assert_eq!(said(&runsv), "", "{scope} {way:?}");
        }
    }
}

#[test]
fn what_is_left_when_the_time_is_over_is_killed() {
    if only_svbox("own files") {
        return;
    }
    for way in ways() {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run("setsid sh -c 'trap \"echo >>heard\" TERM; echo >>ready; while :; do sleep 0.01; done' & exec sleep 1000000")
            .file("kill-scope", "tree")
            .file("timeout-kill", "300");
        let (runsv, _given) = supervise(way, &service);
        service.until_lines("ready", 1);
        service.until_up();
        let told = now();
        service.send(b"d");
        service.until_shown(Shown::Down);
        assert!(now() - told >= Duration::from_millis(298));
        assert_eq!((service.lines("heard"), sandbox.processes()), (1, vec![runsv.pid()]), "{way:?}");
        let expected = "runsv one: warning: processes of the service do not end in time, sending KILL\n";
        assert_eq!(said(&runsv), expected, "{way:?}");
    }
}

#[test]
fn before_a_service_that_died_starts_again_nothing_is_left_of_it() {
    if only_svbox("own files") {
        return;
    }
    for (scope, ways) in [("tree", ways()), ("group", vec![Way::User])] {
        for way in ways {
            let sandbox = Sandbox::new();
            let service = sandbox
                .service("one")
                .run(
                    "test -z \"$(tr -d '\\0' 2>/dev/null </proc/$(cat child)/cmdline)\" || echo >>both
                    sleep 1000000 &
                    echo $! >child
                    echo >>starts
                    until test -e die; do sleep 0.01; done; rm die",
                )
                .file("child", "0")
                .file("kill-scope", scope);
            // Whoever the service belongs to writes it.
            let child = service.join("child");
            fs::set_permissions(&child, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
            let (_runsv, _given) = supervise(way, &service);
            for starts in 1..4 {
                service.until_lines("starts", starts);
                fs::write(service.join("die"), "").unwrap();
            }
            service.until_lines("starts", 4);
            assert!(!service.join("both").exists(), "{scope} {way:?}");
            service.send(b"d");
            service.until_shown(Shown::Down);
        }
    }
}

#[test]
fn kill_and_what_comes_too_late_mean_all_of_it() {
    if only_svbox("own files") {
        return;
    }
    for way in ways() {
        for (scope, command) in [("tree", b"k"), ("group", b"k"), ("tree", b"t"), ("group", b"t")] {
            let sandbox = Sandbox::new();
            let service = sandbox
                .service("one")
                .run("trap '' TERM; (sleep 1000000 & sleep 1000000 & wait) & echo >>starts; while :; do sleep 0.01; done")
                .file("kill-scope", scope)
                .file("timeout-kill", "100");
            let (runsv, _given) = supervise(way, &service);
            service.until_lines("starts", 1);
            service.until_up();
            let before = sandbox.processes();
            service.send(b"o");
            service.send(command);
            service.until_shown(Shown::Down);
            let left: Vec<_> = sandbox.processes().into_iter().filter(|pid| before.contains(pid)).collect();
            assert_eq!(left, [runsv.pid()], "{way:?} {scope}");
        }
    }
}

#[test]
fn a_group_is_stopped_and_goes_on_together_but_only_the_service_gets_other_signals() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let act = "trap \"echo hup >>$0\" HUP; trap \"echo term >>$0; exit\" TERM; echo ready >>$0
        while :; do sleep 1000000 & wait; done";
    sandbox.write("act", act);
    let service = sandbox
        .service("one")
        .run("sh -c \"$(cat ../act)\" child &\nexec sh -c \"$(cat ../act)\" parent")
        .file("kill-scope", "group");
    let _runsv = service.supervise();
    service.until_lines("child", 1);
    service.until_lines("parent", 1);
    service.send(b"h");
    until("HUP", || service.read("parent") == "ready\nhup\n");
    service.send(b"p");
    let is_stopped =
        |pid: &i32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "));
    until("all to stop", || sandbox.running("trap").iter().all(is_stopped));
    service.send(b"c");
    until("all to go on", || !sandbox.running("trap").iter().any(is_stopped));
    service.send(b"d");
    service.until_shown(Shown::Down);
    assert_eq!(service.read("parent"), "ready\nhup\nterm\n");
    until("the end of all", || sandbox.running("sleep").is_empty());
    assert!(!service.read("child").contains("hup"));
}

#[test]
fn without_it_a_login_survives_its_getty() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("getty")
        .run("setsid sleep 1000000 & exec sleep 1000001")
        .file("kill-scope", "process")
        .logged();
    let mut runsv = service.supervise();
    until("a login", || sandbox.running("sleep 1000000").len() == 1);
    service.until_up();
    service.send(b"d");
    service.until_shown(Shown::Down);
    assert_eq!(sandbox.running("sleep 1000000").len(), 1);
    // And though it holds the log pipe, the supervisor goes.
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.running("sleep 1000000").len(), 1);
}

#[test]
fn what_the_supervisor_runs_beside_it_is_not_the_services() {
    if only_svbox("own files") {
        return;
    }
    for way in ways() {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run("sleep 1000000 & exec sleep 1000000")
            .file("kill-scope", "tree")
            .script("control/d", "echo >>told; exec sleep 1000002")
            .logged();
        let (_runsv, _given) = supervise(way, &service);
        service.until_up();
        let logger = until_some("a logger", || Some(service.log_status().pid()).filter(|pid| *pid != 0));
        service.send(b"d");
        service.until_shown(Shown::Down);
        until("the end", || sandbox.running("sleep 1000000").is_empty());
        assert_eq!(service.log_status().pid(), logger, "{way:?}");
        until("the script to live", || sandbox.running("sleep 1000002").len() == 1);
        sandbox.running("sleep 1000002").iter().for_each(|pid| kill(*pid, Signal::KILL));
    }
}

#[test]
fn a_log_service_that_has_just_come_is_not_the_services_either() {
    if only_svbox("own files") {
        return;
    }
    for way in ways() {
        let sandbox = Sandbox::new();
        let service =
            sandbox.service("one").run("echo >>starts; exec sleep 1000000").down().file("kill-scope", "tree");
        let (_runsv, _given) = supervise(way, &service);
        let service = service.script("new/run", "echo >>../logs; exec sleep 1000001");
        if rustix::process::geteuid().is_root() {
            allow(&service.join("new"));
        }
        fs::rename(service.join("new"), service.join("log")).unwrap();
        service.send(b"uk");
        service.until_lines("starts", 1);
        service.until_up();
        service.until_lines("logs", 1);
        service.send(b"t");
        service.until_lines("starts", 2);
        assert_eq!(service.lines("logs"), 1, "{way:?}");
    }
}

#[test]
fn strays_are_shown() {
    if only_svbox("own files") {
        return;
    }
    for way in ways() {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run("(setsid sleep 1000000 & echo $! >stray); sleep 1000001 & exec sleep 1000000")
            .file("kill-scope", "tree");
        let (_runsv, _given) = supervise(way, &service);
        service.until_lines("stray", 1);
        service.until_up();
        let shown = |options: &[&str]| {
            let output = service.sv(&[options, &["status"]].concat());
            String::from_utf8(output.stdout).unwrap()
        };
        let strays = format!(", strays {}\n", service.read("stray").trim());
        until("the stray", || shown(&["-v"]).ends_with(&strays));
        assert!(!shown(&[]).contains("strays"), "{way:?}");
        service.send(b"d");
        service.until_shown(Shown::Down);
        assert!(!shown(&["-v"]).contains("strays"), "{way:?}");
    }
}

#[test]
fn a_later_supervisor_finds_the_cgroup_again() {
    if only_svbox("own files") || cgroups().is_none() {
        return;
    }
    // The service lives on, or it does not and only strays do.
    for survives in [true, false] {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run("setsid sh -c 'sleep 1000000 & sleep 1000000 & wait' & echo >>starts; exec sleep 1000001")
            .file("kill-scope", "tree");
        let mut runsv = service.supervise();
        service.until_lines("starts", 1);
        let run = service.until_up();
        until("strays", || sandbox.running("sleep 1000000").len() >= 2);
        let before = sandbox.running("sleep 1000000");
        runsv.signal(Signal::KILL);
        runsv.ended();
        if !survives {
            kill(run, Signal::KILL);
            until("its end", || !sandbox.processes().contains(&run));
        }
        let runsv = service.supervise();
        if survives {
            assert_eq!(service.until_up(), run);
            service.send(b"d");
            service.until_shown(Shown::Down);
            assert_eq!(sandbox.processes(), [runsv.pid()]);
        } else {
            service.until_lines("starts", 2);
            until("the end of the old ones", || !before.iter().any(|pid| sandbox.processes().contains(pid)));
            service.send(b"d");
            service.until_shown(Shown::Down);
        }
    }
}

/// The cgroup that a process of a service is in.
pub(super) fn cgroup_of(pid: i32) -> PathBuf {
    let path = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    cgroups().unwrap().join(path.lines().find_map(|line| line.strip_prefix("0::/")).unwrap())
}

#[test]
fn the_cgroup_of_a_service_around_it_is_not_its_own() {
    if only_svbox("own files") || cgroups().is_none() {
        return;
    }
    // It has one of its own below that, or had no such file when it was started.
    for scope in ["tree", "process"] {
        let sandbox = Sandbox::new();
        let outer = sandbox
            .service("outer")
            .run("cd ..; runsv inner & exec sleep 1000001")
            .file("kill-scope", "tree");
        let inner =
            sandbox.service("inner").run("echo >>starts; exec sleep 1000002").file("kill-scope", scope);
        let _outer = outer.supervise();
        inner.until_lines("starts", 1);
        let (around, pid) = (outer.until_up(), inner.until_up());
        let (theirs, its) = (cgroup_of(around), cgroup_of(pid));
        assert_eq!(its.starts_with(&theirs) && its != theirs, scope == "tree", "{theirs:?} {its:?}");
        let first = sandbox.running("runsv inner")[0];
        kill(first, Signal::KILL);
        until("its end", || !inner.is_supervised());
        // Somebody else supervises it from here on, from the outside.
        let inner = inner.file("kill-scope", "tree");
        let runsv = inner.supervise();
        assert_eq!(inner.until_up(), pid);
        inner.send(b"dk");
        inner.until_shown(Shown::Down);
        assert_eq!(outer.until_up(), around, "{scope}");
        let warned = "kill-scope is process until the next start: no cgroup";
        assert_eq!(times_said(&runsv, warned), usize::from(scope == "process"));
    }
}

#[test]
fn a_new_runsvdir_leaves_alone_what_a_service_has_made_below_its_cgroup() {
    if only_svbox("--in-process") || cgroups().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run("echo >>starts; exec sleep 1000000").file("kill-scope", "tree");
    let scan = sandbox.scan();
    scan.link(&service);
    let mut runsvdir = scan.start(&["--in-process"], &[]);
    // Not before it runs, as below.
    service.until_lines("starts", 1);
    let pid = service.until_up();
    let job = cgroup_of(pid).join("job");
    assert!(job.parent().unwrap().to_str().unwrap().contains("one.svbox-"));
    fs::create_dir(&job).unwrap();
    runsvdir.signal(Signal::KILL);
    runsvdir.ended();
    let _runsvdir = scan.start(&["--in-process"], &[]);
    until("a supervisor", || service.is_supervised());
    assert_eq!((service.until_up(), job.exists()), (pid, true));
}

#[test]
fn what_is_left_gets_term_if_the_service_has_got_another_signal() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("one")
        .run(
            "sh -c 'trap : USR1; trap \"echo term >>heard; exit\" TERM; echo >>ready; while :; do sleep 0.01; done' &
            exec env --default-signal=USR1 sleep 1000000",
        )
        .file("kill-scope", "group")
        .file("down-signal", "USR1")
        .file("timeout-kill", "60000");
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.until_up();
    service.send(b"d");
    service.until_shown(Shown::Down);
    assert_eq!(service.read("heard"), "term\n");
}

#[test]
fn with_one_process_for_all_a_tree_without_a_cgroup_has_a_supervisor_of_its_own() {
    if only_svbox("--in-process") || !rustix::process::geteuid().is_root() {
        return;
    }
    let can = |with: &bool| if *with { cgroups().is_some() } else { can_adopt() };
    for with in [true, false].into_iter().filter(can) {
        let sandbox = Sandbox::new();
        let tree = sandbox.service("tree").run(STORM).file("kill-scope", "tree").file("timeout-kill", "100");
        let plain = sandbox.service("plain").run("setsid sleep 1000003 & exec sleep 1000004");
        let scan = sandbox.scan();
        scan.link(&tree);
        scan.link(&plain);
        let mut command = sandbox.command("unshare");
        let mount = if with { "" } else { "mount -t tmpfs none /sys/fs/cgroup && " };
        command.args(["-m", "sh", "-c", &format!("{mount}exec runsvdir --in-process scan")]);
        let mut runsvdir = sandbox.start(command);
        until("a storm", || storm(&sandbox) > 20);
        plain.until_up();
        assert_eq!(sandbox.running("runsv tree").len(), usize::from(!with));
        assert_eq!(sandbox.running("runsv plain").len(), 0);
        tree.send(b"d");
        tree.until_shown(Shown::Down);
        // The other one's are none of its business.
        until("the end of the storm", || sandbox.running("sleep 1000000").is_empty());
        assert_eq!(sandbox.running("sleep 1000003").len(), 1);
        runsvdir.signal(Signal::TERM);
        assert_eq!(runsvdir.ended().code(), Some(0));
    }
}

#[test]
fn a_cgroup_of_a_service_that_is_down_is_removed() {
    if only_svbox("own files") || cgroups().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run("echo >>starts; exec sleep 1000000").file("kill-scope", "tree");
    let _runsv = service.supervise();
    // Not before it runs: to QEMU vfork is fork, and the service is said to be up before it is in the cgroup.
    service.until_lines("starts", 1);
    let run = service.until_up();
    let path = fs::read_to_string(format!("/proc/{run}/cgroup")).unwrap();
    let path = path.lines().find_map(|line| line.strip_prefix("0::/")).unwrap().to_owned();
    assert!(path.contains("one.svbox-"), "{path}");
    let path = cgroups().unwrap().join(path);
    assert!(path.exists());
    service.send(b"d");
    service.until_shown(Shown::Down);
    assert!(!path.exists());
}
