//! What the README says of a move from others holds beside the others themselves.

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// A program in a sandbox that finds the others' programs first, or links in `bin` that stand for them.
fn of_others(sandbox: &Sandbox, program: &str) -> Command {
    let mut command = sandbox.command("env");
    let path = format!("{}:/usr/bin:/bin", sandbox.join("bin").display());
    command.arg(format!("PATH={path}")).arg(program);
    command
}

/// The file that a process runs.
fn file_of(pid: i32) -> String {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap().display().to_string()
}

fn is_svbox(pid: i32) -> bool {
    fs::canonicalize(svbox()).unwrap() == Path::new(&file_of(pid))
}

/// A sandbox in which `bin` has runit's supervisors, and that runs a runsvdir of them on the service `scan/one`.
fn with_runit(sandbox: &Sandbox) -> (Service<'_>, Running) {
    let service = sandbox.service("scan/one").run_forever();
    fs::create_dir(sandbox.join("bin")).unwrap();
    for name in ["runsv", "runsvdir"] {
        symlink(Path::new("/usr/bin").join(name), sandbox.join("bin").join(name)).unwrap();
    }
    let runsvdir = scan(sandbox);
    (service, runsvdir)
}

fn scan(sandbox: &Sandbox) -> Running {
    let mut command = of_others(sandbox, "runsvdir");
    command.args(["-P", "scan"]);
    sandbox.start(command)
}

/// Puts links to svbox in the place of runit's programs.
fn switch(sandbox: &Sandbox) {
    assert!(
        Command::new(svbox()).args(["--install", "-s"]).arg(sandbox.join("bin")).status().unwrap().success()
    );
}

/// The one supervisor.
fn supervisor(sandbox: &Sandbox) -> i32 {
    until_some("one supervisor", || match sandbox.named("runsv")[..] {
        [pid] => Some(pid),
        _ => None,
    })
}

#[test]
fn services_of_runit_go_on_while_the_programs_change_and_each_supervisor_is_exchanged_when_told_to() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let (service, mut runsvdir) = with_runit(&sandbox);
    let pid = service.until_up();
    assert!(!is_svbox(supervisor(&sandbox)));
    switch(&sandbox);
    assert!(service.sv(&["status"]).status.success());
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    let next = scan(&sandbox);
    until("the new runsvdir", || is_svbox(next.pid()));
    assert_eq!(service.until_up(), pid);
    assert!(!is_svbox(supervisor(&sandbox)));
    assert!(service.sv(&["-w", "60", "exit"]).status.success());
    assert!(service.sv(&["-w", "60", "start"]).status.success());
    assert!(service.until_up() != pid && is_svbox(supervisor(&sandbox)));
    // From now on this holds, too.
    let pid = service.until_up();
    kill(supervisor(&sandbox), Signal::KILL);
    until("another supervisor", || service.is_supervised() && sandbox.named("runsv").len() == 1);
    assert_eq!(service.until_up(), pid);
}

#[test]
fn a_supervisor_of_runit_that_is_killed_leaves_a_process_that_nobody_knows() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let (service, mut runsvdir) = with_runit(&sandbox);
    let pid = service.until_up();
    runsvdir.signal(Signal::TERM);
    runsvdir.ended();
    kill(supervisor(&sandbox), Signal::KILL);
    until("no supervisor", || !service.is_supervised());
    switch(&sandbox);
    let _runsvdir = scan(&sandbox);
    service.until_up_again(pid);
    assert!(Path::new("/proc").join(pid.to_string()).exists());
}

/// The first line that `finish` has written for a `run`, under that supervisor.
fn finished(supervisor: &str, run: &str) -> String {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run(run).finish("echo \"$*\" >>finished");
    let mut command = of_others(&sandbox, supervisor);
    command.arg("one");
    let _running = sandbox.start(command);
    service.until_lines("finished", 1);
    service.read("finished").lines().next().unwrap().to_owned()
}

#[test]
fn finish_hears_of_a_signal_by_minus_1_where_s6_has_256_and_adds_the_name() {
    let runsv = program("runsv");
    for (run, theirs, ours) in [("exit 7", "7 0 one", "7 0"), ("kill -TERM $$", "256 15 one", "-1 15")] {
        let seen = ["s6-supervise", runsv.to_str().unwrap()].map(|supervisor| finished(supervisor, run));
        assert_eq!(seen, [theirs, ours]);
    }
}

