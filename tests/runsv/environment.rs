//! What a service is born with: arguments, directory, environment, descriptors, signals, limits.

use super::*;
use rustix::process::{Pid, Signal};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

/// Bits of the signal sets in `/proc/PID/status`, without the real-time signals: `env` cannot set all of them.
fn signals(pid: i32, set: &str) -> u64 {
    u64::from_str_radix(&field(pid, set), 16).unwrap() & 0x7fff_ffff
}

fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

/// A service whose `run` is no script: a `cat` that waits for its input.
fn waiting_cat(sandbox: &Sandbox) -> (Service<'_>, Running) {
    waiting_cat_with(sandbox, &[])
}

/// The same with more in the environment.
fn waiting_cat_with<'s>(sandbox: &'s Sandbox, environment: &[(&str, &str)]) -> (Service<'s>, Running) {
    let service = sandbox.service("cat");
    symlink("/bin/cat", service.join("run")).unwrap();
    let mut command = sandbox.command("runsv");
    command.arg("cat").stdin(Stdio::piped()).envs(environment.iter().copied());
    let runsv = sandbox.start(command);
    until("a supervisor", || service.is_supervised());
    (service, runsv)
}

/// Waits until the process of a service has become its program: the kernel gives it its name first, then its arguments,
/// and its environment last.
fn until_run(service: &Service<'_>) -> i32 {
    let pid = service.until_up();
    until("its program", || command_name(pid) == "run" && !environment(pid).is_empty());
    pid
}

fn environment(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/environ")).unwrap()
}

/// The descriptors 0, 1 and 2 and nothing more.
fn three(all: [String; 3]) -> Vec<(i32, String)> {
    (0..).zip(all).collect()
}

/// Waits until a process has just these: a program that starts opens others for a moment.
#[track_caller]
fn until_descriptors(pid: i32, expected: &[(i32, String)]) {
    until(&format!("descriptors {expected:?}"), || descriptors(pid) == expected);
}

/// A program of a service, as soon as it sleeps.
fn until_sleeps(sandbox: &Sandbox, seconds: &str) -> i32 {
    until_some("a sleeping program", || sandbox.running(&format!("sleep {seconds}")).first().copied())
}

#[test]
fn run_is_called_by_its_path_without_arguments() {
    let sandbox = Sandbox::new();
    let (service, _runsv) = waiting_cat(&sandbox);
    assert_eq!(arguments(until_run(&service)), ["./run"]);
}

#[test]
fn the_run_of_the_log_service_is_called_the_same() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("log/x", "");
    symlink("/bin/cat", service.join("log/run")).unwrap();
    let _runsv = service.supervise();
    let log = until_log_up(&service);
    until("its program", || arguments(log) == ["./run"]);
}

#[test]
fn the_environment_is_that_of_runsv_byte_for_byte() {
    let sandbox = Sandbox::new();
    let (service, runsv) = waiting_cat(&sandbox);
    assert_eq!(environment(until_run(&service)), environment(runsv.pid()));
}

#[test]
fn a_strange_environment_is_passed_on_as_it_is() {
    let sandbox = Sandbox::new();
    let strange = [("a b", ""), ("PATH", "/nowhere::."), ("lines", "1\n2\n="), ("HOME", "")];
    let (service, runsv) = waiting_cat_with(&sandbox, &strange);
    let all = environment(until_run(&service));
    assert!(all.split(|&byte| byte == 0).any(|entry| entry == b"lines=1\n2\n="));
    assert_eq!(all, environment(runsv.pid()));
}

#[test]
fn everything_runs_in_the_service_directory_and_the_log_in_log() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("pwd -P >>run-dir")
        .finish("pwd -P >>finish-dir")
        .script("log/run", "pwd -P >>../log-dir\nexec cat >/dev/null");
    symlink("plain", sandbox.join("link")).unwrap();
    let mut command = sandbox.command("runsv");
    command.arg("link");
    let _runsv = sandbox.start(command);
    let real = service.join("").canonicalize().unwrap();
    for (file, dir) in
        [("run-dir", real.clone()), ("finish-dir", real.clone()), ("log-dir", real.join("log"))]
    {
        service.until_lines(file, 1);
        assert_eq!(service.read(file).lines().next(), dir.to_str(), "{file}");
    }
}

