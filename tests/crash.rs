//! Supervisors that are killed: their services go on, and nothing is ever doubled.

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

/// Writes down each start, and whether another instance lived at that time.
const ALONE: &str = "exec 9>>instance
    flock -n 9 || echo >>doubled
    echo $$ >>starts
    exec sleep 1000000";
/// The same for a logger.
const ALONE_LOG: &str = "exec 9>>instance
    flock -n 9 || echo >>doubled
    echo $$ >>starts
    exec cat >>../logged";
const FINISH: &str = "echo \"$@\" >>ends";

fn alone<'s>(sandbox: &'s Sandbox, name: &str) -> Service<'s> {
    sandbox.service(name).run(ALONE).finish(FINISH)
}

/// The supervisors of a sandbox, without those that are zombies.
fn supervisors(sandbox: &Sandbox) -> Vec<i32> {
    sandbox.named("runsv")
}

/// Kills all supervisors, and waits until others are at work.
#[track_caller]
fn replace_supervisor(service: &Service<'_>) {
    let old = supervisors(service.sandbox);
    old.iter().for_each(|&pid| kill(pid, Signal::KILL));
    until("another supervisor", || {
        let now = supervisors(service.sandbox);
        !now.is_empty() && !now.iter().any(|pid| old.contains(pid)) && service.is_supervised()
    });
}

/// Kills a runsvdir without a chance to do anything.
fn crash(mut runsvdir: Running) {
    runsvdir.signal(Signal::KILL);
    runsvdir.ended();
}

/// One service under a runsvdir.
fn supervised<'s>(sandbox: &'s Sandbox, service: &Service<'s>) -> Running {
    let scan = sandbox.scan();
    scan.link(service);
    let runsvdir = scan.start(&[], &[]);
    service.until_up();
    service.until_lines("starts", 1);
    runsvdir
}

#[track_caller]
fn assert_started_once(service: &Service<'_>, pid: i32) {
    assert_eq!(service.read("starts"), format!("{pid}\n"));
    assert!(!service.join("doubled").exists());
}

#[test]
fn a_service_is_adopted_although_somebody_has_read_the_lock() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let runsv = service.supervise();
    let pid = service.until_up();
    // As a backup does: the file system may note when.
    std::fs::read(service.join("supervise/lock")).unwrap();
    runsv.signal(rustix::process::Signal::KILL);
    until("the end of the supervisor", || !service.is_supervised());
    let _next = service.supervise();
    assert_eq!(service.until_up(), pid);
    assert_eq!(sandbox.running("sleep 1000000"), [pid]);
}

#[test]
fn a_service_whose_supervisor_is_killed_is_adopted_by_the_next() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let _runsvdir = supervised(&sandbox, &one);
    let before = one.status();
    replace_supervisor(&one);
    one.until_shown(Shown::Run);
    assert_eq!(one.status().pid(), before.pid());
    assert_eq!(one.read("supervise/pid"), format!("{}\n", before.pid()));
    assert_started_once(&one, before.pid());
    assert_eq!(sandbox.running("sleep 1000000"), [before.pid()]);
}

/// The kernel counts hundredths of seconds then that do not fit in 32 bits.
#[test]
fn a_service_is_adopted_when_the_machine_has_run_for_years() {
    const TWO_YEARS: [&str; 3] = ["--time", "--boottime", "63072000"];
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let uptime = change_namespaces(&sandbox, &TWO_YEARS, "cat").arg("/proc/uptime").output().unwrap();
    let seconds =
        String::from_utf8_lossy(&uptime.stdout).split('.').next().and_then(|text| text.parse().ok());
    if seconds.is_none_or(|seconds: u64| seconds < 63_072_000) {
        eprintln!("passed over: no time namespaces here");
        return;
    }
    let one = alone(&sandbox, "one");
    let supervise = || {
        let mut runsv = change_namespaces(&sandbox, &TWO_YEARS, "runsv");
        runsv.arg("one");
        let runsv = sandbox.start(runsv);
        until("a supervisor", || one.is_supervised());
        runsv
    };
    let mut runsv = supervise();
    let pid = one.until_up();
    one.until_lines("starts", 1);
    runsv.signal(Signal::KILL);
    runsv.ended();
    let _runsv = supervise();
    assert_eq!(one.until_up(), pid);
    assert_started_once(&one, pid);
}