#[test]
fn a_service_directory_of_s6_is_used_as_it_was_left_and_the_other_way_round() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run("echo $$ >pid\nexec sleep 1000000");
    let s6 = |count: &str| {
        let mut command = of_others(&sandbox, "s6-supervise");
        command.arg("one");
        let mut s6 = sandbox.start(command);
        until(count, || !service.read("pid").is_empty());
        let mut command = of_others(&sandbox, "s6-svc");
        until("s6-supervise to hear", || command.args(["-dx", "one"]).status().unwrap().success());
        s6.ended();
        fs::remove_file(service.join("pid")).unwrap();
    };
    s6("the service under s6");
    assert!(service.join("supervise/death_tally").exists());
    let mut runsv = service.supervise();
    service.until_up();
    until("the service under runsv", || !service.read("pid").is_empty());
    service.send(b"dx");
    assert_eq!(runsv.ended().code(), Some(0));
    fs::remove_file(service.join("pid")).unwrap();
    s6("the service under s6 again");
}

#[test]
fn a_log_directory_of_s6_log_goes_on() {
    let sandbox = Sandbox::new();
    let log = |program: &str, args: &[&str], line: &str| {
        let text = sandbox.write("input", format!("{line}\n"));
        let mut command = of_others(&sandbox, program);
        command.args(args).stdin(fs::File::open(text).unwrap());
        assert!(command.status().unwrap().success(), "{program}");
    };
    let dir = sandbox.join("logs");
    let (theirs, dir) = (dir.display().to_string(), dir.to_str().unwrap().to_owned());
    log("s6-log", &["T", &theirs], "by s6");
    log(program("svlogd").to_str().unwrap(), &["-tt", &dir], "by svlogd");
    log("s6-log", &["T", &theirs], "by s6 again");
    let text = sandbox.read("logs/current");
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].ends_with("  by s6")
            && lines[1].ends_with(" by svlogd")
            && lines[2].ends_with("  by s6 again")
    );
    // `2026-11-26 04:44:05.099672035  line` and `2026-11-26_04:44:05.09967 line`.
    assert_eq!((lines[0].find(' '), lines[1].find('_')), (Some(10), Some(10)), "{text}");
}

