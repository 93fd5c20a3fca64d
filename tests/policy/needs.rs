//! `needs` and `wants`: the order in which services start and stop.

use super::*;
use rustix::process::Signal;
use std::os::unix::fs::symlink;

/// Who supervises the services of the scan directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A runsv each.
    Each,
    /// All of them one runsvdir.
    One,
}

/// A test of both, at the same time: mostly they wait.
pub fn in_both(test: impl Fn(Mode) + Sync) {
    std::thread::scope(|scope| {
        scope.spawn(|| test(Mode::Each));
        test(Mode::One);
    });
}

impl Mode {
    pub fn start(self, sandbox: &Sandbox, options: &[&str]) -> Running {
        let own: &[&str] = if self == Self::One { &["--in-process"] } else { &[] };
        sandbox.scan().start(&[own, options].concat(), &[])
    }
}

/// Ends a runsvdir and all services with it.
#[track_caller]
pub fn end(sandbox: &Sandbox, mut runsvdir: Running) {
    runsvdir.signal(Signal::HUP);
    runsvdir.ended();
    until("the end of all supervisors", || sandbox.running("runsv ").is_empty());
}

/// What is told of a service in the file `events` of the sandbox.
const EVENTS: &str = "trap 'echo end $me >>../../events; exit' TERM\necho up $me >>../../events";
/// It is ready, which is when others come to their turn, and stays until TERM.
const STAYS: &str = "echo >&3\nsleep 1000000 & wait";

/// A service in the scan directory that needs others. It tells of its start and its end.
fn member<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    member_that(sandbox, name, needs, STAYS)
}

fn member_that<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str], does: &str) -> Service<'s> {
    let service = sandbox.service(&format!("scan/{name}")).run(&format!("me={name}\n{EVENTS}\n{does}"));
    let service = service.file("notification-fd", "3");
    needs.iter().fold(service, |service, need| service.file(&format!("needs/{need}"), ""))
}

/// A service that is ready as soon as there is a file `go`.
fn telling<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    member_that(sandbox, name, needs, &format!("until test -e go; do sleep 0.01; done\n{STAYS}"))
}

fn events(sandbox: &Sandbox) -> String {
    sandbox.read("events").replace('\n', ", ")
}

#[track_caller]
fn until_events(sandbox: &Sandbox, wanted: &str) {
    let end = std::time::Instant::now() + DEADLINE;
    while events(sandbox) != wanted {
        assert!(std::time::Instant::now() < end, "{:?} and not {wanted:?}", events(sandbox));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn until_waits(service: &Service<'_>) {
    let name = service.name.trim_start_matches("scan/");
    until("that it waits", || why(service).contains(&format!("{name}: down, wanted up: waits for")));
}

fn why(service: &Service<'_>) -> String {
    String::from_utf8(service.sv(&["why"]).stdout).unwrap()
}

fn shows(service: &Service<'_>, name: &str) -> bool {
    service.join("supervise").join(name).exists()
}

#[test]
fn services_start_when_what_they_need_is_up_and_end_before_it() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        // By their names they would start the other way round.
        let first = member(&sandbox, "z", &[]);
        let (_y, last) = (member(&sandbox, "y", &["z"]), member(&sandbox, "x", &["y", "z"]));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up z, up y, up x, ");
        assert!(shows(&first, "needed/x") && shows(&last, "needing"));
        end(&sandbox, runsvdir);
        assert_eq!(events(&sandbox), "up z, up y, up x, end x, end y, end z, ", "{mode:?}");
        assert!(!shows(&last, "needing") && !shows(&first, "leaving"));
    });
}

#[test]
fn one_that_tells_is_waited_for_until_it_is_ready() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let _db = telling(&sandbox, "db", &[]);
        let web = member(&sandbox, "web", &["db"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_waits(&web);
        until_events(&sandbox, "up db, ");
        until("that db is not ready", || why(&web).contains("waits for db (starting, not ready for "));
        assert_eq!(web.sv(&["why"]).status.code(), Some(1));
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        let asked = web.sv(&["why"]);
        assert_eq!(asked.status.code(), Some(0));
        assert!(why(&web).ends_with("web/: waits for nothing\n"), "{}", why(&web));
        end(&sandbox, runsvdir);
    });
}

