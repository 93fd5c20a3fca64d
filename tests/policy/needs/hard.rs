//! What comes in the middle of a stop or of a start, and marks that are not what they should be.

use super::*;
use crate::policy::again::replace;
use rustix::process::{Pid, kill_process};
use std::os::unix::fs::PermissionsExt;

/// A one-shot in the scan directory that writes down its work and the end of it.
fn one_shot<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    let service = sandbox
        .service(&format!("scan/{name}"))
        .script("setup", &format!("echo set {name} >>../../events"))
        .finish(&format!("echo undone {name} >>../../events"));
    needs.iter().fold(service, |service, need| service.file(&format!("needs/{need}"), ""))
}

#[test]
fn a_one_shot_that_is_told_to_stop_is_up_until_its_turn_and_stays_if_it_is_called_up() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let net = one_shot(&sandbox, "net", &[]).file("kill-scope", "tree");
        let net = net.script("setup", "echo set net >>../../events; sleep 1000003 &");
        let web = slow(&sandbox, "web", &["net"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "set net, up web, ");
        web.until_up();
        net.send(b"d");
        until_events(&sandbox, "set net, up web, told web, ");
        until("that it is known", || net.status().want() == 'd');
        assert_eq!(net.status().shown(), Shown::Run);
        assert!(shows(&net, "ready") && sandbox.running("sleep 1000003").len() == 1);
        net.send(b"u");
        until("that it stays", || net.status().want() == 'u');
        sandbox.write("scan/web/go", "");
        until_events(&sandbox, "set net, up web, told web, up web, ");
        web.until_up();
        net.send(b"d");
        until_events(&sandbox, "set net, up web, told web, up web, told web, undone net, ");
        assert!(sandbox.running("sleep 1000003").is_empty());
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_one_shot_that_is_up_has_its_ties_under_the_next_supervisor_too() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, net) = (member(&sandbox, "db", &[]), one_shot(&sandbox, "net", &["db"]));
    let web = slow(&sandbox, "web", &["net"]);
    let (_first, mut second, _third) = (db.supervise(), net.supervise(), web.supervise());
    until_events(&sandbox, "up db, set net, up web, ");
    web.until_up();
    second.signal(Signal::KILL);
    second.ended();
    let _second = net.supervise();
    assert!(shows(&net, "ready") && shows(&net, "needing"));
    db.send(b"d");
    until_events(&sandbox, "up db, set net, up web, told web, ");
    until("that it waits too", || shows(&net, "leaving"));
    assert_eq!(net.status().shown(), Shown::Run);
    sandbox.write("scan/web/go", "");
    until_events(&sandbox, "up db, set net, up web, told web, undone net, end db, ");
}

