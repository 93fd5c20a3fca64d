//! Stops that wait.

use super::*;

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
fn one_whose_control_t_takes_over_is_killed_in_its_time() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]);
        let web = member(&sandbox, "web", &["db"]).file("timeout-kill", "200").script("control/t", "exit 0");
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        down(&db);
        assert_eq!(events(&sandbox), "up db, up web, end db, ");
        until_waits(&web);
        assert!(runsvdir.stderr().contains("web: warning: service does not end in time, sending KILL"));
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
        until("that the stop is over", || !shows(&db, "leaving"));
        assert_eq!(web.status().pid(), stays);
        sandbox.write("scan/web/go", "");
        web.until_shown(Shown::Down);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn nor_does_a_supervisor_whose_service_was_killed() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["db"]));
    let (mut first, _second) = (db.supervise(), web.supervise());
    until_events(&sandbox, "up db, up web, ");
    let stays = web.until_up();
    db.send(b"x");
    until_events(&sandbox, "up db, up web, told web, ");
    db.send(b"k");
    assert_eq!(first.ended().code(), Some(0));
    assert_eq!(web.status().pid(), stays);
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
        until("that it is known", || db.status().want() == 'd');
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
        until("that it is known", || web.status().want() == 'd');
        db.send(b"d");
        until("that it waits", || why(&db) == "db: wanted down: waits for web (stopping) to stop\n");
        assert!(!db.status().term());
        sandbox.write("scan/web/go", "");
        until_events(&sandbox, "up db, up web, told web, end db, ");
        end(&sandbox, runsvdir);
    });
}

/// Starts a supervisor, of which the signals are written down that it sends.
fn watched(sandbox: &Sandbox, supervisor: &[&str]) -> Running {
    let mut strace = sandbox.command("strace");
    strace.args(["-D", "-qq", "-o", "trace", "-e", "signal=none", "-e", "trace=kill,pidfd_send_signal"]);
    strace.args(supervisor);
    sandbox.start(strace)
}

/// How often a process has been sent TERM: two in a row would be one to it.
fn terms(sandbox: &Sandbox, pid: i32) -> usize {
    sandbox.read("trace").lines().filter(|line| line.starts_with(&format!("kill({pid}, SIGTERM)"))).count()
}

/// A service that does not end for TERM.
const DEAF: &str = "trap 'echo term >>../../events' TERM\necho >&3\nwhile :; do sleep 1000000 & wait; done";

#[test]
fn one_that_ends_for_another_gets_one_term_also_if_it_is_told_to_stop_itself() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), member_that(&sandbox, "web", &["db"], DEAF));
        let (_runsv, _watched) = match mode {
            Mode::Each => (Some(db.supervise()), watched(&sandbox, &["runsv", "scan/web"])),
            Mode::One => (None, watched(&sandbox, &["runsvdir", "--in-process", "scan"])),
        };
        until_events(&sandbox, "up db, up web, ");
        let first = web.until_up();
        db.send(b"d");
        until("its TERM", || web.status().term() && events(&sandbox) == "up db, up web, term, ");
        web.send(b"d");
        until("that it is known", || web.status().want() == 'd');
        web.send(b"k");
        until_events(&sandbox, "up db, up web, term, end db, ");
        assert_eq!(terms(&sandbox, first), 1);
        // Another one for another stop.
        db.until_shown(Shown::Down);
        web.send(b"u");
        db.send(b"u");
        until_events(&sandbox, "up db, up web, term, end db, up db, up web, ");
        let second = web.until_up();
        web.send(b"d");
        until_events(&sandbox, "up db, up web, term, end db, up db, up web, term, ");
        web.send(b"k");
        web.until_shown(Shown::Down);
        assert_eq!(terms(&sandbox, second), 1);
    });
}

#[test]
fn one_that_is_called_up_while_it_stops_is_not_about_to_stop_when_it_comes_back() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (slow(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        // So that it is started again at once.
        let up = std::time::Instant::now();
        until("that it has run for a second", || up.elapsed() > Duration::from_millis(1100));
        db.send(b"d");
        until_events(&sandbox, "up db, up web, end web, told db, ");
        db.send(b"u");
        until("that it is known", || db.status().want() == 'u');
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, up web, end web, told db, up db, up web, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn many_orders_to_stop_are_one_term() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member_that(&sandbox, "db", &[], DEAF), slow(&sandbox, "web", &["db"]));
    let (mut runsv, _second) = (watched(&sandbox, &["runsv", "scan/db"]), web.start());
    until_events(&sandbox, "up db, up web, ");
    let pid = db.until_up();
    web.until_up();
    db.send(b"d");
    until_events(&sandbox, "up db, up web, told web, ");
    db.send(b"ddx");
    sandbox.write("scan/web/go", "");
    until_events(&sandbox, "up db, up web, told web, term, ");
    db.send(b"k");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(terms(&sandbox, pid), 1);
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
            .run(&format!("trap 'echo end db >>../events; exit' TERM\necho up db >>../events\n{STAYS}"))
            .file("notification-fd", "3");
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