#[test]
fn what_is_told_to_stop_waits_for_those_that_need_it_and_they_come_back_with_it() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]);
        let web = member(&sandbox, "web", &["db"]).file("restart", "always limit=1/1h");
        let front = member(&sandbox, "front", &["web"]);
        let runsvdir = mode.start(&sandbox, &[]);
        let up = "up db, up web, up front, ";
        for round in 1..3 {
            let before = format!("{up}end front, end web, end db, ").repeat(round - 1);
            until_events(&sandbox, &format!("{before}{up}"));
            front.until_up();
            down(&db);
            let ended = format!("{up}end front, end web, end db, ");
            until_events(&sandbox, &ended.repeat(round));
            until("that they wait", || {
                web.status().shown() == Shown::Down && front.status().shown() == Shown::Down
            });
            assert_eq!((web.status().want(), front.status().want()), ('u', 'u'));
            until("that nothing is to stop", || !shows(&db, "leaving") && !shows(&web, "leaving"));
            db.send(b"u");
        }
        until("that all are up", || front.status().shown() == Shown::Run);
        // No end of these was a death.
        assert!(!shows(&web, "deaths") && !shows(&web, "failed"));
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_dies_does_not_take_along_those_that_need_it() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
        let runsvdir = mode.start(&sandbox, &[]);
        let (first, stays) = (db.until_up(), web.until_up());
        kill(first, Signal::KILL);
        let second = db.until_up_again(first);
        db.send(b"t");
        db.until_up_again(second);
        assert_eq!(web.status().pid(), stays);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_dies_waits_if_what_it_needs_is_not_there_any_more() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (telling(&sandbox, "db", &[]).file("go", ""), member(&sandbox, "web", &["db"]));
        let runsvdir = mode.start(&sandbox, &[]);
        let (first, second) = (db.until_up(), web.until_up());
        fs::remove_file(db.join("go")).unwrap();
        kill(first, Signal::KILL);
        db.until_up_again(first);
        kill(second, Signal::KILL);
        until_waits(&web);
        until("that nobody waits for it", || !shows(&web, "needing"));
        sandbox.write("scan/db/go", "");
        web.until_up_again(second);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn deadlines_of_a_stop_begin_with_its_own_term() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]).file("timeout-kill", "100").finish("echo $2 >>../../killed");
        let deaf =
            "trap 'echo deaf $me >>../../events' TERM\necho >&3\nwhile :; do sleep 1000000 & wait; done";
        let web = member_that(&sandbox, "web", &["db"], deaf).file("timeout-kill", "700");
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        down(&db);
        assert_eq!(events(&sandbox), "up db, up web, deaf web, end db, ", "{mode:?}");
        assert_eq!(sandbox.read("killed"), "0\n");
        assert!(
            runsvdir.stderr().contains("runsv web: warning: service does not end in time, sending KILL\n")
        );
        assert!(!runsvdir.stderr().contains("runsv db: "), "{}", runsvdir.stderr());
        end(&sandbox, runsvdir);
    });
}

/// A service that TERM does not end before there is a file `go`.
fn slow<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    let does = "trap 'echo told $me >>../../events; until test -e go; do sleep 0.01; done; exit' TERM";
    member_that(sandbox, name, needs, &format!("{does}\n{STAYS}"))
}

#[test]
fn kill_does_not_wait() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["db"]));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        let stays = web.until_up();
        db.send(b"d");
        until_events(&sandbox, "up db, up web, told web, ");
        assert!(shows(&db, "leaving"));
        until("an answer", || why(&db) == "db: wanted down: waits for web (stopping) to stop\n");
        let forced = db.sv(&["-w", "1", "force-stop"]);
        assert!(String::from_utf8_lossy(&forced.stdout).starts_with("kill: run: "), "{forced:?}");
        db.until_shown(Shown::Down);
        assert_eq!(web.status().pid(), stays);
        sandbox.write("scan/web/go", "");
        web.until_shown(Shown::Down);
        until("that the stop is over", || !shows(&db, "leaving"));
        end(&sandbox, runsvdir);
    });
}

