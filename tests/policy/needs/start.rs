//! Starts that wait, and what is said of them.

use super::*;

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

/// web, which waits for db, which has been started and is not ready.
fn waiting(mode: Mode, sandbox: &Sandbox) -> (Service<'_>, Running) {
    let _db = telling(sandbox, "db", &[]);
    let web = member(sandbox, "web", &["db"]);
    let runsvdir = mode.start(sandbox, &[]);
    until_waits(&web);
    until_events(sandbox, "up db, ");
    until("that db is not ready", || why(&web).contains("waits for db (starting, not ready for "));
    (web, runsvdir)
}

#[test]
fn in_one_process_all_that_have_waited_are_started_before_one_is_shown() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let _db = telling(&sandbox, "db", &[]);
    let waiting = ["a", "b", "c"].map(|name| member(&sandbox, name, &["db"]));
    let mut strace = sandbox.command("strace");
    strace.args(["-D", "-qq", "-o", "trace", "-e", "signal=none", "-e", "trace=openat,vfork"]);
    strace.args(["runsvdir", "--in-process", "scan"]);
    let runsvdir = sandbox.start(strace);
    waiting.iter().for_each(until_waits);
    sandbox.write("scan/db/go", "");
    waiting.iter().for_each(|service| _ = service.until_up());
    let trace = sandbox.read("trace");
    let since = trace.find("\"supervise/ready\"").expect("that db is ready is shown");
    let kind = |line: &str| match line {
        line if line.starts_with("vfork(") => "start ",
        line if line.contains("supervise/pid.new") => "show ",
        _ => "",
    };
    let made: String = trace[since..].lines().map(kind).collect();
    assert_eq!(made, "start start start show show show ");
    end(&sandbox, runsvdir);
}

#[test]
fn one_that_tells_is_waited_for_until_it_is_ready() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (web, runsvdir) = waiting(mode, &sandbox);
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
fn one_that_does_not_need_it_any_more_starts_when_it_is_ready_at_last() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (web, runsvdir) = waiting(mode, &sandbox);
        // Nobody tells of that.
        fs::remove_file(web.join("needs/db")).unwrap();
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, up web, ");
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

/// What sv prints in the service directory, of which the shell thinks that it is this.
fn within(sandbox: &Sandbox, shell: &str, arguments: &[&str]) -> String {
    let mut command = sandbox.command("sv");
    command.args(arguments).current_dir(sandbox.join("scan/web")).env("PWD", sandbox.join(shell));
    String::from_utf8(command.output().unwrap().stdout).unwrap()
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
        for path in [".", "./", ".//./"] {
            assert_eq!(within(&sandbox, "scan/web", &["why", path]), why(&web));
        }
        let line = within(&sandbox, "scan/web", &["status", "."]);
        assert!(line.ends_with(", want up, warning: needs net, which is missing\n"), "{line}");
        assert_eq!(
            within(&sandbox, "scan", &["why", "."]),
            "warning: .: unable to look at needs and wants: invalid argument\n"
        );
        let net = sandbox.service("net").run("echo up net >>../events\necho >&3\nexec sleep 1000000");
        let net = net.file("notification-fd", "3");
        sandbox.scan().link(&net);
        until_events(&sandbox, "up net, up web, ");
        assert_eq!(runsvdir.stderr().lines().count(), 1);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn what_is_no_service_is_missing_too() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let needs = ["file", "loop", "t@"];
        let web = member(&sandbox, "web", &needs);
        sandbox.write("scan/file", "");
        symlink("loop", sandbox.join("scan/loop")).unwrap();
        sandbox.service("scan/t@").run_forever();
        let runsvdir = mode.start(&sandbox, &[]);
        for name in needs {
            until_said_by(
                &runsvdir,
                &format!("runsv web: warning: needs: {name} is missing, waiting for it"),
            );
        }
        let line = String::from_utf8(web.sv(&["status"]).stdout).unwrap();
        assert_eq!(line.matches(", which is missing").count(), 3, "{line}");
        assert!(!sandbox.join("scan/t@/supervise").exists());
        let ours = runsvdir.stderr();
        let ours = ours.lines().filter(|line| line.starts_with("runsv web: ")).count();
        assert_eq!(ours, 3, "{}", runsvdir.stderr());
        end(&sandbox, runsvdir);
    });
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
        until("both to have begun", || {
            let events = events(&sandbox);
            events.contains("up a, ") && events.matches("up coming, ").count() == 2
        });
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