#[test]
fn run_has_the_three_descriptors_of_runsv_and_no_other() {
    let sandbox = Sandbox::new();
    let (service, runsv) = waiting_cat(&sandbox);
    let pid = until_run(&service);
    until_descriptors(pid, &three([0, 1, 2].map(|number| descriptor(runsv.pid(), number))));
}

#[test]
fn with_a_log_everything_but_the_log_service_writes_to_the_pipe() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("exec sleep 1000001")
        .finish("exec sleep 1000002")
        .script("control/h", "exec sleep 1000003")
        .script("log/run", "exec sleep 1000004");
    let runsv = service.supervise();
    let run = until_sleeps(&sandbox, "1000001");
    let log = until_sleeps(&sandbox, "1000004");
    service.send(b"h");
    let control = until_sleeps(&sandbox, "1000003");
    let [stdin, stdout, stderr] = [0, 1, 2].map(|number| descriptor(runsv.pid(), number));
    let pipe = descriptor(log, 0);
    assert!(pipe.starts_with("pipe:"), "{pipe}");
    until_descriptors(log, &three([pipe.clone(), stdout, stderr.clone()]));
    let others = three([stdin, pipe, stderr]);
    until_descriptors(run, &others);
    until_descriptors(control, &others);
    rustix::process::kill_process(Pid::from_raw(control).unwrap(), Signal::KILL).unwrap();
    // HUP may have ended it already: the program that was to take over was killed.
    let _ = rustix::process::kill_process(Pid::from_raw(run).unwrap(), Signal::KILL);
    until_descriptors(until_sleeps(&sandbox, "1000002"), &others);
}

#[test]
fn without_a_log_everything_has_the_descriptors_of_runsv() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("exec sleep 1000001")
        .finish("exec sleep 1000002")
        .script("control/k", "exec sleep 1000003");
    let runsv = service.supervise();
    let run = until_sleeps(&sandbox, "1000001");
    service.send(b"k");
    let control = until_sleeps(&sandbox, "1000003");
    let all = three([0, 1, 2].map(|number| descriptor(runsv.pid(), number)));
    until_descriptors(run, &all);
    until_descriptors(control, &all);
    rustix::process::kill_process(Pid::from_raw(control).unwrap(), Signal::KILL).unwrap();
    // The supervisor, whose control program has failed, may have been quicker.
    let _ = rustix::process::kill_process(Pid::from_raw(run).unwrap(), Signal::KILL);
    until_descriptors(until_sleeps(&sandbox, "1000002"), &all);
}

#[test]
fn what_runsv_inherits_above_two_is_passed_on() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().script("log/run", "exec sleep 1000001");
    sandbox.write("inherited", "");
    let _runsv = start_behind(&service, "", "3<inherited 9<inherited");
    until("a supervisor", || service.is_supervised());
    let pids = [until_asleep(&service), until_sleeps(&sandbox, "1000001")];
    for pid in pids {
        until("descriptors 0, 1, 2, 3 and 9", || {
            descriptors(pid).into_iter().map(|(number, _)| number).eq([0, 1, 2, 3, 9])
        });
        assert!(descriptor(pid, 9).ends_with("/inherited"));
    }
}

#[test]
fn many_restarts_leak_no_descriptors() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", "exit 1").finish("exit").logged();
    let runsv = service.supervise();
    until_asleep(&service);
    until_log_up(&service);
    // Once through everything before counting.
    let once = || {
        let before = service.lines("starts");
        service.send(b"pch");
        service.until_lines("starts", before + 1);
        until_asleep(&service);
    };
    once();
    let before = descriptors(runsv.pid());
    once();
    once();
    assert_eq!(descriptors(runsv.pid()), before);
}