#[test]
fn a_service_is_adopted_without_runsvdir_too() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let mut runsv = one.supervise();
    let pid = one.until_up();
    one.until_lines("starts", 1);
    runsv.signal(Signal::KILL);
    runsv.ended();
    let _runsv = one.supervise();
    assert_eq!(one.until_up(), pid);
    assert_started_once(&one, pid);
}

#[test]
fn what_is_noted_in_a_lock_of_somebody_else_is_not_believed() {
    if only_svbox("adopt") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run("echo $$ >>starts\nexec sleep 1000000");
    let mut runsv = service.supervise();
    let pid = service.until_up();
    service.until_lines("starts", 1);
    runsv.signal(Signal::KILL);
    runsv.ended();
    std::os::unix::fs::chown(service.join("supervise/lock"), Some(54_321), None).unwrap();
    let _runsv = service.supervise();
    service.until_up_again(pid);
    service.until_lines("starts", 2);
}

#[test]
fn a_copy_of_a_directory_does_not_take_the_service_over() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run("echo $$ >>starts\nexec sleep 1000000");
    let _runsv = one.supervise();
    let pid = one.until_up();
    one.until_lines("starts", 1);
    let copy = sandbox.service("copy");
    let copied = std::process::Command::new("cp").arg("-a").args([one.join("."), copy.join(".")]).status();
    assert!(copied.unwrap().success());
    let _second = copy.supervise();
    copy.until_lines("starts", 2);
    assert_ne!(copy.until_up(), pid);
    assert_eq!(one.status().pid(), pid);
}

#[test]
fn the_end_of_an_adopted_service_is_noticed_and_its_code_is_unknown() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let _runsvdir = supervised(&sandbox, &one);
    let pid = one.status().pid();
    replace_supervisor(&one);
    kill(pid, Signal::KILL);
    one.until_lines("ends", 1);
    assert_eq!(one.read("ends"), "-1 0\n");
    one.until_lines("starts", 2);
    assert!(!one.join("doubled").exists());
}

#[test]
fn an_adopted_service_obeys_commands() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let _runsvdir = supervised(&sandbox, &one);
    replace_supervisor(&one);
    one.send(b"d");
    one.until_shown(Shown::Down);
    until("the end of its process", || sandbox.running("sleep 1000000").is_empty());
    assert_eq!((one.read("ends").as_str(), one.status().want()), ("-1 0\n", 'd'));
}

#[test]
fn a_supervisor_that_adopted_leaves_when_told() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let mut runsvdir = supervised(&sandbox, &one);
    replace_supervisor(&one);
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    until("the end of all", || sandbox.processes().is_empty());
    assert_eq!(one.read("ends"), "-1 0\n");
}

#[test]
fn a_service_can_be_adopted_again_and_again() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let _runsvdir = supervised(&sandbox, &one);
    let pid = one.status().pid();
    (0..4).for_each(|_| replace_supervisor(&one));
    assert_eq!(one.until_up(), pid);
    assert_started_once(&one, pid);
}

#[test]
fn a_service_that_died_with_its_supervisor_is_started_anew() {
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    let _runsvdir = supervised(&sandbox, &one);
    let pid = one.status().pid();
    supervisors(&sandbox).iter().for_each(|&runsv| kill(runsv, Signal::KILL));
    kill(pid, Signal::KILL);
    one.until_lines("starts", 2);
    one.until_up_again(pid);
    assert!(!one.join("doubled").exists());
}

#[test]
fn what_an_adopted_service_writes_still_reaches_the_log() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let body = "trap 'echo word' USR1\necho $$ >>starts\nwhile :; do sleep 0.01; done";
    let one = sandbox.service("one").run(body).script("log/run", ALONE_LOG);
    let _runsvdir = supervised(&sandbox, &one);
    // Not before it runs: to QEMU vfork is fork, and what is to become the logger still has the supervisor's name then.
    one.until_lines("log/starts", 1);
    let pid = one.status().pid();
    replace_supervisor(&one);
    assert_eq!(one.until_up(), pid);
    one.send(b"1");
    one.until_lines("logged", 1);
    assert!(!one.join("log/doubled").exists());
    assert_started_once(&one, pid);
}