#[test]
fn one_in_the_middle_that_dies_while_it_waits_holds_up_nobody() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, app) = (member(&sandbox, "db", &[]), member(&sandbox, "app", &["db"]));
        let web = slow(&sandbox, "web", &["app"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up app, up web, ");
        web.until_up();
        let pid = app.until_up();
        until_old();
        db.send(b"d");
        until_events(&sandbox, "up db, up app, up web, told web, ");
        kill(pid, Signal::KILL);
        until("its death to be known", || app.status().pid() == 0);
        sandbox.write("scan/web/go", "");
        until_events(&sandbox, "up db, up app, up web, told web, end db, ");
        until_waits(&app);
        until("that nothing is left", || !shows(&app, "leaving") && !shows(&app, "needing"));
        db.send(b"u");
        until_events(&sandbox, "up db, up app, up web, told web, end db, up db, up app, up web, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn marks_and_fifos_that_lead_elsewhere_are_not_followed() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let secret = sandbox.write("secret/passwd", "root");
        let (db, web) = (telling(&sandbox, "db", &[]), member(&sandbox, "web", &["db", "evil"]));
        let evil = sandbox.service("scan/evil");
        for name in ["scan/db/supervise", "scan/evil/supervise"] {
            fs::create_dir_all(sandbox.join(name)).unwrap();
        }
        // Nothing else keeps the control of the other from being written to.
        symlink("../../../secret", db.join("supervise/needed")).unwrap();
        symlink("../../../secret/passwd", evil.join("supervise/control")).unwrap();
        let runsvdir = mode.start(&sandbox, &[]);
        until("a word", || {
            runsvdir.stderr().contains("runsv web: warning: unable to look at needs and wants: ")
        });
        db.until_up();
        symlink("../../../secret/made", db.join("supervise/ready")).unwrap();
        sandbox.write("scan/db/go", "");
        until("another", || {
            runsvdir.stderr().contains("runsv db: warning: unable to open supervise/ready: ")
        });
        down(&db);
        until_waits(&web);
        assert_eq!(fs::read_to_string(secret).unwrap(), "root");
        let names = fs::read_dir(sandbox.join("secret")).unwrap().count();
        assert_eq!(names, 1, "{mode:?}");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_runs_once_and_only_wants_another_is_not_waited_for() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]);
        let job = member(&sandbox, "job", &[]).file("wants/db", "").down();
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until("its supervisor", || job.is_supervised());
        job.send(b"o");
        until_events(&sandbox, "up db, up job, ");
        job.until_up();
        down(&db);
        assert_eq!(events(&sandbox), "up db, up job, end db, ");
        assert_eq!(job.status().shown(), Shown::Run);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_is_called_up_again_is_not_waited_for_any_more() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]);
        let app = member(&sandbox, "app", &[]).file("wants/db", "");
        let web = slow(&sandbox, "web", &["app"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up app, up web, ");
        web.until_up();
        app.send(b"d");
        until_events(&sandbox, "up db, up app, up web, told web, ");
        db.send(b"d");
        until("that it waits", || why(&db).starts_with("db: wanted down: waits for app ("));
        app.send(b"u");
        db.until_shown(Shown::Down);
        assert_eq!(events(&sandbox), "up db, up app, up web, told web, end db, ");
        sandbox.write("scan/web/go", "");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn what_a_directory_showed_when_it_was_in_use_before_does_not_count() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (telling(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
        copy(&sandbox);
        sandbox.write("scan/db/go", "");
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        let first = db.until_up();
        until("both ready", || shows(&db, "ready") && shows(&web, "ready") && shows(&web, "needing"));
        let replace_both = || {
            for name in ["db", "web"] {
                replace(&sandbox, &runsvdir, &format!("scan/{name}"), &format!("next/{name}"));
            }
        };
        replace_both();
        until("both there", || db.is_supervised() && web.is_supervised() && shows(&db, "ready"));
        down(&web);
        db.send(b"t");
        db.until_up_again(first);
        until("that neither shows", || !shows(&db, "ready") && !shows(&web, "needing"));
        fs::remove_file(sandbox.join("next/db/go")).unwrap();
        replace_both();
        until("that nothing of it counts", || {
            db.is_supervised() && web.is_supervised() && !shows(&db, "ready") && !shows(&web, "needing")
        });
        web.send(b"u");
        until_waits(&web);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_pauses_ends_for_another_all_the_same() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        web.send(b"p");
        until("that it pauses", || web.status().paused());
        down(&db);
        assert_eq!(events(&sandbox), "up db, up web, end web, end db, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_whose_script_has_taken_over_its_term_is_not_about_to_stop_for_ever() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]);
        let app = member(&sandbox, "app", &["db"]).script("control/t", "echo >>asked");
        let web = member(&sandbox, "web", &["app"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up app, up web, ");
        let stays = app.until_up();
        web.until_up();
        db.send(b"d");
        app.until_lines("asked", 1);
        assert!(shows(&app, "leaving"));
        db.send(b"u");
        until("that it is over", || !shows(&app, "leaving") && !shows(&db, "leaving"));
        until_events(&sandbox, "up db, up app, up web, end web, up web, ");
        assert_eq!(app.status().pid(), stays);
        fs::remove_file(app.join("control/t")).unwrap();
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_can_be_needed_by_another_of_its_names() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (telling(&sandbox, "db", &[]), member(&sandbox, "web", &["mysql"]));
        symlink("db", sandbox.join("scan/mysql")).unwrap();
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until_waits(&web);
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        down(&db);
        assert_eq!(events(&sandbox), "up db, up web, end web, end db, ");
        drop(runsvdir);
    });
}

#[test]
fn a_service_that_depends_on_nothing_any_more_is_not_waited_for() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]));
    let (_first, mut second) = (db.supervise(), web.supervise());
    until_events(&sandbox, "up db, up web, ");
    web.until_up();
    fs::remove_dir_all(web.join("needs")).unwrap();
    second.signal(Signal::KILL);
    second.ended();
    let _second = web.supervise();
    until("that it needs nobody", || !shows(&web, "needing"));
    down(&db);
    assert_eq!(web.status().shown(), Shown::Run);
}

