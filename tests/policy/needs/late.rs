//! What changes for those that wait, or run, without anybody having told them.

use super::*;

/// A service of which nothing tells when it is ready, beside the scan directory.
fn plain<'s>(sandbox: &'s Sandbox, name: &str) -> Service<'s> {
    sandbox.service(name).run_forever()
}

/// Gives a name in the scan directory to a directory beside it.
fn lead(sandbox: &Sandbox, name: &str, to: &str) {
    symlink(format!("../{to}"), sandbox.join("next")).unwrap();
    fs::rename(sandbox.join("next"), sandbox.join(format!("scan/{name}"))).unwrap();
}

/// One that needs `db`, without saying anything itself.
fn web(sandbox: &Sandbox) -> Service<'_> {
    plain(sandbox, "scan/web").file("needs/db", "")
}

#[track_caller]
fn until_up_again(service: &Service<'_>, old: i32) {
    until("that it is up again", || ![0, old].contains(&service.status().pid()));
}

#[test]
fn the_first_file_of_a_service_that_runs_keeps_nobody_waiting() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (plain(&sandbox, "scan/db"), web(&sandbox));
        let runsvdir = mode.start(&sandbox, &[]);
        let pid = web.until_up();
        let _db = db.file("notify-socket", "");
        until_old();
        kill(pid, Signal::KILL);
        until_up_again(&web, pid);
        assert!(shows(&web, "../../db/supervise/ready"));
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_has_no_longer_to_say_that_it_is_ready_is() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (telling(&sandbox, "db", &[]), web(&sandbox));
        let runsvdir = mode.start(&sandbox, &[]);
        until_events(&sandbox, "up db, ");
        until_waits(&web);
        fs::remove_file(db.join("notification-fd")).unwrap();
        db.send(b"c");
        web.until_up();
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_name_that_leads_to_another_service_is_looked_at() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (one, two, web) = (plain(&sandbox, "one").down(), plain(&sandbox, "two"), web(&sandbox));
        lead(&sandbox, "db", "one");
        let runsvdir = mode.start(&sandbox, &[]);
        until_waits(&web);
        until("its mark", || shows(&one, "needed/web"));
        lead(&sandbox, "db", "two");
        until("that it is up", || two.is_supervised());
        web.until_up();
        end(&sandbox, runsvdir);
    });
}

#[test]
fn one_that_runs_stops_with_the_other_service_that_has_the_name_now() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (_one, two, web) = (plain(&sandbox, "one"), plain(&sandbox, "two"), web(&sandbox));
        lead(&sandbox, "db", "one");
        let runsvdir = mode.start(&sandbox, &[]);
        web.until_up();
        lead(&sandbox, "db", "two");
        until("its mark", || shows(&two, "needed/web"));
        two.until_up();
        two.send(b"d");
        until_waits(&web);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn who_has_waited_while_a_directory_was_replaced_is_told() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let (db, web) = (plain(&sandbox, "db"), web(&sandbox));
        lead(&sandbox, "db", "db");
        let _new = plain(&sandbox, "new");
        let runsvdir = mode.start(&sandbox, &[]);
        let (kept, pid) = (db.until_up(), web.until_up());
        until_old();
        let exchange = rustix::fs::RenameFlags::EXCHANGE;
        let cwd = rustix::fs::CWD;
        rustix::fs::renameat_with(cwd, sandbox.join("new"), cwd, sandbox.join("db"), exchange).unwrap();
        kill(pid, Signal::KILL);
        until("that it waits", || why(&web).contains("db (not supervised)"));
        runsvdir.signal(Signal::ALARM);
        until_up_again(&web, pid);
        assert_eq!(db.status().pid(), kept);
        end(&sandbox, runsvdir);
    });
}

#[test]
fn a_link_that_leads_nowhere_yet_is_looked_at_again() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let web = web(&sandbox);
    lead(&sandbox, "db", "db");
    let first = web.supervise();
    until("a word", || first.stderr().contains("needs: db is missing, waiting for it"));
    plain(&sandbox, "db");
    // Under the name by which it is needed: under another one it could not tell who needs it.
    let db = Service { sandbox: &sandbox, name: "scan/db".to_owned() };
    let _second = db.supervise();
    web.until_up();
}

#[test]
fn why_knows_the_other_names_of_a_service() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let (db, web) = (member(&sandbox, "db", &[]), slow(&sandbox, "web", &["alias"]));
    symlink("db", sandbox.join("scan/alias")).unwrap();
    let (_first, _second) = (db.supervise(), web.supervise());
    until_events(&sandbox, "up db, up web, ");
    web.until_up();
    db.send(b"d");
    until_events(&sandbox, "up db, up web, told web, ");
    until("the reason", || why(&db).starts_with("db: wanted down: waits for web (stopping)"));
    sandbox.write("scan/web/go", "");
    until_events(&sandbox, "up db, up web, told web, end db, ");
}