#[test]
fn up_calls_a_stop_off_that_has_not_begun() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["db"]));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        let (stays, goes) = (db.until_up(), web.until_up());
        // However often it is told.
        db.send(b"ddx");
        until_events(&sandbox, "up db, up web, told web, ");
        assert_eq!(db.status().want(), 'd');
        db.send(b"u");
        until("that it stays", || !shows(&db, "leaving") && db.status().want() == 'u');
        sandbox.write("scan/web/go", "");
        web.until_up_again(goes);
        assert_eq!((db.status().pid(), db.status().term()), (stays, false));
        until_events(&sandbox, "up db, up web, told web, up web, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_stop_that_was_called_off_leaves_nothing_behind() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
        let front = slow(&sandbox, "front", &["web"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, up front, ");
        let (first, second, third) = (db.until_up(), web.until_up(), front.until_up());
        db.send(b"d");
        until_events(&sandbox, "up db, up web, up front, told front, ");
        assert!(shows(&web, "leaving"));
        db.send(b"u");
        until("that nothing is to stop", || !shows(&db, "leaving") && !shows(&web, "leaving"));
        sandbox.write("scan/front/go", "");
        front.until_up_again(third);
        // Their ends are deaths again.
        for (service, pid) in [(&db, first), (&web, second)] {
            assert_eq!(service.status().pid(), pid);
            kill(pid, Signal::KILL);
            service.until_lines("supervise/deaths", 1);
        }
        end(&sandbox, runsvdir);
    });
}

#[test]
fn the_deadline_of_a_stop_that_has_waited_holds() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let deaf =
            "trap 'echo deaf $me >>../../events' TERM\necho >&3\nwhile :; do sleep 1000000 & wait; done";
        // The order to stop is not one by TERM: then that has no part in it.
        let db = member_that(&sandbox, "db", &[], deaf)
            .file("timeout-kill", "200")
            .script("control/t", "echo asked db >>../../events")
            .finish("echo $2 >>../../killed");
        let web = member(&sandbox, "web", &["db"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        down(&db);
        assert_eq!(
            (events(&sandbox).as_str(), sandbox.read("killed").as_str()),
            ("up db, up web, end web, asked db, ", "9\n")
        );
        end(&sandbox, runsvdir);
    });
}

#[test]
fn what_becomes_of_a_need_while_a_start_is_prepared_counts() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = telling(&sandbox, "db", &[]).file("go", "");
        let script = "echo preparing >>../../events\nuntil test -e go; do sleep 0.01; done";
        let web = member(&sandbox, "web", &["db"]).script("control/u", script);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, preparing, ");
        // It dies, which is told to nobody as a stop.
        fs::remove_file(db.join("go")).unwrap();
        let first = db.until_up();
        kill(first, Signal::KILL);
        until_events(&sandbox, "up db, preparing, up db, ");
        sandbox.write("scan/web/go", "");
        until_waits(&web);
        until("that it is not needed", || !shows(&web, "needing"));
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, preparing, up db, preparing, up web, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_want_that_is_told_to_stop_waits_for_one_that_was_told_too() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &[]).file("wants/db", ""));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        web.send(b"d");
        until_events(&sandbox, "up db, up web, told web, ");
        db.send(b"d");
        until("that it waits", || why(&db) == "db: wanted down: waits for web (stopping) to stop\n");
        assert!(!db.status().term());
        sandbox.write("scan/web/go", "");
        until_events(&sandbox, "up db, up web, told web, end db, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_ends_already_is_not_what_is_needed() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    // Nobody has been there to need it when it was told to stop.
    let (db, web) = (slow(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let _first = db.supervise();
    until("that it is ready", || shows(&db, "ready"));
    db.send(b"d");
    until_events(&sandbox, "up db, told db, ");
    until("that it is known", || db.status().term());
    let _second = web.supervise();
    until_waits(&web);
    until("its mark", || shows(&db, "needed/web"));
    sandbox.write("scan/db/go", "");
    db.until_shown(Shown::Down);
    db.send(b"u");
    until_events(&sandbox, "up db, told db, up db, up web, ");
}

#[test]
fn what_a_killed_supervisor_has_shown_holds_nobody_up() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]).down());
    let (db, web) = (db.file("supervise/needed/web", ""), web.file("supervise/needing", ""));
    let db = db.file("supervise/leaving", "");
    let (_first, _second) = (db.supervise(), web.supervise());
    db.until_up();
    assert!(!shows(&db, "leaving") && !shows(&web, "needing"));
    down(&db);
}