#[test]
fn missing_standard_descriptors_are_opened_on_nothing() {
    if only_svbox("closed descriptors") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = start_behind(&service, "", "<&- >&- 2>&-");
    until("a supervisor", || service.is_supervised());
    let null = || String::from("/dev/null");
    until_descriptors(until_asleep(&service), &three([null(), null(), null()]));
}

#[test]
fn missing_standard_descriptors_do_not_mix_up_the_log_pipe() {
    if only_svbox("closed descriptors") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().script("log/run", "exec sleep 1000001");
    let _runsv = start_behind(&service, "", "<&- >&- 2>&-");
    until("a supervisor", || service.is_supervised());
    let (run, log) = (until_asleep(&service), until_sleeps(&sandbox, "1000001"));
    let (null, pipe) = (String::from("/dev/null"), descriptor(run, 1));
    assert!(pipe.starts_with("pipe:"), "{pipe}");
    until_descriptors(run, &three([null.clone(), pipe.clone(), null.clone()]));
    until_descriptors(log, &three([pipe, null.clone(), null]));
}

#[test]
fn services_start_with_the_mask_of_the_caller_but_hear_term_and_chld() {
    let sandbox = Sandbox::new();
    sandbox
        .service("plain")
        .run("exec sleep 1000001")
        .finish("exec sleep 1000002")
        .script("log/run", "exec sleep 1000003");
    let mut env = sandbox.command("env");
    env.args(["--default-signal", "--block-signal=USR1,TERM,CHLD", "runsv", "plain"]);
    let _runsv = sandbox.start(env);
    let run = until_sleeps(&sandbox, "1000001");
    let log = until_sleeps(&sandbox, "1000003");
    let usr1 = bit(Signal::USR1);
    assert_eq!((signals(run, "SigBlk"), signals(log, "SigBlk")), (usr1, usr1));
    rustix::process::kill_process(Pid::from_raw(run).unwrap(), Signal::KILL).unwrap();
    assert_eq!(signals(until_sleeps(&sandbox, "1000002"), "SigBlk"), usr1);
}

#[test]
fn ignored_signals_stay_ignored_except_term_and_chld() {
    let sandbox = Sandbox::new();
    sandbox
        .service("plain")
        .run("exec sleep 1000001")
        .finish("exec sleep 1000002")
        .script("log/run", "exec sleep 1000003");
    let mut env = sandbox.command("env");
    env.args(["--default-signal", "--ignore-signal=HUP,TERM,CHLD", "runsv", "plain"]);
    let _runsv = sandbox.start(env);
    let run = until_sleeps(&sandbox, "1000001");
    let log = until_sleeps(&sandbox, "1000003");
    let hup = bit(Signal::HUP);
    assert_eq!((signals(run, "SigIgn"), signals(log, "SigIgn")), (hup, hup));
    rustix::process::kill_process(Pid::from_raw(run).unwrap(), Signal::KILL).unwrap();
    assert_eq!(signals(until_sleeps(&sandbox, "1000002"), "SigIgn"), hup);
}

#[test]
fn a_service_ignores_no_signal_of_its_own_accord() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("exec sleep 1000001").script("log/run", "exec sleep 1000003");
    let mut env = sandbox.command("env");
    env.args(["--default-signal", "runsv", "plain"]);
    let _runsv = sandbox.start(env);
    for pid in ["1000001", "1000003"].map(|seconds| until_sleeps(&sandbox, seconds)) {
        assert_eq!((signals(pid, "SigIgn"), signals(pid, "SigBlk")), (0, 0));
    }
    assert!(service.is_supervised());
}

#[test]
fn session_and_process_group_are_those_of_the_caller() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let runsv = service.supervise();
    // From /proc: of a session or a group that began outside the process namespace the numbers are 0, which
    // the system calls' wrappers do not expect.
    let of = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        fields.skip(2).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = of(std::process::id().cast_signed());
    for pid in [runsv.pid(), until_asleep(&service), until_log_up(&service)] {
        assert_eq!(of(pid), ours);
    }
}

