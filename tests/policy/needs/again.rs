//! Supervisors that come, go and are killed, and system calls that fail.

use super::*;
use crate::policy::again::replace;

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
    let _second = disturbed(&sandbox, "scan/web", "supervise/needing", "delay_enter=1500000");
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
fn who_is_first_heard_of_when_a_start_is_prepared_is_not_forgotten() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let prepares = "echo $$ >preparing; until test -e go; do sleep 0.01; done";
    let db = db.script("control/u", prepares);
    let first = db.supervise();
    db.until_lines("preparing", 1);
    let script: i32 = db.read("preparing").trim().parse().unwrap();
    // It hears of both at once.
    first.signal(Signal::STOP);
    let _second = web.supervise();
    until_waits(&web);
    until("what it is told", || db.unread() > 0);
    sandbox.write("scan/db/go", "");
    until("the end of the script", || state_of(script) == 'Z');
    first.signal(Signal::CONT);
    until_events(&sandbox, "up db, up web, ");
}

fn state_of(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap()
}

#[test]
fn without_a_mark_a_service_starts_and_says_so() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    // There can be no directory for it.
    let db = db.file("supervise/needed", "");
    let _first = db.supervise();
    until("that it is ready", || shows(&db, "ready"));
    let second = web.supervise();
    web.until_up();
    until("a word", || {
        second.stderr() == "runsv scan/web: warning: unable to look at needs and wants: not a directory\n"
    });
    web.send(b"x");
    until("its end", || !web.is_supervised());
}

#[test]
fn what_cannot_be_looked_at_is_looked_at_again() {
    if only_svbox("needs") {
        return;
    }
    std::thread::scope(|scope| {
        for path in ["scan/", "supervise/needed", "web/supervise/control"] {
            for number in 1..9 {
                scope.spawn(move || stop_and_start_without_descriptors(path, number));
            }
        }
    });
}

/// Starts a supervisor to which something is done when it opens a path.
fn disturbed(sandbox: &Sandbox, service: &str, path: &str, what: &str) -> Running {
    let mut strace = sandbox.command("strace");
    strace.args(["-D", "-qq", "-o", "trace", "-e", "signal=none", "-P", path, "-e", "trace=openat"]);
    strace.arg(format!("--inject=openat:{what}")).args(["runsv", service]);
    sandbox.start(strace)
}

/// There are none when db opens this for that time: it is tried again, and the order is kept, then and after that.
fn stop_and_start_without_descriptors(path: &str, number: u32) {
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let _runsv = disturbed(&sandbox, "scan/db", path, &format!("error=EMFILE:when={number}"));
    let _second = web.supervise();
    let mut wanted = "up db, up web, ".to_owned();
    until_events(&sandbox, &wanted);
    web.until_up();
    let mut has_been = false;
    while !has_been {
        has_been = sandbox.read("trace").contains("(INJECTED)");
        assert!(wanted.len() < 1000, "not so often: {number}, {path}");
        down(&db);
        until_waits(&web);
        db.send(b"u");
        wanted += "end web, end db, up db, up web, ";
        until_events(&sandbox, &wanted);
        web.until_up();
    }
}

#[test]
fn that_a_service_is_ready_is_shown_when_that_is_possible() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let runsv = disturbed(&sandbox, "scan/db", "supervise/ready", "error=ENOSPC:when=1");
    let _second = web.supervise();
    web.until_up();
    assert!(shows(&db, "ready"));
    assert!(runsv.stderr().contains("warning: unable to open supervise/ready: out of disk space\n"));
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
    // The next supervisor knows of the TERM what is shown of it.
    until("that it is shown", || web.status().term());
    second.signal(Signal::KILL);
    second.ended();
    until_events(&sandbox, "up db, up web, told web, end db, ");
    assert!(sandbox.processes().contains(&stays));
    // The next one has taken the stop over, and the want.
    let _third = web.supervise();
    sandbox.write("scan/web/go", "");
    until_waits(&web);
    db.send(b"u");
    until_events(&sandbox, "up db, up web, told web, end db, up db, up web, ");
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
    // What others see first is not what the next supervisor goes by.
    until("that it is known", || db.status().want() == 'd');
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
fn who_was_about_to_stop_for_one_that_is_down_by_now_stops_under_the_next_supervisor() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let front = slow(&sandbox, "front", &["web"]);
    let (_first, mut second, _third) = (db.supervise(), web.supervise(), front.supervise());
    let up = "up db, up web, up front, ";
    until_events(&sandbox, up);
    front.until_up();
    db.send(b"d");
    until_events(&sandbox, &format!("{up}told front, "));
    second.signal(Signal::KILL);
    second.ended();
    // One without a supervisor is not waited for.
    until_events(&sandbox, &format!("{up}told front, end db, "));
    db.until_shown(Shown::Down);
    let _second = web.supervise();
    sandbox.write("scan/front/go", "");
    until_events(&sandbox, &format!("{up}told front, end db, end web, "));
    until_waits(&web);
    until_waits(&front);
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
fn a_directory_that_takes_the_place_of_another_knows_who_needs_it() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
        copy(&sandbox);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        until("that both are ready", || shows(&db, "ready") && shows(&web, "ready"));
        replace(&sandbox, &runsvdir, "scan/db", "next/db");
        until("that it is supervised", || db.is_supervised() && shows(&db, "ready"));
        db.send(b"d");
        until_events(&sandbox, "up db, up web, end web, end db, ");
        until_waits(&web);
        db.send(b"u");
        until_events(&sandbox, "up db, up web, end web, end db, up db, up web, ");
        web.until_up();
        end(&sandbox, runsvdir);
    });
}