#[test]
fn who_is_about_to_start_looks_once_more_when_that_can_be_seen() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let _first = db.supervise();
    until("that it is ready", || shows(&db, "ready"));
    // It takes long to show that it is about to start.
    let mut strace = sandbox.command("strace");
    strace.args([
        "-D",
        "-qq",
        "-o",
        "trace",
        "-e",
        "signal=none",
        "-P",
        "supervise/needing",
        "-e",
        "trace=openat",
    ]);
    strace.arg("--inject=openat:delay_enter=1500000").args(["runsv", "scan/web"]);
    let _second = sandbox.start(strace);
    until("its mark", || shows(&db, "needed/web"));
    until("that it is about to start", || sandbox.read("trace").contains("needing"));
    down(&db);
    until_waits(&web);
    until("that it has looked", || sandbox.read("trace").contains(") = ") && !shows(&web, "needing"));
    assert_eq!(events(&sandbox), "up db, end db, ");
    db.send(b"u");
    until_events(&sandbox, "up db, end db, up db, up web, ");
}

#[test]
fn many_orders_to_stop_are_one_term() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let counts = "trap 'echo term >>../../events' TERM\necho >&3\nwhile :; do sleep 1000000 & wait; done";
    let (db, web) = (member_that(&sandbox, "db", &[], counts), slow(&sandbox, "web", &["db"]));
    let _runsvdir = Mode::Each.start(&sandbox, &[]);
    until_events(&sandbox, "up db, up web, ");
    web.until_up();
    db.send(b"d");
    until_events(&sandbox, "up db, up web, told web, ");
    db.send(b"ddx");
    sandbox.write("scan/web/go", "");
    until("its TERM", || db.status().term());
    db.send(b"k");
    until("its end", || !db.is_supervised());
    assert_eq!(events(&sandbox), "up db, up web, told web, term, ");
}

#[test]
fn what_is_missing_is_waited_for_and_told() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        // A name with a dot in front is none.
        let web = member(&sandbox, "web", &["net", ".hidden"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_said_by(&runsvdir, "runsv web: warning: needs: net is missing, waiting for it");
        let line = String::from_utf8(web.sv(&["status"]).stdout).unwrap();
        assert!(line.ends_with(", want up, warning: needs net, which is missing\n"), "{line}");
        assert_eq!(why(&web), "web: down, wanted up: waits for net (missing)\n");
        let net = sandbox.service("net").run("echo up net >>../events\nexec sleep 1000000");
        sandbox.scan().link(&net);
        until_events(&sandbox, "up net, up web, ");
        assert_eq!(runsvdir.stderr().lines().count(), 1);
        end(&sandbox, runsvdir);
    });
}

#[track_caller]
fn until_said_by(runsvdir: &Running, line: &str) {
    until(line, || runsvdir.stderr().lines().any(|said| said == line));
}

#[test]
fn a_circle_is_refused_by_name() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let a = member(&sandbox, "a", &["b"]);
        let (_b, c) = (member(&sandbox, "b", &["c"]), member(&sandbox, "c", &[]).file("wants/a", ""));
        let own = member(&sandbox, "own", &["own"]);
        let outside = member(&sandbox, "d", &["a"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_said_by(&runsvdir, "runsv a: warning: needs: a cycle: a -> b -> c -> a, not starting it");
        until_said_by(&runsvdir, "runsv c: warning: needs: a cycle: c -> a -> b -> c, not starting it");
        until_said_by(&runsvdir, "runsv own: warning: needs: a cycle: own -> own, not starting it");
        until_waits(&outside);
        let line = String::from_utf8(a.sv(&["status"]).stdout).unwrap();
        assert!(line.ends_with(", want up, warning: needs: a cycle: a -> b -> c -> a\n"), "{line}");
        assert!(why(&own).contains("own (down for "), "{}", why(&own));
        assert!(why(&own).ends_with("; a cycle: own -> own\n"), "{}", why(&own));
        assert!(!runsvdir.stderr().contains("runsv d: "));
        // What is mended counts when somebody says so.
        fs::remove_file(c.join("wants/a")).unwrap();
        c.send(b"u");
        until_events(&sandbox, "up c, up b, up a, up d, ");
        assert_eq!(runsvdir.stderr().lines().count(), 4, "{}", runsvdir.stderr());
        end(&sandbox, runsvdir);
    });
}

#[test]
fn the_way_to_the_root_of_it_is_shown() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let _db = member(&sandbox, "db", &["disk"]).down();
    let _disk = member_that(&sandbox, "disk", &[], "exit 1").file("restart", "always limit=1/1h delay=0");
    let (_web, front) = (member(&sandbox, "web", &["db", "disk"]), member(&sandbox, "front", &["web"]));
    let _runsvdir = Mode::Each.start(&sandbox, &[]);
    let explained = |lines: &[&str]| {
        let said = why(&front);
        let plain: Vec<String> = said
            .lines()
            .map(|line| {
                let without = |c: char| c.is_ascii_digit();
                line.replace(without, "").replace("for s", "for Ns")
            })
            .collect();
        plain == lines
    };
    until("an explanation", || {
        explained(&[
            "front: down, wanted up: waits for web (down for Ns)",
            "web: down, wanted up: waits for db (down for Ns, wanted down), disk (failed)",
        ]) || explained(&[
            "front: down, wanted up: waits for web (down for Ns)",
            "web: down, wanted up: waits for disk (failed), db (down for Ns, wanted down)",
        ])
    });
}

