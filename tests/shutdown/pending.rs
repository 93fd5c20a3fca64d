//! A shutdown that waits.

use super::*;
use std::time::{SystemTime, UNIX_EPOCH};

/// Waits in a script until both are there, or one.
const WAITS: &str = "until test -s /run/runit/shutdown.pid; do sleep 0.01; done";
const IS_LAST: &str = "until test -s /etc/nologin; do sleep 0.01; done";

/// Runs a script as process 1, in which `$pid` is a `shutdown` with these arguments that has begun to wait, and
/// which ends when that has; gives the code of it.
fn with(root: &Root, args: &str, commands: &str) -> Outcome {
    let text = format!("shutdown {args} 2>/tmp/said & pid=$!\n{WAITS}\n{commands}\nwait $pid; exit $?");
    let output = root.output(&script(&text));
    assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    Outcome::of(root, output.status.code())
}

fn text(root: &Root, path: &str) -> String {
    String::from_utf8(root.read(path).unwrap_or_default()).unwrap()
}

#[track_caller]
fn assert_nothing_left(root: &Root) {
    assert!(!root.has("run/runit/shutdown.pid") && !root.has("etc/nologin"));
    assert_eq!(fs::read_dir(root.join("run/runit")).unwrap().count(), 0);
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
}

const CANCELLED: &str = "shutdown: warning: cancelled\n";

#[test]
fn it_waits_and_is_cancelled() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let commands = format!(
        "{IS_LAST}\numask 077; echo $pid >/tmp/pid; cp -p /run/runit/shutdown.pid /etc/nologin /tmp
        shutdown -c; echo $? >/tmp/cancelled; ls /run/runit /etc/nologin >/tmp/left 2>/dev/null"
    );
    assert_eq!(with(&root, "-rF +1", &format!("umask 022; {commands}")), Outcome::refused(1, CANCELLED));
    assert_eq!(text(&root, "tmp/shutdown.pid"), text(&root, "tmp/pid"));
    assert_eq!(text(&root, "tmp/nologin"), "The system is going down.\n");
    for copy in ["tmp/shutdown.pid", "tmp/nologin"] {
        assert_eq!(fs::metadata(root.join(copy)).unwrap().permissions().mode() & 0o7777, 0o644, "{copy}");
    }
    assert_eq!(text(&root, "tmp/cancelled"), "0\n");
    assert_eq!(text(&root, "tmp/left"), "/run/runit:\n", "it had ended when -c did");
    assert_nothing_left(&root);
    assert!(!root.has("forcefsck"));
}

#[test]
fn it_is_cancelled_by_int_and_term_and_goes_on_after_hup() {
    for signal in ["INT", "TERM"] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        // A shell lets what is in the background ignore INT.
        let text = format!("kill -HUP $pid; kill -TSTP $pid; kill -USR1 $pid; kill -{signal} $pid");
        assert_eq!(with(&root, "-h +1", &text), Outcome::refused(1, CANCELLED), "{signal}");
        assert_nothing_left(&root);
    }
}

#[test]
fn long_before_everybody_may_log_in() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let commands = "test -e /etc/nologin && echo >/tmp/early; shutdown -c";
    // The file comes before everything else but the process number.
    let settled = "until grep -q '^[^ ]* (shutdown) S' /proc/$pid/stat; do sleep 0.01; done";
    assert_eq!(with(&root, "-h +6", &format!("{settled}\n{commands}")), Outcome::refused(1, CANCELLED));
    assert!(!root.has("tmp/early"));
    assert_nothing_left(&root);
}

#[test]
fn the_files_are_for_everybody_to_read_whatever_the_umask() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let commands = format!("{IS_LAST}\ncp -p /run/runit/shutdown.pid /etc/nologin /tmp; shutdown -c");
    let text = format!("umask 077; shutdown -h +1 2>/dev/null & {WAITS}\n{commands}; wait");
    assert!(root.output(&script(&text)).status.success());
    for copy in ["tmp/shutdown.pid", "tmp/nologin"] {
        assert_eq!(fs::metadata(root.join(copy)).unwrap().permissions().mode() & 0o7777, 0o644, "{copy}");
    }
}

#[test]
fn there_is_one_at_most() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let second = "shutdown -r now 2>/tmp/second; echo $? >/tmp/code; echo $pid >/tmp/pid; shutdown -c";
    assert_eq!(with(&root, "-h +1", second), Outcome::refused(1, CANCELLED));
    let pid = text(&root, "tmp/pid");
    assert_eq!(text(&root, "tmp/second"), format!("shutdown: fatal: there is one already: process {pid}"));
    assert_eq!(text(&root, "tmp/code"), "1\n");
    assert_nothing_left(&root);
}

