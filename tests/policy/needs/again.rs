//! Services that die, and supervisors that are killed and come again.

use super::*;

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
