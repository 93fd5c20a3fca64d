//! The lives of supervisors.

use super::{faults, sweep};
use crate::kit::*;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// Starts a program under strace with a fault.
fn traced(sandbox: &Sandbox, fault: Option<&str>, program: &[&str]) -> Running {
    let mut strace = sandbox.command("strace");
    strace.args(["-o", "trace"]);
    if let Some((call, how)) = fault.and_then(|fault| fault.split_once(':')) {
        strace.arg(format!("--trace={call}")).arg(format!("--inject={call}:{how}"));
    }
    strace.args(program).stdout(std::process::Stdio::null());
    sandbox.start(strace)
}

/// A program that fails to start says why in one line and leaves with the code for that.
fn check_refusal(status: ExitStatus, stderr: &str, fault: Option<&str>) {
    assert!(fault.is_some(), "failed without a fault: {stderr}");
    assert_eq!(status.code(), Some(111), "{stderr}");
    assert!(stderr.lines().any(|line| line.contains(": fatal: ")), "no reason was given: {stderr:?}");
}

/// Until the condition holds or the program is gone; gives whether it holds.
fn until_or_gone(what: &str, strace: &mut Running, mut holds: impl FnMut() -> bool) -> bool {
    let mut result = None;
    until(what, || {
        if holds() {
            result = Some(true);
        } else if !strace.lives() {
            result = Some(false);
        }
        result.is_some()
    });
    result == Some(true)
}

/// A command that takes effect, sent again if a fault has lost it: the sender of a byte is not told.
fn order(service: &Service<'_>, byte: &[u8], mut done: impl FnMut() -> bool) {
    let mut again = Instant::now();
    until(&format!("the effect of {byte:?}"), || {
        if Instant::now() >= again && service.is_supervised() {
            service.send(byte);
            again = Instant::now() + Duration::from_secs(2);
        }
        done()
    });
}

/// A `run` that checks that no other is there.
const ALONE: &str = "trap 'rmdir alone; exit 0' TERM\nmkdir alone || echo doubled >>doubled\n\
    while :; do sleep 1000000 >&- & wait $!; done";

/// The life of a supervisor: start with a logger, stop, start, exit.
fn life_of_runsv(fault: Option<&str>) -> String {
    let sandbox = Sandbox::new();
    let run = format!("echo started\n{ALONE}");
    let service = sandbox.service("s").run(&run).finish("echo finished").logged();
    let mut strace = traced(&sandbox, fault, &["runsv", "s"]);
    let up = |service: &Service<'_>| {
        service.read("supervise/stat").starts_with("run") && service.join("alone").exists()
    };
    if until_or_gone("a service that is up", &mut strace, || up(&service)) {
        order(&service, b"d", || service.stat().starts_with("down") && !service.join("alone").exists());
        order(&service, b"u", || up(&service));
        order(&service, b"x", || !strace.lives());
        assert_eq!(strace.ended().code(), Some(0), "{}", strace.stderr());
        until("the end of the logger", || sandbox.running("cat").is_empty());
    } else {
        check_refusal(strace.ended(), &strace.stderr(), fault);
    }
    assert_eq!(service.read("doubled"), "");
    assert!(sandbox.running("runsv").is_empty(), "a supervisor is left");
    let trace = sandbox.read("trace");
    live_after(&sandbox, &service);
    trace
}

/// The next supervisor finds nothing in its way: no lock that is held, no half-written file that is believed.
fn live_after(sandbox: &Sandbox, service: &Service<'_>) {
    let mut runsv = service.supervise();
    service.until_up();
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0), "{}", runsv.stderr());
    assert!(sandbox.running("cat").is_empty());
}

/// The life of a scan directory: start with one service, another comes, the first goes, a runsv dies, the end.
fn life_of_runsvdir(fault: Option<&str>) -> String {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run(ALONE);
    let two = sandbox.service("two").run(ALONE);
    let scan = sandbox.scan();
    scan.link(&one);
    let mut strace = traced(&sandbox, fault, &["runsvdir", "scan"]);
    let up = |service: &Service<'_>| service.is_supervised() && service.join("alone").exists();
    if until_or_gone("a service that is up", &mut strace, || up(&one)) {
        scan.link(&two);
        until("the second service", || up(&two));
        scan.unlink("one");
        until("the end of the first service", || !one.is_supervised() && !one.join("alone").exists());
        assert!(up(&two), "the other service went too: {}", strace.stderr());
        let runsvdir = sandbox.named("runsvdir");
        let [runsvdir] = runsvdir.as_slice() else { panic!("not one runsvdir: {runsvdir:?}") };
        let runsvdir = rustix::process::Pid::from_raw(*runsvdir).unwrap();
        rustix::process::kill_process(runsvdir, rustix::process::Signal::HUP).unwrap();
        assert_eq!(strace.ended().code(), Some(111), "{}", strace.stderr());
        // A TERM that the system refused to send is nobody's fault.
        if fault.is_none_or(|fault| !fault.starts_with("kill")) {
            until("the end of the services", || sandbox.named("runsv").is_empty());
        }
    } else {
        check_refusal(strace.ended(), &strace.stderr(), fault);
    }
    assert_eq!((one.read("doubled"), two.read("doubled")), (String::new(), String::new()));
    sandbox.read("trace")
}

#[test]
fn runsv_bears_each_system_call_failing_once() {
    if only_svbox("faults") {
        return;
    }
    sweep(life_of_runsv, faults);
}

#[test]
fn runsvdir_bears_each_system_call_failing_once() {
    if only_svbox("faults") {
        return;
    }
    sweep(life_of_runsvdir, faults);
}
