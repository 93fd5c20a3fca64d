//! Which signals are handed on to a command, and which ask for the end.

use super::*;

/// The signals that can be caught, CHLD and the two that the C library keeps for itself excepted.
fn all() -> impl Iterator<Item = i32> {
    (1..=64).filter(|number| ![9, 17, 19, 32, 33].contains(number))
}

/// A command that writes down the signals it gets, and says when it is ready.
const RECORDER: &str = "for s in $(seq 64); do
        case $s in 9|17|19|32|33) ;; *) trap \"echo $s >>/out/got\" $s ;; esac
    done
    echo >/out/ready
    until test -e /out/leave; do sleep 1000000 & wait; done; exit 3";

/// Sends each of these, one after the other was heard.
#[track_caller]
fn hears(sandbox: &Sandbox, container: &Contained<'_>, signals: impl Iterator<Item = i32>) {
    let mut expected = sandbox.read("out/got");
    for number in signals {
        container.signal(number);
        expected.push_str(&format!("{number}\n"));
        until(&format!("signal {number}"), || sandbox.read("out/got") == expected);
    }
}

#[test]
fn with_a_command_alone_every_signal_is_sent_to_it_and_pid1_goes_on() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&["sh", "-c", RECORDER]);
    until_lines(&sandbox, "out/ready", 1);
    hears(&sandbox, &container, all());
    assert!(container.lives());
    sandbox.write("out/leave", "");
    container.signal(15);
    ends(&mut container, 3, "pid1: command has ended: exit 3");
}

#[test]
fn the_signals_of_the_c_library_are_sent_to_a_command_too() {
    // A C library that there is keeps both for itself; the other one is ignored by what the suite starts.
    if only_svbox("containers") || std::env::var_os("SVBOX_PROGRAM").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&["sleep", "1000000"]);
    until("the command", || !named(&container, "sleep").is_empty());
    container.signal(33);
    ends(&mut container, 161, "pid1: command has ended: signal 33");
}

#[test]
fn chld_is_not_sent_to_the_command() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "$SIG{CHLD} = sub { print 'told' }; $SIG{HUP} = sub { exit 4 }; $| = 1;
        print 'ready'; sleep 1000000 while 1";
    let mut container = Container::new(&sandbox).start(&["perl", "-e", script]);
    until("a command that listens", || container.stdout() == "ready");
    container.signal(17);
    container.signal(1);
    ends(&mut container, 4, "pid1: command has ended: exit 4");
    assert_eq!(container.stdout(), "ready");
}

#[test]
fn a_signal_is_sent_to_the_command_and_not_to_what_that_has_started() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    // Of two signals at the same moment the one with the lower number is first.
    let script = "$| = 1; pipe my $r, my $w; my $child = fork;
        if (!$child) { $SIG{USR1} = sub { print 'child' }; syswrite $w, 'x'; sleep 1000000 while 1 }
        $SIG{USR1} = sub { kill 'TERM', $child; waitpid $child, 0; print 'command'; exit 5 };
        sysread $r, my $x, 1; print 'ready '; sleep 1000000 while 1";
    let mut container = Container::new(&sandbox).start(&["perl", "-e", script]);
    until("a command and its child", || container.stdout() == "ready ");
    container.signal(10);
    ends(&mut container, 5, "pid1: command has ended: exit 5");
    assert_eq!(container.stdout(), "ready command");
}

#[test]
fn a_command_alone_has_any_time_to_end() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&["sh", "-c", RECORDER]);
    until_lines(&sandbox, "out/ready", 1);
    // Not the end, only a request.
    hears(&sandbox, &container, [15, 15, 2, 30, 37, 38, 39, 15].into_iter());
    // The third argument of ppoll is how long it waits.
    let pid = container.pid();
    until("process 1 that waits for any time", || {
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
        call.split_whitespace().nth(3) == Some("0x0")
    });
    assert!(container.lives());
}

#[test]
fn with_services_every_signal_that_does_not_ask_for_the_end_is_sent_to_the_command() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let mut container = Container::new(&sandbox).start(&["sh", "-c", RECORDER]);
    until_lines(&sandbox, "out/ready", 1);
    up(&sandbox, "service/one");
    hears(&sandbox, &container, all().filter(|number| ![2, 15, 30, 37, 38, 39].contains(number)));
    assert!(container.lives() && sandbox.service("service/one").is_supervised());
    sandbox.write("out/leave", "");
    container.signal(10);
    ends(&mut container, 3, "pid1: command has ended: exit 3");
}

#[test]
fn each_signal_that_asks_for_the_end_of_services_brings_it() {
    if only_svbox("containers") {
        return;
    }
    for number in [15, 2, 30, 37, 38, 39] {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(
            "trap 'echo bye >/out/bye; exit' TERM; echo >/out/up
            while :; do sleep 0.01; done",
        );
        let mut container = Container::new(&sandbox).start(&[]);
        until_lines(&sandbox, "out/up", 1);
        container.signal(number);
        ends(&mut container, 0, &format!("pid1: stopped: signal {number}"));
        assert_eq!(sandbox.read("out/bye"), "bye\n");
    }
}

#[test]
fn without_a_command_every_other_signal_is_ignored() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let mut container = Container::new(&sandbox).start(&[]);
    let pid = up(&sandbox, "service/one");
    for number in (1..=64).filter(|number| ![2, 9, 15, 19, 30, 37, 38, 39].contains(number)) {
        container.signal(number);
    }
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(container.stderr(), "pid1: stopped: signal 15\n");
    assert_eq!(sandbox.service("service/one").status().pid(), 0);
    assert_ne!(pid, 0);
}

#[test]
fn cont_asks_for_the_end_if_stopit_requests_it() {
    if only_svbox("containers") {
        return;
    }
    for place in ["etc/runit", "run/runit"] {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(FOREVER);
        let setup = format!("mkdir -p {place}; : >{place}/stopit");
        let command = RECORDER.replace("echo >/out/ready", "trap 'exit 0' TERM; echo >/out/ready");
        let mut container = Container::new(&sandbox).setup(&setup).start(&["sh", "-c", &command]);
        until_lines(&sandbox, "out/ready", 1);
        // Not a request yet: it cannot be executed.
        hears(&sandbox, &container, [18].into_iter());
        let stopit = container.path(&format!("{place}/stopit"));
        fs::set_permissions(stopit, fs::Permissions::from_mode(0o100)).unwrap();
        container.signal(18);
        ends(&mut container, 0, "pid1: stopped: signal 18");
    }
}
