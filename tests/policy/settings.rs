//! What the files may say, and when they are read.

use super::*;
use svbox::service::settings::{Restart, Setting, Settings, When};
use svbox::sys::signal::Signal;
use svbox::sys::time::Duration;

fn set(setting: Setting, text: &str) -> Option<Settings> {
    let mut settings = Settings::NONE;
    settings.set(setting, text.as_bytes()).then_some(settings)
}

fn restart(text: &str) -> Option<Restart> {
    set(Setting::Restart, text).map(|settings| settings.restart.unwrap())
}

#[test]
fn times_are_milliseconds_and_0_is_none() {
    let kill = |text: &str| set(Setting::TimeoutKill, text).map(|settings| settings.kill_after);
    assert_eq!(kill("5000\n"), Some(Some(Duration::from_secs(5))));
    assert_eq!(kill(" 1 \nsecond line"), Some(Some(Duration::from_millis(1))));
    assert_eq!(kill("0"), Some(None));
    for bad in ["", "\n5", "5s", "-1", "1.5", "99999999999999999999", "five"] {
        assert_eq!(kill(bad), None, "{bad:?}");
    }
    // What does not fit could be cut off in the middle of a number.
    assert_eq!(kill(&format!("{:>255}\n{:>300}", 5, 6)), Some(Some(Duration::from_millis(5))));
    assert_eq!(kill(&format!("{:>256}", 5)), None);
    let finish = set(Setting::TimeoutFinish, "70").unwrap();
    assert_eq!((finish.finish_within, finish.kill_after), (Some(Duration::from_millis(70)), None));
    assert_eq!(finish.longest_stop(), finish.finish_within);
    let mut both = finish;
    assert!(both.set(Setting::TimeoutKill, b"5"));
    assert_eq!(both.longest_stop(), Some(Duration::from_millis(75)));
    assert_eq!(Settings::NONE.longest_stop(), None);
    let ready = set(Setting::TimeoutReady, "70").unwrap();
    assert_eq!((ready.ready_within, ready.finish_within), (Some(Duration::from_millis(70)), None));
}

#[test]
fn signals_are_names_or_numbers() {
    let down = |text: &str| set(Setting::DownSignal, text).map(|settings| settings.down_signal.as_raw());
    for (text, number) in
        [("INT", 2), ("SIGINT\n", 2), ("int", 2), ("SigQuit", 3), ("15", 15), ("37", 37), ("64", 64)]
    {
        assert_eq!(down(text), Some(number), "{text:?}");
    }
    for bad in ["", "0", "65", "-1", "SIG", "SIGNAL", "NOSUCHSIGNAL", "INT TERM", "INTINTINTINTINT"] {
        assert_eq!(down(bad), None, "{bad:?}");
    }
    let reload = set(Setting::ReloadSignal, "USR1").unwrap();
    assert_eq!((reload.reload_signal, reload.down_signal), (Signal::USR1, Signal::TERM));
}

#[test]
fn restart_is_one_word_and_what_is_behind_it() {
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    let plain = Restart { when: When::Always, delay: second, longest: minute, factor: 1, limit: None };
    assert_eq!(restart("always\n"), Some(plain));
    assert_eq!(restart("on-failure"), Some(Restart { when: When::OnFailure, ..plain }));
    assert_eq!(restart("never"), Some(Restart { when: When::Never, ..plain }));
    let all = Restart {
        when: When::Always,
        delay: Duration::from_millis(250),
        longest: Duration::from_secs(7200),
        factor: 3,
        limit: Some((10, Duration::from_secs(300))),
    };
    assert_eq!(restart("  always delay=250ms\tmax=2h  factor=3 limit=10/5m "), Some(all));
    assert_eq!(restart("always delay=0 max=1d").map(|restart| restart.delay), Some(Duration::ZERO));
    for bad in [
        "",
        "Always",
        "always,",
        "sometimes",
        "always delay",
        "always delay=",
        "always delay=1x",
        "always delay=s",
        "always factor=0",
        "always factor=1.5",
        "always limit=10",
        "always limit=0/1s",
        "always limit=32/1s",
        "always limit=/1s",
        "always limit=1/",
        "always pause=1s",
        "delay=1s always",
        "always delay=99999999999999999999d",
    ] {
        assert_eq!(restart(bad), None, "{bad:?}");
    }
}

#[test]
fn what_means_nothing_is_told_of_once_and_ignored() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        counted(&sandbox, "exec sleep 1000000").file("timeout-kill", "soon\n").file("down-signal", "\n");
    sandbox.write("one/timeout-ready", format!("{:>260}", 300000));
    let runsv = service.supervise();
    for starts in 1..4 {
        service.until_lines("starts", starts);
        service.until_up();
        assert!(service.sv(&["-w", "60", "restart"]).status.success());
    }
    assert_eq!(times_said(&runsv, "warning: ignoring timeout-kill: bad value: soon"), 1);
    assert_eq!(times_said(&runsv, "warning: ignoring down-signal: bad value: "), 1);
    assert_eq!(runsv.stderr().matches("warning: ignoring timeout-ready: bad value: ").count(), 1);
    sandbox.write("one/timeout-kill", "1000");
    sandbox.write("one/down-signal", "TERM");
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    sandbox.write("one/timeout-kill", "later");
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    until_said(&service, &runsv, "ignoring timeout-kill: bad value: later");
}

#[test]
fn what_cannot_be_read_is_told_of() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().file("restart/x", "");
    let runsv = service.supervise();
    service.until_up();
    until_said(&service, &runsv, "unable to read restart: is a directory");
}

#[test]
fn a_file_that_is_put_there_counts_from_the_next_command() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(
        &sandbox,
        "trap 'echo int >>got' INT\ntrap 'echo term >>got; exit' TERM\necho >>ready\nwhile :; do sleep 0.01; done",
    );
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    sandbox.write("one/down-signal", "INT");
    service.send(b"t");
    until("INT", || service.read("got") == "int\n");
    fs::remove_file(service.join("down-signal")).unwrap();
    service.send(b"t");
    service.until_lines("ready", 2);
    assert_eq!(service.read("got"), "int\nterm\n");
}

#[test]
fn a_directory_that_cannot_be_listed_is_asked_for_each_name() {
    for with_file in [false, true] {
        if with_file && only_svbox("own files") || !rustix::process::geteuid().is_root() {
            return;
        }
        let sandbox = Sandbox::new();
        let mut service = counted(&sandbox, "exit 4").finish("echo $1 >>finished");
        if with_file {
            service = service.file("restart", "never");
        }
        fs::set_permissions(service.join(""), std::os::unix::fs::PermissionsExt::from_mode(0o300)).unwrap();
        let mut command = sandbox.command("setpriv");
        command.args(["--bounding-set", "-dac_override,-dac_read_search", "runsv", "one"]);
        let runsv = sandbox.start(command);
        service.until_lines("finished", if with_file { 1 } else { 2 });
        assert_eq!((service.join("supervise/deaths").exists(), runsv.stderr().as_str()), (with_file, ""));
        if with_file {
            until("that it stays down", || {
                service.status().want() == 'd' && service.status().shown() == Shown::Down
            });
        }
    }
}
