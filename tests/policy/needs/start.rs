//! Starts that wait.

use super::*;

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
