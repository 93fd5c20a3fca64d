//! Two services, one of which needs the other. One supervisor is stopped after each of its system calls, in turn, and
//! meanwhile the other service does what matters to it. Whatever it had seen by then, nothing is missed.

use super::{signals, sweep};
use crate::kit::*;
use rustix::process::{Pid, Signal, kill_process};
use std::cell::RefCell;
use std::os::unix::fs::symlink;

/// One course of things.
struct Case {
    /// Whether it is gone through with a stop after every call; otherwise after some of them.
    every: bool,
    /// The service of which the supervisor is stopped.
    traced: &'static str,
    /// What is there before that is started.
    before: fn(&Pair<'_>),
    /// Asks something of the traced one, once it is there; gives whether it was time to.
    asks: fn(&Pair<'_>) -> bool,
    /// Whether it has done that, so that the rest can happen although the call at which it stops has not been made.
    done: fn(&Pair<'_>) -> bool,
    /// What happens meanwhile.
    meanwhile: fn(&Pair<'_>),
    /// How it has to end.
    end: End,
}

/// What both have come to.
enum End {
    /// They are up.
    Up,
    /// They are down, and this is what they have told when they are up again; if there is nothing, whatever it is.
    Down(&'static [&'static str]),
}

/// The two, and the supervisors that are not traced.
struct Pair<'s> {
    sandbox: &'s Sandbox,
    db: Service<'s>,
    web: Service<'s>,
    others: RefCell<Vec<Running>>,
}

/// It tells of its start and its end, and stays until then.
fn script(name: &str, gets_ready: &str) -> String {
    format!(
        "trap 'echo end {name} >>../../events; exit' TERM\n\
        echo up {name} >>../../events\n{gets_ready}\nsleep 1000000 & wait"
    )
}

impl<'s> Pair<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let web = sandbox.service("scan/web").run(&script("web", "")).file("needs/db", "");
        let db = Service { sandbox, name: "scan/db".into() };
        Self { sandbox, db, web, others: RefCell::default() }
    }

    /// Makes the one that is needed, which is ready as soon as there is a file `go`.
    fn make_db(&self) {
        std::fs::create_dir_all(self.db.join("")).unwrap();
        self.sandbox.write("scan/db/notification-fd", "3");
        self.sandbox.script("scan/db/run", &script("db", "until test -e go; do sleep 0.01; done\necho >&3"));
    }

    fn go(&self) {
        self.sandbox.write("scan/db/go", "");
    }

    fn supervise(&self, service: &Service<'_>) {
        self.others.borrow_mut().push(service.supervise());
    }

    fn events(&self) -> String {
        self.sandbox.read("events").replace('\n', ", ")
    }
}

/// The supervisor that is stopped.
struct Traced<'s> {
    sandbox: &'s Sandbox,
    name: &'s str,
    gone_on: usize,
}

impl Traced<'_> {
    fn stops(&self) -> usize {
        self.sandbox.read("trace").matches("--- stopped by SIGSTOP ---").count()
    }

    /// Whether it waits for something to happen.
    fn waits(&self) -> bool {
        let trace = self.sandbox.read("trace");
        trace.lines().last().is_some_and(|line| line.starts_with("epoll_") && !line.contains(" = "))
    }

    /// Waits for something, while it does not stay stopped.
    #[track_caller]
    fn until(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        until(what, || {
            let stops = self.stops();
            if stops > self.gone_on {
                self.gone_on = stops;
                let all = self.sandbox.running(&format!("runsv {}", self.name));
                all.into_iter().filter_map(Pid::from_raw).for_each(|pid| _ = kill_process(pid, Signal::CONT));
            }
            holds()
        });
    }
}

/// Runs one course, in which the traced supervisor stops after this call; gives the trace.
fn run(case: &Case, stop: Option<&str>) -> String {
    let sandbox = Sandbox::new();
    let pair = Pair::new(&sandbox);
    (case.before)(&pair);
    let service = if case.traced == "db" { &pair.db } else { &pair.web };
    let mut strace = sandbox.command("strace");
    strace.args(["-o", "trace"]);
    if let Some(stop) = stop {
        let call = stop.split(':').next().unwrap();
        strace.arg(format!("--trace={call},epoll_wait,epoll_pwait")).arg(format!("--inject={stop}"));
    }
    strace.args(["runsv", &service.name]).stdout(std::process::Stdio::null());
    let mut strace = sandbox.start(strace);
    let mut traced = Traced { sandbox: &sandbox, name: &service.name, gone_on: 0 };
    let mut asked = false;
    let mut ask = || {
        asked = asked || service.is_supervised() && (case.asks)(&pair);
        asked
    };
    until("the call, or all that is done without", || {
        let asked = ask();
        traced.stops() > 0 || asked && traced.waits() && (case.done)(&pair)
    });
    (case.meanwhile)(&pair);
    traced.until("what was asked for", ask);
    match case.end {
        End::Up => traced.until("that they are up", || is_up(&pair)),
        End::Down(known) => {
            traced.until("that they are down", || are_down(&pair));
            pair.db.send(b"u");
            traced.until("that they are up again", || {
                let is_told = known.is_empty() || pair.events().ends_with("up db, up web, ");
                is_told && is_ready(&pair) && is_up(&pair)
            });
            let events = pair.events();
            assert!(known.is_empty() || known.contains(&&*events), "{events}");
        }
    }
    assert!(strace.lives(), "{}", strace.stderr());
    sandbox.read("trace")
}

