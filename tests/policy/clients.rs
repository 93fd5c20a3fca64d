//! Programs of others that say that they are ready.

use super::*;

#[test]
fn systemd_notify_is_understood() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let body = "until test -e go; do sleep 0.01; done
        systemd-notify --ready --status='open for business'
        exec sleep 1000000";
    let service = sandbox.service("one").run(body).file("notify-socket", "");
    let runsv = service.supervise();
    service.until_up();
    assert!(!service.join("supervise/ready").exists());
    sandbox.write("one/go", "");
    let started = service.sv(&["-w", "60", "start"]);
    assert!(started.status.success(), "{started:?}");
    until("its words", || service.read("supervise/message") == "open for business\n");
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn a_program_of_s6_that_writes_a_newline_is_understood() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("one")
        .run("mkfifo in; exec s6-log -d 3 t ./logs <>in")
        .file("notification-fd", "3\n");
    let _runsv = service.supervise();
    let started = service.sv(&["-w", "60", "start"]);
    assert!(started.status.success() && service.join("supervise/ready").exists(), "{started:?}");
    assert!(service.join("logs/current").exists());
}

#[test]
fn one_of_s6_that_does_so_on_standard_output_is_understood() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        sandbox.service("one").run("exec s6-ipcserver -1 ./socket cat >&3").file("notification-fd", "3\n");
    let _runsv = service.supervise();
    let started = service.sv(&["-w", "60", "start"]);
    assert!(started.status.success() && service.join("supervise/ready").exists(), "{started:?}");
    assert!(service.join("socket").exists());
}
