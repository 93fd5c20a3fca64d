//! The ends of a machine, and the ways to ask for them.

use super::*;

/// Boots a machine with a service that asks for its end in one way; gives its console when it has shown `last`.
#[track_caller]
fn asked(how: &str, last: &str) -> String {
    let guest = Guest::new();
    guest.service("web", "trap 'echo web stops; exit 0' TERM; while :; do sleep 1000000 & wait; done");
    let script = format!("until svbox sv check web >/dev/null; do :; done\n{how}\nexec sleep 1000000");
    guest.service("script", &script);
    let mut machine = guest.boot("");
    machine.until(last);
    let console = machine.console();
    assert_in_order(
        &console,
        &[
            "web stops",
            "- runit: leave stage: /etc/runit/2",
            "- runit: enter stage: /etc/runit/3",
            "- runit: leave stage: /etc/runit/3",
        ],
    );
    console
}

macro_rules! ends {
    ($($name:ident: $how:expr, $last:expr;)*) => {$(
        #[test]
        fn $name() {
            if !no_guest() {
                asked($how, $last);
            }
        }
    )*};
}

ends! {
    init_0_switches_it_off: "svbox init 0", OFF;
    init_6_starts_it_again: "svbox init 6", AGAIN;
    a_request_file_starts_it_again: "for file in reboot stopit; do chmod 100 /run/runit/$file; done; kill -CONT 1", AGAIN;
    a_request_file_halts_it: "for file in halt stopit; do chmod 100 /run/runit/$file; done; kill -CONT 1", HALTED;
    poweroff_switches_it_off: "svbox poweroff", OFF;
    reboot_starts_it_again: "svbox reboot", AGAIN;
    halt_can_halt_it: "svbox halt --halt", HALTED;
    shutdown_can_be_told_when: "svbox shutdown -r now", AGAIN;
    a_signal_halts_it: "kill -37 1", HALTED;
}

#[test]
fn ctrl_alt_del_starts_it_again() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.service("script", "echo ready; exec sleep 1000000");
    let mut machine = guest.boot("");
    machine.until("\nready\n");
    machine.press("ctrl-alt-delete");
    let console = machine.until_off();
    assert_in_order(
        &console,
        &[
            "- runit: ctrl-alt-del request...",
            "- runit: enter stage: /etc/runit/ctrlaltdel",
            "- runit: leave stage: /etc/runit/ctrlaltdel",
            "- runit: leave stage: /etc/runit/2",
            "- runit: system reboot.",
        ],
    );
    assert!(console.contains(AGAIN), "{console}");
}

const STUBBORN: &str = "trap '' TERM; echo stubborn; while :; do sleep 1000000; done";
/// Asks for the end as soon as that one is up.
const ASKS: &str = "until svbox sv check stubborn >/dev/null; do :; done; svbox init 0; exec sleep 9";

/// A guest with a service that ignores TERM.
fn stubborn() -> Guest {
    let guest = Guest::new();
    guest.service("stubborn", STUBBORN);
    guest.service("script", ASKS);
    guest
}

#[test]
fn a_service_that_does_not_stop_is_named_and_killed() {
    if no_guest() {
        return;
    }
    let console = stubborn().boot("").until_off();
    assert_in_order(
        &console,
        &[
            "runsv stubborn: warning: service has not ended yet",
            "runsv stubborn: warning: service does not end in time, sending KILL",
            "- runit: leave stage: /etc/runit/2",
            "- runit: leave stage: /etc/runit/3",
        ],
    );
    assert!(console.contains(OFF) && !console.contains("sigkill"), "{console}");
}

#[test]
fn where_each_has_a_runsv_stage_3_does_that() {
    if no_guest() {
        return;
    }
    let guest = stubborn();
    guest.script("etc/runit/2", "exec svbox runsvdir -P /etc/service");
    let console = guest.boot("").until_off();
    let named =
        |start: &str| console.lines().any(|line| line.starts_with(start) && line.contains("stubborn"));
    assert!(named("stage 3: awaited: timeout: run:"), "{console}");
    assert!(named("stage 3: kill:"), "{console}");
    assert!(console.contains(OFF), "{console}");
}