#[test]
fn the_umask_is_that_of_the_caller() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("umask >>mask\nexec sleep 1000000");
    let _runsv = start_behind(&service, "umask 0137", "");
    service.until_lines("mask", 1);
    assert_eq!(service.read("mask"), "0137\n");
}

#[test]
fn the_limits_are_those_of_the_caller() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let runsv = start_behind(&service, "ulimit -n 77\nulimit -c 0\nulimit -s 1024", "");
    let pid =
        until_some("its process", || service.join("supervise/status").exists().then(|| service.until_up()));
    let limits = |pid| fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    assert!(limits(pid).lines().any(|line| line.starts_with("Max open files") && line.contains(" 77 ")));
    assert_eq!(limits(pid), limits(runsv.pid()));
}

#[test]
fn children_that_runsv_did_not_start_are_collected() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let runsv = start_behind(&service, "sleep 1000001 & echo $! >child", "");
    until("a supervisor", || service.is_supervised());
    let pid = until_asleep(&service);
    let child = Pid::from_raw(sandbox.read("child").trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(child, Signal::KILL).unwrap();
    until("its collection", || !is_child(child, runsv.pid()));
    assert_eq!((service.status().pid(), service.lines("starts")), (pid, 1));
}

/// Whether a process, which may be dead, is a child of this one: its number may be another's by then.
fn is_child(child: Pid, of: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).unwrap_or_default();
    let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    parent == Some(of)
}

/// What the system gives a user of its own, so that the user's limit of processes counts for nobody else.
const STRANGER: u32 = 54_321;

/// A service of a user who may have this many processes, and its runsv.
fn of_a_stranger<'s>(service: &Service<'s>, processes: u32) -> Option<Running> {
    let sandbox = service.sandbox;
    if !rustix::process::geteuid().is_root() {
        eprintln!("passed over: only root can become another user");
        return None;
    }
    // That user may see neither the directory of the programs nor the sandbox.
    let copy = sandbox.write("programs/runsv", fs::read(program("runsv")).unwrap());
    for path in [sandbox.path(), &sandbox.join("programs"), &copy] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for path in [service.join(""), service.join("run")] {
        std::os::unix::fs::chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
        assert_eq!(fs::metadata(path).unwrap().uid(), STRANGER);
    }
    let mut command = sandbox.command("prlimit");
    command.arg(format!("--nproc={processes}:")).arg(copy).arg(&service.name).uid(STRANGER).gid(STRANGER);
    let runsv = sandbox.start(command);
    until("a supervisor", || service.is_supervised());
    Some(runsv)
}

/// Sets that limit of a runsv that lives.
fn may_have(sandbox: &Sandbox, runsv: &Running, processes: u32) {
    let mut command = sandbox.command("prlimit");
    command.arg(format!("--nproc={processes}:")).arg(format!("--pid={}", runsv.pid()));
    assert!(command.uid(STRANGER).gid(STRANGER).status().unwrap().success());
}

#[test]
fn a_lack_of_processes_is_warned_of_and_sat_out() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let Some(runsv) = of_a_stranger(&service, 1) else { return };
    until_said(&service, &runsv, "warning: unable to fork, sleeping: temporary failure");
    assert_eq!(service.status().0[12..], [0, 0, 0, 0, 0, b'u', 0, 0]);
    may_have(&sandbox, &runsv, 10);
    service.until_up();
    // And with the limit back, a control program cannot be started, but the signal is sent.
    let service = service.script("control/t", "exit 0");
    may_have(&sandbox, &runsv, 1);
    service.send(b"o");
    until("the wish", || service.status().want() == 'd');
    service.send(b"t");
    until_said(&service, &runsv, "warning: unable to fork for control/t: temporary failure");
    until_told(&service, "down", [0, b'd', 0, 0]);
}