/// Calls after which nothing is seen in another light.
const BLIND: [&str; 4] = ["close:", "fcntl:", "fstat:", "epoll_ctl:"];

/// The static program is of the same code.
fn stopped_at_each_call(case: &Case) {
    if only_svbox("needs") || std::env::var_os("SVBOX_PROGRAM").is_some() {
        return;
    }
    let step = if case.every { 1 } else { 4 };
    let stops = |trace: &str| {
        let mut all = signals(trace, "STOP");
        all.retain(|stop| !BLIND.iter().any(|call| stop.starts_with(call)));
        all.into_iter().step_by(step).collect()
    };
    sweep(|stop| run(case, stop), stops);
}

fn nothing(_: &Pair<'_>) {}

fn always(_: &Pair<'_>) -> bool {
    true
}

fn make_ready_db(pair: &Pair<'_>) {
    pair.make_db();
    pair.go();
}

fn supervise_db(pair: &Pair<'_>) {
    pair.supervise(&pair.db);
    until("that it is ready", || is_ready(pair));
}

fn a_db_comes(pair: &Pair<'_>) {
    make_ready_db(pair);
    supervise_db(pair);
}

fn is_ready(pair: &Pair<'_>) -> bool {
    pair.db.join("supervise/ready").exists()
}

fn is_up(pair: &Pair<'_>) -> bool {
    pair.web.read("supervise/stat").starts_with("run") && pair.events().contains("up web")
}

fn are_down(pair: &Pair<'_>) -> bool {
    let is_down = |service: &Service<'_>| service.read("supervise/stat").starts_with("down");
    pair.events().contains("end db, ") && is_down(&pair.db) && is_down(&pair.web)
}

/// The one that needs the other has ended before it, if it was started at all.
const IN_ORDER: End =
    End::Down(&["up db, end db, up db, up web, ", "up db, up web, end web, end db, up db, up web, "]);

fn stop_db(pair: &Pair<'_>) {
    pair.db.send(b"d");
}

#[test]
fn what_is_missing_may_come() {
    stopped_at_each_call(&Case {
        every: true,
        traced: "web",
        before: nothing,
        asks: always,
        done: always,
        meanwhile: a_db_comes,
        end: End::Up,
    });
}

#[test]
fn what_a_link_leads_to_may_come() {
    stopped_at_each_call(&Case {
        every: true,
        traced: "web",
        before: |pair| symlink("../below/db", pair.sandbox.join("scan/db")).unwrap(),
        asks: always,
        done: always,
        meanwhile: |pair| {
            std::fs::create_dir_all(pair.sandbox.join("below/db")).unwrap();
            a_db_comes(pair);
        },
        end: End::Up,
    });
}

#[test]
fn what_is_needed_may_be_ready() {
    stopped_at_each_call(&Case {
        every: false,
        traced: "web",
        before: |pair| {
            pair.make_db();
            pair.supervise(&pair.db);
        },
        asks: always,
        done: always,
        meanwhile: |pair| {
            pair.go();
            until("that it is ready", || is_ready(pair));
        },
        end: End::Up,
    });
}

#[test]
fn its_supervisor_may_come() {
    stopped_at_each_call(&Case {
        every: false,
        traced: "web",
        before: make_ready_db,
        asks: always,
        done: always,
        meanwhile: supervise_db,
        end: End::Up,
    });
}

#[test]
fn what_is_needed_may_be_told_to_stop() {
    stopped_at_each_call(&Case {
        every: false,
        traced: "web",
        before: a_db_comes,
        asks: always,
        done: is_up,
        meanwhile: |pair| {
            stop_db(pair);
            until("that it has heard, and shows it", || pair.db.status().want() == 'd');
        },
        end: IN_ORDER,
    });
}

#[test]
fn who_needs_it_may_come_while_it_gets_ready() {
    stopped_at_each_call(&Case {
        every: false,
        traced: "db",
        before: make_ready_db,
        asks: always,
        done: is_ready,
        meanwhile: |pair| pair.supervise(&pair.web),
        end: End::Up,
    });
}

/// It is told to stop as soon as it is ready.
const STOPPING: Case = Case {
    every: false,
    traced: "db",
    before: make_ready_db,
    asks: |pair| {
        let is_time = is_ready(pair);
        if is_time {
            stop_db(pair);
        }
        is_time
    },
    done: |pair| pair.db.read("supervise/stat").starts_with("down"),
    meanwhile: |pair| pair.supervise(&pair.web),
    end: IN_ORDER,
};

#[test]
fn who_needs_it_may_come_while_it_stops() {
    stopped_at_each_call(&Case {
        every: false,
        before: |pair| {
            make_ready_db(pair);
            // It is known that there may be somebody.
            std::fs::create_dir_all(pair.db.join("supervise/needed")).unwrap();
        },
        ..STOPPING
    });
}

/// Nothing shows yet that it stops when it gets its TERM, and then one that was never there before starts: that does not
/// stay.
#[test]
fn who_never_needed_it_may_come_while_it_stops() {
    stopped_at_each_call(&Case { end: End::Down(&[]), ..STOPPING });
}