#[test]
fn an_adopted_service_with_a_log_leaves_nothing_behind() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one").logged();
    let mut runsvdir = supervised(&sandbox, &one);
    replace_supervisor(&one);
    runsvdir.signal(Signal::HUP);
    runsvdir.ended();
    until("the end of all", || sandbox.processes().is_empty());
}

#[test]
fn a_new_runsvdir_leaves_supervisors_of_a_killed_one_at_work() {
    if only_svbox("at work already") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    crash(supervised(&sandbox, &one));
    let (pid, before) = (one.status().pid(), supervisors(&sandbox));
    let scan = sandbox.scan();
    let two = alone(&sandbox, "two");
    scan.link(&two);
    let runsvdir = scan.start(&[], &[]);
    two.until_up();
    assert_eq!(one.status().pid(), pid);
    assert!(supervisors(&sandbox).contains(&before[0]));
    until("nobody but the two", || supervisors(&sandbox).len() == 2);
    assert_started_once(&one, pid);
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn a_supervisor_of_a_killed_runsvdir_is_replaced_when_it_goes() {
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    crash(supervised(&sandbox, &one));
    let (pid, before) = (one.status().pid(), supervisors(&sandbox));
    let _runsvdir = sandbox.scan().start(&[], &[]);
    one.send(b"x");
    one.until_up_again(pid);
    assert!(!supervisors(&sandbox).contains(&before[0]));
    assert!(!one.join("doubled").exists());
}

#[test]
fn a_supervisor_of_a_killed_runsvdir_that_is_killed_too_is_replaced() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    crash(supervised(&sandbox, &one));
    let pid = one.status().pid();
    let scan = sandbox.scan();
    let two = alone(&sandbox, "two");
    scan.link(&two);
    let _runsvdir = scan.start(&[], &[]);
    two.until_up();
    replace_supervisor(&one);
    assert_eq!(one.until_up(), pid);
    assert_started_once(&one, pid);
}

#[test]
fn hup_to_a_new_runsvdir_ends_the_services_of_a_killed_one() {
    if only_svbox("at work already") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    crash(supervised(&sandbox, &one));
    let scan = sandbox.scan();
    let two = alone(&sandbox, "two");
    scan.link(&two);
    let mut runsvdir = scan.start(&[], &[]);
    two.until_up();
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    until("the end of all", || sandbox.processes().is_empty());
}

#[test]
fn taking_out_a_link_ends_the_service_of_a_killed_runsvdir() {
    if only_svbox("at work already") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = alone(&sandbox, "one");
    crash(supervised(&sandbox, &one));
    let scan = sandbox.scan();
    let two = alone(&sandbox, "two");
    scan.link(&two);
    let _runsvdir = scan.start(&[], &[]);
    two.until_up();
    scan.unlink("one");
    until("its end", || !one.is_supervised());
    assert!(two.is_supervised());
}

/// Runs a runsv that is killed when it is about to write its status for the nth time, then one that is left alone.
/// Gives the new one when the service is up.
#[track_caller]
fn killed_at_write(one: &Service<'_>, when: u32) -> Running {
    let injection = format!("rename,renameat,renameat2:signal=SIGKILL:when={when}");
    let mut command = traced(one.sandbox, &injection, "runsv");
    command.arg(&one.name);
    let mut killed = one.sandbox.start(command);
    until("its death, or the service", || !killed.lives() || one.lines("starts") > 0);
    drop(killed);
    let runsv = one.supervise();
    let pid = one.until_up();
    until("the process itself", || one.read("starts").lines().any(|line| line == pid.to_string()));
    runsv
}

#[test]
fn a_supervisor_may_be_killed_at_each_write_of_its_status() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    for when in 1..=8 {
        let one = alone(&sandbox, &format!("one-{when}"));
        let _runsv = killed_at_write(&one, when);
        assert!(!one.join("doubled").exists(), "killed at write {when}");
    }
}

#[test]
fn a_supervisor_with_a_log_may_be_killed_at_each_write_of_a_status() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    for when in 1..=14 {
        let one = alone(&sandbox, &format!("one-{when}")).script("log/run", ALONE_LOG);
        let _runsv = killed_at_write(&one, when);
        until("the logger", || one.lines("log/starts") > 0);
        assert!(!one.join("doubled").exists(), "killed at write {when}");
        assert!(!one.join("log/doubled").exists(), "logger, killed at write {when}");
    }
}

