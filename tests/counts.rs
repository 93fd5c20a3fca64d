//! What can be counted: descriptors, mappings, wake-ups, system calls.

use crate::kit::*;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

fn descriptors(pid: i32) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            format!("{} -> {}", path.display(), fs::read_link(&path).unwrap_or_default().display())
        })
        .collect();
    all.sort();
    all
}

fn mappings(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/maps")).unwrap()
}

/// How often the process has been given a processor.
fn time_slices(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split_whitespace().nth(2).unwrap().parse().unwrap()
}

fn down_and_up(service: &Service<'_>, times: usize) {
    for _ in 0..times {
        service.send(b"d");
        service.until_shown(Shown::Down);
        service.send(b"u");
        service.until_up();
    }
}

/// How many descriptors a busy process has between two things it does: the fewest of many looks.
fn held(pid: i32) -> usize {
    (0..200).map(|_| descriptors(pid).len()).min().unwrap()
}

/// How often services that end at once have been started.
fn starts(services: &[Service<'_>]) -> usize {
    services.iter().map(|service| service.lines("starts")).sum()
}

#[test]
fn a_supervisor_is_the_same_after_a_thousand_restarts() {
    if only_svbox("multicall") {
        return;
    }
    // Restarts of one service are a second apart, so one process has a hundred services.
    let sandbox = Sandbox::new();
    let service =
        |number| sandbox.service(&format!("s{number}")).run("echo >>starts").finish("exit 0").logged();
    let services: Vec<_> = (0..100).map(service).collect();
    let supervisor = crate::engine::supervise(&sandbox, &services.iter().collect::<Vec<_>>());
    until("two starts of each", || services.iter().all(|service| service.lines("starts") >= 2));
    let before = (held(supervisor.pid()), mappings(supervisor.pid()));
    let first = starts(&services);
    until("a thousand starts", || starts(&services) >= first + 1000);
    assert_eq!(held(supervisor.pid()), before.0);
    assert!(mappings(supervisor.pid()) == before.1, "its memory has changed");
    assert_eq!(supervisor.stderr(), "");
}

#[test]
fn runsv_is_the_same_after_some_stops_and_starts() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("often").run_forever().finish("exit 0").logged();
    let runsv = service.supervise();
    service.until_up();
    // Everything has happened once.
    down_and_up(&service, 1);
    let before = (descriptors(runsv.pid()), mappings(runsv.pid()));
    down_and_up(&service, 5);
    assert_eq!((descriptors(runsv.pid()), mappings(runsv.pid())), before);
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn runsvdir_is_the_same_after_many_services_have_come_and_gone() {
    let sandbox = Sandbox::new();
    let stays = sandbox.service("stays").run_forever();
    let comes = sandbox.service("comes").run_forever();
    let scan = sandbox.scan();
    scan.link(&stays);
    let runsvdir = scan.start(&[], &[]);
    stays.until_up();
    let come_and_go = |times| {
        for _ in 0..times {
            scan.link(&comes);
            comes.until_up();
            scan.unlink("comes");
            until("its supervisor's end", || !comes.is_supervised());
        }
    };
    come_and_go(2);
    let before = (descriptors(runsvdir.pid()), mappings(runsvdir.pid()));
    // Against runit each turn takes seconds.
    come_and_go(if against_runit() { 1 } else { 100 });
    // A supervisor that was still there a moment ago holds a descriptor until it has gone.
    until("the same descriptors and mappings", || {
        (descriptors(runsvdir.pid()), mappings(runsvdir.pid())) == before
    });
}

/// The kilobytes of a process that it shares with nobody, and how many parts of its program are mapped.
fn private(pid: i32) -> (usize, usize) {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    // A page of the file that has not been written to the disk yet would count as dirty, too.
    let own = smaps.lines().filter_map(|line| line.strip_prefix("Anonymous:"));
    let own = own.map(|rest| rest.trim().trim_end_matches(" kB").parse::<usize>().unwrap()).sum();
    (own, smaps.lines().filter(|line| line.ends_with("/svbox")).count())
}

#[test]
fn a_supervisor_has_two_pages_to_itself() {
    if only_svbox("multicall") {
        return;
    }
    // What is known of a service with files of svbox's has a page of its own, and another one of the stack may be touched.
    for (file, most) in [(None, 8), (Some("notify-socket"), 16)] {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run_forever();
        let service = file.into_iter().fold(service, |service, file| service.file(file, ""));
        let mut command = sandbox.command("runsv");
        command.arg("plain").env_clear().env("PATH", "/usr/bin:/bin");
        let runsv = sandbox.start(command);
        until("a supervisor", || service.is_supervised());
        service.until_up();
        down_and_up(&service, 2);
        let (kilobytes, parts) = private(runsv.pid());
        // Only the program with the layout of scripts/svbox.ld is that small.
        if parts == 2 {
            assert!(kilobytes <= most, "{kilobytes} KiB with {file:?}");
        }
    }
}

/// A runsvdir that the mounts of other tests do not wake up: only root can make those.
fn undisturbed(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command(if rustix::process::getuid().is_root() { "unshare" } else { "env" });
    if rustix::process::getuid().is_root() {
        command.args(["--mount", "--propagation", "private"]);
    }
    command.args(["runsvdir", "scan"]);
    command
}

#[test]
fn a_hundred_idle_services_cause_no_wake_up_in_half_a_minute() {
    if only_svbox("told") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let services: Vec<_> =
        (0..100).map(|number| sandbox.service(&format!("s{number}")).run_forever()).collect();
    services.iter().for_each(|service| scan.link(service));
    let runsvdir = sandbox.start(undisturbed(&sandbox));
    services.iter().for_each(|service| {
        service.until_up();
    });
    let mut tree = sandbox.named("runsv");
    assert_eq!(tree.len(), 100);
    tree.push(runsvdir.pid());
    let slices = || tree.iter().map(|pid| time_slices(*pid)).collect::<Vec<_>>();
    // The last publication may still be under way, and a new directory is looked at again after a second.
    let mut before = slices();
    until("two seconds without a wake-up", || {
        std::thread::sleep(Duration::from_secs(2));
        core::mem::replace(&mut before, slices()) == before
    });
    // Not to wait for something: this is how long nothing may happen.
    std::thread::sleep(Duration::from_secs(30));
    assert_eq!(slices(), before);
}

/// The system calls of a traced supervisor so far, without those that only a debug build makes.
fn calls(sandbox: &Sandbox) -> Vec<String> {
    let trace = sandbox.read("trace");
    let made = trace.lines().filter(|line| line.contains('(') && !line.contains("F_GETFD"));
    made.map(|line| line.split('(').next().unwrap().to_owned()).collect()
}

/// What a supervisor does, from one moment at which it waits to the next.
fn calls_of(sandbox: &Sandbox, act: impl FnOnce()) -> Vec<String> {
    let waits = || calls(sandbox).last().is_some_and(|call| call.starts_with("epoll"));
    until("a supervisor that waits", waits);
    let before = calls(sandbox).len();
    act();
    until("a supervisor that waits again", || calls(sandbox).len() > before && waits());
    let made = calls(sandbox).split_off(before);
    made.into_iter().filter(|call| !call.starts_with("epoll")).collect()
}

#[test]
fn a_stop_takes_28_system_calls_and_a_start_16() {
    if only_svbox("told") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("counted").run_forever();
    let mut command = sandbox.command("strace");
    command.args(["-o", "trace", "runsv", "counted"]);
    let _strace = sandbox.start(command);
    service.until_up();
    // A directory that has changed lately is listed each time, and a younger service is started again later.
    let settle = || {
        let up = Instant::now();
        until("a service that has run for a second", || up.elapsed() > Duration::from_millis(1100));
    };
    settle();
    service.send(b"d");
    service.until_shown(Shown::Down);
    service.send(b"u");
    service.until_up();
    settle();
    let stop = calls_of(&sandbox, || {
        service.send(b"d");
        service.until_shown(Shown::Down);
    });
    let start = calls_of(&sandbox, || {
        service.send(b"u");
        service.until_up();
    });
    let tell = ["openat", "write", "close", "renameat"];
    let tell_no_pid = ["openat", "close", "renameat"];
    // The command; has the directory changed, in which there was no control; TERM and CONT; stat and status: wanted
    // down.
    let command = ["read", "fstat", "kill", "kill"];
    // SIGCHLD and nothing more; the child; has the directory changed, in which there was no finish; no other child; pid, stat and status: down.
    let end = ["read", "read", "wait4", "fstat", "wait4"];
    assert_eq!(stop, [&command[..], &tell, &tell, &end, &tell_no_pid, &tell, &tell].concat());
    // The command; is there a log by now; has the directory changed; the start; pid, stat and status.
    let command = ["read", "newfstatat", "fstat", "vfork"];
    assert_eq!(start, [&command[..], &tell, &tell, &tell].concat());
}

/// The system calls of chpst between its start-up and the program that it runs, by name.
fn calls_of_chpst(sandbox: &Sandbox, options: &[&str]) -> Vec<String> {
    let mut strace = sandbox.command("strace");
    strace.args(["-qq", "-e", "signal=none", "-o", "trace"]).arg(program("chpst")).args(options);
    assert!(strace.arg("/bin/true").status().unwrap().success(), "{options:?}");
    let trace = sandbox.read("trace");
    let names: Vec<&str> = trace.lines().filter_map(|line| line.split('(').next()).collect();
    let first = names.iter().position(|name| *name == "ppoll").unwrap();
    let last = names.iter().rposition(|name| *name == "execve").unwrap();
    // The standard library of a debug build looks at each descriptor once more before it closes it. Memory is taken at
    // most once.
    names[first..=last]
        .iter()
        .filter(|name| !["fcntl", "mmap"].contains(name))
        .map(|name| (*name).to_owned())
        .collect()
}

#[test]
fn chpst_makes_no_system_call_that_it_can_do_without() {
    if only_svbox("few calls") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(calls_of_chpst(&sandbox, &[]), ["ppoll", "execve"]);
    let user = ["openat", "read", "close", "setgroups", "setresgid", "setresuid", "capget"];
    assert_eq!(calls_of_chpst(&sandbox, &["-u", "nobody"]), [&["ppoll"], &user[..], &["execve"]].concat());
    assert_eq!(calls_of_chpst(&sandbox, &["-P", "-n", "1", "-C", "."]).len(), 2 + 1 + 2 + 1);
    assert_eq!(calls_of_chpst(&sandbox, &["-o", "100"]).len(), 2 + 2);
    for count in [1, 10, 50] {
        for file in 0..count {
            sandbox.write(format!("env{count}/V{file}"), "value\n");
        }
        let dir = format!("env{count}");
        // A few for the directory and for memory, and three for each file.
        let calls = calls_of_chpst(&sandbox, &["-e", &dir]).len();
        assert!(calls <= 2 + 8 + 3 * count, "{calls} calls for {count} files");
    }
}