#[test]
fn a_file_that_was_left_behind_does_not_count() {
    // One that never was, process 1, nothing, nonsense, and ourselves: `exec` keeps the number.
    for left in ["4999999", "1", "", "x", "-5", "$$"] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        let text =
            format!("mkdir /run/runit; sh -c 'echo {left} >/run/runit/shutdown.pid; exec shutdown -r now'");
        assert_eq!(run(&root, &text), Outcome::asked("stopit reboot"), "{left:?}");
        assert!(!root.has("run/runit/shutdown.pid"));
    }
}

#[test]
fn there_has_to_be_one_to_cancel() {
    for left in [None, Some("1\n"), Some("4999999\n")] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        if let Some(left) = left {
            root.write("run/runit/shutdown.pid", left);
        }
        let said = "shutdown: fatal: no shutdown is waiting\n";
        assert_eq!(run(&root, "shutdown -c with words"), Outcome::refused(1, said), "{left:?}");
    }
}

#[test]
fn it_does_not_begin_if_it_cannot_be_cancelled() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    root.write("run/runit", "in the way");
    let said = "shutdown: fatal: unable to create /run/runit/shutdown.pid: not a directory\n";
    assert_eq!(run(&root, "shutdown -h +1"), Outcome::refused(1, said));
    // What need not wait need not be cancelled.
    let said = said.replace("fatal", "warning");
    assert_eq!(run(&root, "shutdown -r now"), Outcome { said, ..Outcome::asked("stopit reboot") });
}

#[test]
fn one_that_was_killed_does_not_count_although_nobody_has_collected_it() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let text = format!(
        "sh -c 'shutdown -h +9 2>/dev/null & exec sleep 1000000' & {WAITS}
        pid=$(cat /run/runit/shutdown.pid); kill -KILL $pid
        until grep -q '^[^ ]* (shutdown) Z' /proc/$pid/stat; do sleep 0.01; done; shutdown -r now"
    );
    assert_eq!(run(&root, &text), Outcome::asked("stopit reboot"));
}

#[test]
fn a_file_that_keeps_everybody_out_and_is_not_its_own_stays() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    root.write("etc/nologin", "maintenance\n");
    assert_eq!(with(&root, "-h +1", "shutdown -c"), Outcome::refused(1, CANCELLED));
    assert_eq!(text(&root, "etc/nologin"), "maintenance\n");
}

/// A zone in which clocks show a full minute in so many seconds, two at least; and that minute.
pub fn full_minute_in(seconds: u64) -> (String, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let east = 60 - (now + seconds) % 60;
    let shown = (now + seconds + east) % 86_400;
    assert_eq!(shown % 60, 0);
    (format!("ZONE-0:00:{east:02}"), format!("{:02}:{:02}", shown / 3600, shown / 60 % 60))
}

#[test]
fn a_time_of_the_clock_comes() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let before = SystemTime::now();
    let (zone, time) = full_minute_in(2);
    assert_eq!(run(&root, &format!("TZ={zone} shutdown -r {time}")), Outcome::asked("stopit reboot"));
    assert!(before.elapsed().unwrap().as_millis() >= 1000, "{zone} {time}");
    assert!(!root.has("etc/nologin") && !root.has("run/runit/shutdown.pid"));
    // A minute that is passing has come.
    let (zone, time) = full_minute_in(50);
    let (hour, minute) = time.split_once(':').unwrap();
    let passing = (hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap() + 1439) % 1440;
    let time = format!("{}:{:02}", passing / 60, passing % 60);
    assert_eq!(run(&root, &format!("TZ={zone} shutdown -r {time}")), Outcome::asked("stopit reboot"));
}

#[test]
fn nothing_happens_while_it_waits() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let commands = format!(
        "{IS_LAST}
        until grep -q '^[^ ]* (shutdown) S' /proc/$pid/stat; do sleep 0.01; done
        switches() {{ grep ctxt /proc/$pid/status; }}
        switches >/tmp/before; sleep 0.5; switches >/tmp/after; shutdown -c"
    );
    assert_eq!(with(&root, "-h +2", &commands), Outcome::refused(1, CANCELLED));
    assert_eq!(text(&root, "tmp/before"), text(&root, "tmp/after"));
}