#[test]
fn locks_of_s6_setlock_and_setlock_do_not_exclude_each_other_and_those_of_daemontools_do() {
    if only_svbox("setlock") {
        return;
    }
    let sandbox = Sandbox::new();
    let setlock = program("setlock");
    let inside = |other: &str| {
        let mut command = of_others(&sandbox, other);
        command.arg("lock").arg(&setlock).args(["-nx", "lock", "echo", "had"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!((inside("s6-setlock").as_str(), inside("/usr/bin/setlock").as_str()), ("had\n", ""));
}

#[test]
fn setuidgid_leaves_out_supplementary_groups_which_s6_setuidgid_looks_up() {
    // In a user namespace there are no other groups.
    if only_svbox("multicall") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("etc/passwd", "u:x:1000:1000::/:/bin/sh\n");
    root.write("etc/group", "u:x:1000:\ng:x:2000:u\n");
    root.write("etc/nsswitch.conf", "passwd: files\ngroup: files\n");
    let groups = |command: &str| {
        let output = root.output(&format!("exec {command} id -G"));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(groups("/usr/bin/s6-setuidgid u"), "1000 2000");
    assert_eq!(groups("setuidgid u"), "1000");
    assert_eq!(groups("chpst -u u:u:g"), "1000 2000");
}

/// What process 1 of a container exits with, for svbox's, tini, and dumb-init with `-c`.
fn codes(command: &[&str]) -> [Option<i32>; 3] {
    let run = |program: &[&str]| {
        let sandbox = Sandbox::new();
        Container::new(&sandbox).program(program).start(command).ended()
    };
    [run(&["/program/pid1", "--"]), run(&["/usr/bin/tini", "--"]), run(&["/usr/bin/dumb-init", "-c", "--"])]
}

#[test]
fn a_container_ends_as_with_tini() {
    if only_svbox("containers") {
        return;
    }
    for code in [0, 3, 255] {
        assert_eq!(codes(&["sh", "-c", &format!("exit {code}")]), [Some(code); 3]);
    }
    for signal in [1, 9, 15] {
        assert_eq!(codes(&["sh", "-c", &format!("kill -{signal} $$")]), [Some(128 + signal); 3]);
    }
    assert_eq!(codes(&["/missing"]), [Some(127), Some(127), Some(2)]);
    assert_eq!(codes(&["/etc"]), [Some(126), Some(126), Some(2)]);
}

/// Who has heard TERM: the command, and its child in the same group. The child is told to end by the command, behind
/// whatever it was sent before.
const HEARERS: &str = "
    sh -c 'trap \"echo child >>/out/heard\" TERM; trap end=1 USR1; : >/out/child
        until [ \"$end\" ]; do sleep 0.01; done' &
    trap 'echo command >>/out/heard; kill -USR1 $!; end=1' TERM
    : >/out/command
    until [ \"$end\" ]; do sleep 0.01; done
    while ! wait; do :; done";

#[test]
fn a_signal_reaches_the_command_alone_as_with_tini_and_not_its_group_as_with_dumb_init() {
    if only_svbox("containers") {
        return;
    }
    let programs: [(&[&str], &str); 5] = [
        (&["/program/pid1", "--"], "command\n"),
        (&["/usr/bin/tini", "--"], "command\n"),
        (&["/usr/bin/dumb-init", "-c", "--"], "command\n"),
        (&["/usr/bin/tini", "-g", "--"], "child\ncommand\n"),
        (&["/usr/bin/dumb-init", "--"], "child\ncommand\n"),
    ];
    for (program, wanted) in programs {
        let sandbox = Sandbox::new();
        let mut container = Container::new(&sandbox).program(program).start(&["sh", "-c", HEARERS]);
        until("both", || sandbox.join("out/child").exists() && sandbox.join("out/command").exists());
        kill(container.pid(), Signal::TERM);
        container.ended();
        let mut heard: Vec<_> = sandbox.read("out/heard").lines().map(str::to_owned).collect();
        heard.sort();
        assert_eq!(heard.iter().map(|line| format!("{line}\n")).collect::<String>(), wanted, "{program:?}");
    }
}

#[test]
fn files_of_s6_mean_what_they_mean_there() {
    if only_svbox("own files") {
        return;
    }
    let seen = ["s6-supervise", program("runsv").to_str().unwrap()].map(|supervisor| {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run("trap 'echo int >>heard' INT\necho >&3\nwhile :; do sleep 0.01; done")
            .finish("echo $2 >>finished\nexec sleep 1000000")
            .file("down-signal", "INT\n")
            .file("notification-fd", "3\n")
            .file("timeout-kill", "300\n")
            .file("timeout-finish", "300\n");
        let mut command = of_others(&sandbox, supervisor);
        command.arg("one");
        let _running = sandbox.start(command);
        until("it to be ready", || {
            let mut command = of_others(&sandbox, "s6-svstat");
            let shown = command.args(["-o", "ready", "one"]).output().unwrap().stdout;
            shown == b"true\n" || service.join("supervise/ready").exists()
        });
        service.send(b"d");
        service.until_lines("finished", 1);
        until("finish to be killed", || sandbox.named("sleep").is_empty());
        (service.read("heard"), service.read("finished"))
    });
    assert_eq!(seen, [(); 2].map(|()| ("int\n".to_owned(), "9\n".to_owned())));
}

#[test]
fn where_there_is_a_file_restart_a_finish_that_exits_125_keeps_its_service_down_as_with_s6() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let [theirs, ours] = ["theirs", "ours"].map(|name| {
        sandbox.service(name).run("echo >>starts; exit 1").finish("exit 125").file("restart", "always")
    });
    let mut command = of_others(&sandbox, "s6-supervise");
    command.arg("theirs");
    let _s6 = sandbox.start(command);
    until("s6 to give it up", || {
        let mut command = of_others(&sandbox, "s6-svstat");
        command.args(["-o", "up,wantedup", "theirs"]).output().unwrap().stdout == b"false false\n"
    });
    let _runsv = ours.supervise();
    until("that it has failed", || ours.join("supervise/failed").exists());
    assert_eq!((theirs.lines("starts"), ours.lines("starts")), (1, 1));
}

/// The seconds of the label of a line.
fn label(line: &str) -> i64 {
    i64::from_str_radix(&line[2..17], 16).unwrap()
}

#[test]
fn labels_of_s6_count_leap_seconds_which_those_of_daemontools_and_runit_do_not() {
    let sandbox = Sandbox::new();
    let input = sandbox.write("input", "line\n");
    fs::create_dir(sandbox.join("logs")).unwrap();
    let svlogd = program("svlogd");
    for (program, option) in
        [(svlogd.to_str().unwrap(), "-t"), ("s6-log", "t"), (svlogd.to_str().unwrap(), "-t")]
    {
        let mut command = of_others(&sandbox, program);
        command.arg(option).arg(sandbox.join("logs")).stdin(fs::File::open(&input).unwrap());
        assert!(command.status().unwrap().success(), "{program}");
    }
    let labels: Vec<_> = sandbox.read("logs/current").lines().map(label).collect();
    assert!(labels[0] <= labels[1] - 27 && labels[1] - 27 <= labels[2], "{labels:?}");
}