#[test]
fn wants_are_an_order_and_no_condition() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let names = ["absent", "down", "failed", "coming"];
        let web =
            names.iter().fold(member(&sandbox, "a", &[]), |web, name| web.file(&format!("wants/{name}"), ""));
        let _down = member(&sandbox, "down", &[]).down();
        let _failed =
            member_that(&sandbox, "failed", &[], "exit").file("restart", "always limit=1/1h delay=0");
        let coming = telling(&sandbox, "coming", &[]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_waits(&web);
        until("that it waits for one only", || {
            why(&web).starts_with("a: down, wanted up: waits for coming (starting, not ready for ")
        });
        sandbox.write("scan/coming/go", "");
        web.until_up();
        // It does not go when that goes, and is not waited for.
        down(&coming);
        assert_eq!(web.status().shown(), Shown::Run);
        // Unless both are told to.
        coming.send(b"u");
        coming.until_up();
        end(&sandbox, runsvdir);
        if mode == Mode::One {
            assert!(events(&sandbox).ends_with("end a, end coming, "), "{}", events(&sandbox));
        }
    });
}

#[test]
fn a_want_whose_supervisor_is_killed_is_not_waited_for() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, other) = (telling(&sandbox, "one", &[]), member(&sandbox, "other", &[]).file("wants/one", ""));
    let runsv = one.supervise();
    one.until_up();
    let _second = other.supervise();
    until_waits(&other);
    runsv.signal(Signal::KILL);
    drop(runsv);
    other.until_up();
}

#[test]
fn a_want_that_has_no_supervisor_is_given_a_second_to_have_one() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    // What does not start by itself is not waited for, nor what nobody supervises in the end.
    let down = member(&sandbox, "down", &[]).down();
    let web = member(&sandbox, "web", &[]).file("wants/other", "").file("wants/down", "");
    let _other = member(&sandbox, "other", &[]);
    let begun = now();
    let _runsv = web.supervise();
    web.until_up();
    assert!(now() - begun >= Duration::from_millis(990));
    assert!(!down.is_supervised());
    // In that second it is found.
    let (first, second) = (telling(&sandbox, "a", &[]), member(&sandbox, "b", &[]).file("wants/a", ""));
    let (_b, _a) = (second.supervise(), first.supervise());
    first.until_up();
    let later = now();
    until("more than a second", || now() - later > Duration::from_millis(1200));
    assert_eq!(second.status().shown(), Shown::Down);
    sandbox.write("scan/a/go", "");
    second.until_up();
}

#[test]
fn a_killed_supervisor_does_not_hold_up_what_its_service_needs() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["db"]));
    let (_first, mut second) = (db.supervise(), web.supervise());
    until_events(&sandbox, "up db, up web, ");
    let stays = web.until_up();
    db.send(b"d");
    until_events(&sandbox, "up db, up web, told web, ");
    second.signal(Signal::KILL);
    second.ended();
    until_events(&sandbox, "up db, up web, told web, end db, ");
    assert!(sandbox.processes().contains(&stays));
    // The next one has taken the stop over, and the want.
    let _third = web.supervise();
    sandbox.write("scan/web/go", "");
    until_waits(&web);
    db.send(b"u");
    // It may have been told once more.
    let told = |events: String| events.replace("end db, told web, ", "end db, ");
    until("both again", || told(events(&sandbox)) == "up db, up web, told web, end db, up db, up web, ");
}

#[test]
fn the_next_supervisor_goes_on_with_a_stop_that_waits() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["db"]));
    let front = slow(&sandbox, "front", &["web"]);
    let (mut first, mut second, _third) = (db.supervise(), web.supervise(), front.supervise());
    until_events(&sandbox, "up db, up web, up front, ");
    front.until_up();
    db.send(b"d");
    until_events(&sandbox, "up db, up web, up front, told front, ");
    for runsv in [&mut first, &mut second] {
        runsv.signal(Signal::KILL);
        runsv.ended();
    }
    // One without a supervisor would not be waited for.
    let _second = web.supervise();
    let _first = db.supervise();
    sandbox.write("scan/front/go", "");
    until_events(&sandbox, "up db, up web, up front, told front, told web, ");
    sandbox.write("scan/web/go", "");
    until_events(&sandbox, "up db, up web, up front, told front, told web, end db, ");
    db.until_shown(Shown::Down);
    assert_eq!((web.status().want(), db.status().want()), ('u', 'd'));
}

