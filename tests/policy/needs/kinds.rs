//! Services of other kinds that are needed, or need: one-shots, instances of templates, and those that run once.

use super::*;

#[test]
fn a_one_shot_is_there_when_setup_has_ended_and_is_taken_back_last() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let setup = "echo set up >>../../events; until test -e go; do sleep 0.01; done";
        let net = sandbox.service("scan/net").script("setup", setup).finish("echo undone >>../../events");
        let web = member(&sandbox, "web", &["net"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "set up, ");
        until_waits(&web);
        until("what it waits for", || why(&web).contains("waits for net (starting, not ready for "));
        sandbox.write("scan/net/go", "");
        until_events(&sandbox, "set up, up web, ");
        web.until_up();
        net.send(b"d");
        until_events(&sandbox, "set up, up web, end web, undone, ");
        until_waits(&web);
        net.send(b"u");
        until_events(&sandbox, "set up, up web, end web, undone, set up, up web, ");
        web.until_up();
        end(&sandbox, runsvdir);
        assert_eq!(events(&sandbox), "set up, up web, end web, undone, set up, up web, end web, undone, ");
    });
}

#[test]
fn a_one_shot_needs_others_too() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = telling(&sandbox, "db", &[]);
        let init = sandbox
            .service("scan/init")
            .script("setup", "echo set up >>../../events")
            .finish("echo undone >>../../events")
            .file("needs/db", "");
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until_waits(&init);
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, set up, ");
        until("that it is ready", || shows(&init, "ready"));
        db.send(b"d");
        until_events(&sandbox, "up db, set up, undone, end db, ");
        until_waits(&init);
        db.send(b"u");
        until_events(&sandbox, "up db, set up, undone, end db, up db, set up, ");
        until("that it is ready", || shows(&init, "ready"));
        end(&sandbox, runsvdir);
        let ending = "undone, end db, ";
        assert_eq!(events(&sandbox), format!("up db, set up, {ending}up db, set up, {ending}"));
    });
}

/// A template with these needs, and an instance of it in the scan directory, as it is seen by its state.
fn instance<'s>(sandbox: &'s Sandbox, does: &str, needs: &[&str]) -> Service<'s> {
    let template = sandbox
        .service("tty@")
        .run(&format!("me=$1\n{}\n{does}", format!("{TELLS}\n{UP}").replace("../../", "../")));
    let template = template.file("notification-fd", "3");
    needs.iter().fold(template, |template, need| template.file(&format!("needs/{need}"), ""));
    sandbox.scan();
    symlink("../tty@", sandbox.join("scan/tty@one")).unwrap();
    Service { sandbox, name: "tty@/instances/one".into() }
}

/// What `sv why` says of one of the scan directory.
fn why_of(sandbox: &Sandbox, name: &str) -> String {
    let output =
        sandbox.command("sv").args(["why", name]).env("SVDIR", sandbox.join("scan")).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_instance_of_a_template_is_needed_by_its_name() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let tty = instance(&sandbox, &format!("until test -e go; do sleep 0.01; done\n{STAYS}"), &[]);
        let web = member(&sandbox, "web", &["tty@one"]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up one, ");
        until_waits(&web);
        until("what it waits for", || why(&web).contains("waits for tty@one (starting, not ready for "));
        sandbox.write("tty@/go", "");
        until_events(&sandbox, "up one, up web, ");
        web.until_up();
        assert!(shows(&tty, "needed/web"));
        tty.send(b"d");
        until_events(&sandbox, "up one, up web, end web, end one, ");
        until_waits(&web);
        tty.send(b"u");
        until_events(&sandbox, "up one, up web, end web, end one, up one, up web, ");
        web.until_up();
        end(&sandbox, runsvdir);
        assert!(events(&sandbox).ends_with("up web, end web, end one, "), "{}", events(&sandbox));
    });
}

#[test]
fn an_instance_of_a_template_needs_what_the_template_needs() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let tty = instance(&sandbox, STAYS, &["db"]);
        let db = telling(&sandbox, "db", &[]);
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until("that it waits", || why_of(&sandbox, "tty@one").contains("down, wanted up: waits for db ("));
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, up one, ");
        until("that it is ready", || shows(&tty, "ready"));
        assert!(shows(&db, "needed/tty@one") && shows(&tty, "needing"));
        db.send(b"d");
        until_events(&sandbox, "up db, up one, end one, end db, ");
        db.send(b"u");
        until_events(&sandbox, "up db, up one, end one, end db, up db, up one, ");
        until("that it is ready", || shows(&tty, "ready"));
        end(&sandbox, runsvdir);
        assert!(events(&sandbox).ends_with("up one, end one, end db, "), "{}", events(&sandbox));
    });
}

#[test]
fn one_that_is_to_run_once_waits_like_the_others_and_says_so() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (_db, job) = (telling(&sandbox, "db", &[]), member(&sandbox, "job", &["db"]).down());
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until("its supervisor", || job.is_supervised());
        job.send(b"o");
        until("that it waits", || why(&job).contains("job: down, wanted up: waits for db ("));
        sandbox.write("scan/db/go", "");
        until_events(&sandbox, "up db, up job, ");
        end(&sandbox, runsvdir);
        assert!(events(&sandbox).ends_with("up job, end job, end db, "), "{}", events(&sandbox));
    });
}

#[test]
fn what_is_no_value_for_a_service_is_none_for_those_that_need_it() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let db = member(&sandbox, "db", &[]).file("notification-fd", &format!("3{}x", " ".repeat(100)));
        let web = member_that(&sandbox, "web", &["db"], "exec sleep 1000000");
        let runsvdir = mode.start(&sandbox, &[]);
        db.until_up();
        web.until_up();
        end(&sandbox, runsvdir);
    });
}

#[test]
fn sv_does_not_take_a_start_that_waits_for_one() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let db = member(&sandbox, "db", &[]).down();
    let web = member(&sandbox, "web", &["db"]);
    let _first = db.supervise();
    let mut command = sandbox.command("sv");
    command.args(["-w", "60", "once", "scan/web/"]);
    let mut sv = sandbox.start(command);
    let state = |pid| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    until("an sv that waits", || state(sv.pid()).contains("(sv) S"));
    let _second = web.supervise();
    until_waits(&web);
    assert!(sv.lives());
    db.send(b"u");
    assert_eq!(sv.ended().code(), Some(0));
    web.until_up();
}