#[test]
fn a_mark_that_cannot_be_looked_at_holds_up_nobody() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]).file("supervise/needed/loop", "");
        symlink("loop", sandbox.join("scan/loop")).unwrap();
        let web = member(&sandbox, "web", &["db"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        down(&db);
        assert_eq!(events(&sandbox), "up db, up web, end web, end db, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn at_the_end_one_that_is_needed_has_as_much_time_as_those_that_need_it() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let db = member(&sandbox, "db", &[]).finish("echo killed by $2 >>../../events");
    let deaf = "trap 'echo deaf $me >>../../events' TERM\necho >&3\nwhile :; do sleep 1000000 & wait; done";
    let web = member_that(&sandbox, "web", &["db"], deaf).file("timeout-kill", "3000");
    let mut runsvdir = Mode::One.start(&sandbox, &["--timeout-kill", "100"]);
    until_events(&sandbox, "up db, up web, ");
    db.until_up();
    web.until_up();
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!(events(&sandbox), "up db, up web, deaf web, end db, killed by 0, ");
}

#[test]
fn one_that_waits_for_its_log_service_holds_up_nobody() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (member(&sandbox, "db", &[]), member(&sandbox, "web", &["db"]).logged());
        let log = Service { sandbox: &sandbox, name: "scan/web/log".into() };
        let mut other = log.supervise();
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until("that it is about to start", || shows(&web, "needing"));
        down(&db);
        until("that it waits for that", || !shows(&web, "needing"));
        other.signal(Signal::TERM);
        other.ended();
        until("its own logger", || web.log_status().pid() != 0);
        until_waits(&web);
        db.send(b"u");
        until_events(&sandbox, "up db, end db, up db, up web, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_whose_stop_waits_still_hears_other_orders() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let hears = format!("trap 'echo hup >>../../events' HUP\necho >&3\n{}", LOOPS);
        let db = member_that(&sandbox, "db", &[], &hears);
        let web = slow(&sandbox, "web", &["db"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, up web, ");
        web.until_up();
        db.send(b"d");
        until_events(&sandbox, "up db, up web, told web, ");
        db.send(b"h");
        until_events(&sandbox, "up db, up web, told web, hup, ");
        sandbox.write("scan/web/go", "");
        until_events(&sandbox, "up db, up web, told web, hup, end db, ");
        end(&sandbox, runsvdir);
    });
}

const LOOPS: &str = "while :; do sleep 1000000 & wait; done";

#[test]
fn names_may_be_as_long_as_names_can_be() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let argument = "a".repeat(250);
        let template = sandbox
            .service("t@")
            .run(&format!("me=one\n{}\n{STAYS}", format!("{TELLS}\n{UP}").replace("../../", "../")));
        template.file("notification-fd", "3");
        sandbox.scan();
        symlink("../t@", sandbox.join(format!("scan/t@{argument}"))).unwrap();
        let web = member(&sandbox, &"w".repeat(255), &[]).file(&format!("needs/t@{argument}"), "");
        let web = web.run(&format!("me=web\n{TELLS}\n{UP}\n{STAYS}"));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up one, up web, ");
        web.until_up();
        let one = Service { sandbox: &sandbox, name: format!("t@/instances/{argument}") };
        one.send(b"d");
        until_events(&sandbox, "up one, up web, end web, end one, ");
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_whose_stop_waits_need_not_become_ready_any_more() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let does = format!("test -e again && until test -e go; do sleep 0.01; done\n{STAYS}");
    let db = member_that(&sandbox, "db", &[], &does)
        .file("timeout-ready", "1500")
        .file("restart", "always delay=0");
    let web = slow(&sandbox, "web", &["db"]);
    let (db_runsv, _web) = (db.supervise(), web.supervise());
    until_events(&sandbox, "up db, up web, ");
    web.until_up();
    sandbox.write("scan/db/again", "");
    let pid = db.until_up();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    until_events(&sandbox, "up db, up web, up db, ");
    let again = db.until_up_again(pid);
    db.send(b"d");
    until_events(&sandbox, "up db, up web, up db, told web, ");
    // As long as it may have had, and more.
    let begin = std::time::Instant::now();
    until("that its time would be over", || begin.elapsed() > Duration::from_secs(2));
    assert_eq!((db.status().pid(), db.status().shown()), (again, Shown::Run));
    sandbox.write("scan/web/go", "");
    until_events(&sandbox, "up db, up web, up db, told web, end db, ");
    assert_eq!(times_said(&db_runsv, "sending KILL"), 0);
}

#[test]
fn one_that_may_not_be_looked_at_holds_nobody_up() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["db"]));
    // Without root's right to pass over modes.
    let mut setpriv = sandbox.command("setpriv");
    setpriv.args(["--bounding-set", "-dac_override,-dac_read_search", "runsv", &db.name]);
    let _db = if rustix::process::geteuid().is_root() { sandbox.start(setpriv) } else { db.start() };
    let _web = web.supervise();
    until_events(&sandbox, "up db, up web, ");
    web.until_up();
    let mode = |mode| fs::set_permissions(web.join(""), fs::Permissions::from_mode(mode)).unwrap();
    mode(0);
    db.send(b"d");
    until_events(&sandbox, "up db, up web, end db, ");
    mode(0o755);
}