#[test]
fn supervisors_find_each_other_in_whatever_order_they_come_and_go() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (telling(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    // What needs something is there first, and comes again while it waits.
    let mut second = web.supervise();
    until_waits(&web);
    second.signal(Signal::KILL);
    second.ended();
    let _second = web.supervise();
    until_waits(&web);
    // What is needed comes again before it is ready, and is taken over.
    for _ in 0..2 {
        let mut first = db.supervise();
        until_events(&sandbox, "up db, ");
        first.signal(Signal::KILL);
        first.ended();
    }
    let mut first = db.supervise();
    db.until_up();
    assert_eq!(web.status().shown(), Shown::Down);
    db.send(b"k");
    until_events(&sandbox, "up db, up db, ");
    sandbox.write("scan/db/go", "");
    until_events(&sandbox, "up db, up db, up web, ");
    web.until_up();
    // It is taken over as what it is: nobody notices.
    first.signal(Signal::KILL);
    first.ended();
    let _first = db.supervise();
    down(&db);
    until_events(&sandbox, "up db, up db, up web, end web, end db, ");
}

#[test]
fn the_end_of_runsvdir_has_a_limit() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let _db = member(&sandbox, "db", &[]);
    let deaf = "trap 'echo deaf $me >>../../events' TERM\necho >&3\nwhile :; do sleep 1000000 & wait; done";
    let web = member_that(&sandbox, "web", &["db"], deaf);
    let mut runsvdir = Mode::One.start(&sandbox, &["--timeout-kill", "300"]);
    until_events(&sandbox, "up db, up web, ");
    web.until_up();
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    // What has waited for it has its own time after that.
    assert_eq!(events(&sandbox), "up db, up web, deaf web, end db, ");
}

#[test]
fn one_that_has_left_the_scan_directory_waits_for_nobody() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = sandbox
            .service("db")
            .run("trap 'echo end db >>../events; exit' TERM\necho up db >>../events\nsleep 1000000 & wait");
        let web = member(&sandbox, "web", &["db"]);
        sandbox.scan().link(&db);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        sandbox.scan().unlink("db");
        until_events(&sandbox, "up db, up web, end db, ");
        assert_eq!(web.status().shown(), Shown::Run);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_mark_is_left_also_where_there_has_been_no_supervisor() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (member(&sandbox, "one", &[]), member(&sandbox, "two", &[]));
    fs::create_dir_all(sandbox.join("run")).unwrap();
    symlink("../../run/two", two.join("supervise")).unwrap();
    let web = member(&sandbox, "web", &["one", "two"]);
    let _runsv = web.supervise();
    until_waits(&web);
    until("marks", || shows(&one, "needed/web") && sandbox.join("run/two/needed/web").exists());
    let (_one, _two) = (one.supervise(), two.supervise());
    web.until_up();
    // Who does not need it any more is forgotten, and not waited for.
    fs::remove_file(web.join("needs/two")).unwrap();
    down(&two);
    assert!(!shows(&two, "needed/web"));
    assert_eq!(web.status().shown(), Shown::Run);
}

#[test]
fn a_start_that_is_being_prepared_is_put_off_when_what_it_needs_goes() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]);
        let script = "echo preparing >>../../events\nuntil test -e go; do sleep 0.01; done";
        let web = member(&sandbox, "web", &["db"]).script("control/u", script);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, preparing, ");
        down(&db);
        assert_eq!(events(&sandbox), "up db, preparing, end db, ");
        sandbox.write("scan/web/go", "");
        until_waits(&web);
        db.send(b"u");
        until_events(&sandbox, "up db, preparing, end db, up db, preparing, up web, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_file_that_is_no_directory_means_nothing() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let web = member(&sandbox, "web", &[]).file("needs", "db\n").file("wants", "db\n");
    let runsv = web.supervise();
    web.until_up();
    assert_eq!(why(&web), format!("{}: waits for nothing\n", web.join("").display()));
    assert_eq!(runsv.stderr(), "");
}
