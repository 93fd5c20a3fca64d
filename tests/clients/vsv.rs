//! vsv, the service manager of Void's users: it reads the files in `supervise` itself.

use super::*;

/// Runs it on the scan directory `scan`.
fn vsv(sandbox: &Sandbox, args: &[&str]) -> String {
    let mut command = sandbox.command(client("bin/vsv"));
    command.args(["-c", "no"]).args(args).env("SVDIR", sandbox.join("scan"));
    said(&command.output().unwrap())
}

/// The columns of the lines of services.
fn table(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.first().is_some_and(|word| *word != "SERVICE")).collect()
}

/// Services that run, are down, and have a logger, under runsvdir.
fn with_services(sandbox: &Sandbox) -> ([Service<'_>; 3], Running) {
    let scan = sandbox.scan();
    let services = [
        sandbox.service("sv/db").run_forever(),
        sandbox.service("sv/off").run_forever().down(),
        sandbox.service("sv/web").run_forever().logged(),
    ];
    services.iter().for_each(|service| scan.link(service));
    let runsvdir = scan.start(&[], &[]);
    services[0].until_up();
    services[2].until_up();
    until("the others", || services[1].is_supervised() && services[2].join("log/supervise/pid").exists());
    (services, runsvdir)
}

#[test]
fn vsv_shows_what_each_service_does() {
    let sandbox = Sandbox::new();
    let ([db, off, web], _runsvdir) = with_services(&sandbox);
    let (db, web_pid) = (db.until_up().to_string(), web.until_up().to_string());
    off.until_shown(Shown::Down);
    until("the programs of their scripts", || {
        (sandbox.named("sleep").len(), sandbox.named("cat").len()) == (2, 1)
    });
    let text = vsv(&sandbox, &["status"]);
    let rows = table(&text);
    let shown: Vec<_> = rows.iter().map(|row| row[1..6].to_vec()).collect();
    let wanted = [
        ["db", "run", "true", &db, "sleep"],
        ["off", "down", "false", "---", "---"],
        ["web", "run", "true", &web_pid, "sleep"],
    ];
    assert_eq!(shown, wanted, "{text}");
    let log = web.log_status().pid().to_string();
    let text = vsv(&sandbox, &["-l"]);
    assert!(table(&text).iter().any(|row| row.contains(&log.as_str()) && row.contains(&"cat")), "{text}");
}

#[test]
fn vsv_hands_commands_to_sv_and_makes_the_file_down() {
    let sandbox = Sandbox::new();
    let ([db, off, _], _runsvdir) = with_services(&sandbox);
    let pid = db.until_up();
    vsv(&sandbox, &["restart", "db"]);
    let pid = db.until_up_again(pid);
    vsv(&sandbox, &["stop", "db"]);
    db.until_shown(Shown::Down);
    vsv(&sandbox, &["disable", "db"]);
    assert!(db.join("down").exists());
    vsv(&sandbox, &["enable", "off"]);
    assert!(!off.join("down").exists());
    vsv(&sandbox, &["start", "off", "db"]);
    off.until_up();
    assert_ne!(db.until_up(), pid);
    let text = vsv(&sandbox, &["status"]);
    let enabled: Vec<_> = table(&text).iter().map(|row| row[2..4].join(" ")).collect();
    assert_eq!(enabled, ["run false", "run true", "run true"], "{text}");
}