/// Numbers that look random. The seed is shown when a test fails.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
        eprintln!("seed {seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Lets things go on for a moment, so that the next blow falls anywhere.
    fn pause(&mut self, milliseconds: u64) {
        std::thread::sleep(Duration::from_millis(self.below(milliseconds)));
    }
}

/// Waits until every service is up under a supervisor, with one process, which is the one in its status.
#[track_caller]
fn until_settled(sandbox: &Sandbox, services: &[Service<'_>]) {
    until("peace", || {
        let sleepers = sandbox.running("sleep 1000000");
        let settled = |service: &Service<'_>| {
            let Ok(bytes) = fs::read(service.join("supervise/status")) else { return false };
            let Ok(status) = bytes.try_into().map(Status) else { return false };
            service.is_supervised() && status.shown() == Shown::Run && sleepers.contains(&status.pid())
        };
        supervisors(sandbox).len() == services.len()
            && sleepers.len() == services.len()
            && services.iter().all(settled)
    });
}

/// Strikes supervisors and runsvdir at random.
fn strike(sandbox: &Sandbox, dice: &mut Dice, runsvdir: &mut Option<Running>) {
    let all = supervisors(sandbox);
    let struck = match dice.below(4) {
        0 => {
            crash(runsvdir.replace(sandbox.scan().start(&[], &[])).unwrap());
            &[]
        }
        1 => &all[..],
        _ if all.is_empty() => &[],
        _ => all[dice.below(all.len() as u64) as usize..].get(..1).unwrap(),
    };
    struck.iter().for_each(|&pid| kill_if_there(pid));
    // Or one that dies would be taken for one that has settled.
    until("the end of the victims", || !sandbox.processes().iter().any(|pid| struck.contains(pid)));
}

/// The victim may have ended by itself.
fn kill_if_there(pid: i32) {
    let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL);
}

#[test]
fn whatever_is_killed_whenever_nothing_is_doubled() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> = (0..4).map(|number| alone(&sandbox, &format!("s{number}"))).collect();
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let mut dice = Dice::new();
    let mut runsvdir = Some(scan.start(&[], &[]));
    for _ in 0..15 {
        dice.pause(250);
        strike(&sandbox, &mut dice, &mut runsvdir);
    }
    until_settled(&sandbox, &services);
    for service in &services {
        assert!(!service.join("doubled").exists(), "{} was doubled", service.name);
    }
    // The last runsvdir may have begun a moment ago; with this one it has seen the others.
    let last = alone(&sandbox, "last");
    scan.link(&last);
    last.until_up();
    let mut runsvdir = runsvdir.unwrap();
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    until("the end of all", || sandbox.processes().is_empty());
}

#[test]
fn services_that_were_up_are_started_once_however_often_supervisors_are_killed() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> = (0..4).map(|number| alone(&sandbox, &format!("s{number}"))).collect();
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let mut dice = Dice::new();
    let mut runsvdir = Some(scan.start(&[], &[]));
    until_settled(&sandbox, &services);
    let pids: Vec<i32> = services.iter().map(Service::until_up).collect();
    for _ in 0..15 {
        strike(&sandbox, &mut dice, &mut runsvdir);
        dice.pause(250);
    }
    until_settled(&sandbox, &services);
    for (service, pid) in services.iter().zip(pids) {
        assert_started_once(service, pid);
    }
}

#[test]
fn services_that_die_while_supervisors_are_killed_are_not_doubled() {
    if only_svbox("adopt") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> = (0..4).map(|number| alone(&sandbox, &format!("s{number}"))).collect();
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let mut dice = Dice::new();
    let mut runsvdir = Some(scan.start(&[], &[]));
    for _ in 0..15 {
        dice.pause(150);
        strike(&sandbox, &mut dice, &mut runsvdir);
        dice.pause(50);
        sandbox.running("sleep 1000000").first().into_iter().for_each(|&pid| kill_if_there(pid));
    }
    until_settled(&sandbox, &services);
    for service in &services {
        assert!(!service.join("doubled").exists(), "{} was doubled", service.name);
    }
}
