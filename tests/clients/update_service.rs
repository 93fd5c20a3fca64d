//! Debian's scripts: update-service, by which an administrator links services, and what its packages do when they are
//! installed, upgraded and removed.

use super::*;

/// A Debian with one service that is not linked, whose process 1 is a script with runsvdir; the programs under test come
/// first.
fn debian(sandbox: &Sandbox, script: &str) -> String {
    let root = sandbox.root();
    for (service, body) in [("web", "exec sleep 1000000"), ("web/log", "exec cat >>/logged")] {
        sandbox.script(format!("root/etc/sv/{service}/run"), body);
    }
    std::fs::create_dir_all(root.join("etc/runit/runsvdir/default")).unwrap();
    std::os::unix::fs::symlink("runit/runsvdir/default", root.join("etc/service")).unwrap();
    let before = "set -e
        wait_for() { until eval \"$1\"; do sleep 0.01; done; }
        mkdir -p /run/runit/supervise
        runsvdir -P /etc/service &";
    let output = root.output(&format!("{before}\n{script}"));
    said(&output)
}

fn without_root() -> bool {
    let without = !rustix::process::geteuid().is_root();
    if without {
        eprintln!("passed over: update-service is for root");
    }
    without
}

#[test]
fn update_service_links_a_service_and_takes_it_out() {
    if without_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let text = debian(
        &sandbox,
        "! update-service --check web
        update-service --add /etc/sv/web
        wait_for 'sv -w 60 start web >/dev/null 2>&1'
        readlink /etc/sv/web/supervise /etc/sv/web/log/supervise
        update-service --list web
        update-service --add /etc/sv/web
        sv status web
        update-service --remove /etc/sv/web
        wait_for '! sv status /etc/sv/web >/dev/null 2>&1'
        sv status /etc/sv/web || true",
    );
    let mut lines = text.lines();
    for wanted in [
        "Service web added.",
        "/run/runit/supervise/web",
        "/run/runit/supervise/web.log",
        "web -> /etc/sv/web",
        "Service web already added.",
        "run: web: (pid ",
        "Service web removed, the service daemon received the TERM and CONT signals.",
        "fail: /etc/sv/web: runsv not running",
    ] {
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with(wanted), "{wanted}: {text}");
    }
}

#[test]
fn a_package_of_debian_starts_restarts_and_stops_its_service() {
    if without_root() {
        return;
    }
    let sandbox = Sandbox::new();
    // What debhelper puts into the scripts of a package, on a machine whose process 1 seems to be runit.
    let text = debian(
        &sandbox,
        "trap : ALRM; : >/run/runit.stopit
        export NAME=web ENABLE=yes ONUPGRADE=restart
        helper=/lib/runit-helper/runit-helper
        $helper postinst configure
        wait_for 'sv -w 60 start web >/dev/null 2>&1'
        pid=$(cat /etc/sv/web/supervise/pid)
        $helper prerm upgrade 2; $helper postinst configure 1
        wait_for 'test $(cat /etc/sv/web/supervise/pid) != $pid'
        $helper prerm remove; sv status web
        $helper postrm remove; $helper postrm purge
        ls /etc/service",
    );
    for wanted in ["ok: run: web: (pid ", "ok: down: web: ", "down: web: "] {
        assert!(text.lines().any(|line| line.starts_with(wanted)), "{wanted}: {text}");
    }
    assert!(!text.ends_with("web\n"), "{text}");
}
