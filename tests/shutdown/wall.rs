//! What everybody is told.

use super::*;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal of somebody, whose screen the test sees.
struct Terminal {
    screen: OwnedFd,
    // As long as it is open it is there.
    terminal: OwnedFd,
    line: String,
}

impl Terminal {
    fn new() -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(name.as_str(), flags, Mode::empty()).unwrap();
        rustix::fs::fcntl_setfl(&screen, OFlags::NONBLOCK).unwrap();
        Self { screen, terminal, line: name.strip_prefix("/dev/").unwrap().to_owned() }
    }

    /// What has come since the last look.
    fn shown(&self) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = rustix::io::read(&self.screen, &mut buffer) {
            text.extend(&buffer[..count]);
        }
        String::from_utf8(text).unwrap().replace("\r\r\n", "\n").replace("\r\n", "\n")
    }
}

const BEGIN: &str = "\n\x07Broadcast message from shutdown:\n";

fn notice(text: &str) -> String {
    format!("{BEGIN}{text}\n")
}

#[test]
fn everybody_who_is_logged_in_is_told() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let terminals = [Terminal::new(), Terminal::new()];
    let (away, nobody) = (Terminal::new(), Terminal::new());
    let mut dead = login(&away.line);
    dead.set_kind(Kind::Dead);
    let mut unnamed = login(&nobody.line);
    unnamed.set_text(Field::User, b"");
    let logins =
        [login(&terminals[0].line), dead, unnamed, login(":0"), login("missing"), login(&terminals[1].line)];
    root.write("run/utmp", logins.map(|record| record.0).concat());
    let rows = [
        ("-k now", "The system is going down to single user mode NOW!", true),
        ("-k now", "The system is going down for power off NOW!", false),
        ("-kr", "The system is going down for reboot NOW!", false),
        ("-kh +1", "The system is going down for power off in 1 minute!", false),
        ("-kH +10", "The system is going down for halt in 10 minutes!", false),
        (
            "-kr now for  new 'disks  and\tmore'",
            "The system is going down for reboot NOW!\nfor new disks  and?more",
            false,
        ),
    ];
    for (args, text, single) in rows {
        let single_path = root.join("etc/runit/runsvdir/single");
        if single {
            fs::create_dir_all(&single_path).unwrap();
        } else {
            let _ = fs::remove_dir(&single_path);
        }
        assert_eq!(run(&root, &format!("shutdown {args}")), Outcome::refused(0, ""), "{args}");
        for terminal in &terminals {
            assert_eq!(terminal.shown(), notice(text), "{args}");
        }
    }
    assert_eq!((away.shown(), nobody.shown()), (String::new(), String::new()));
}

#[test]
fn the_console_is_told_without_utmp() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    fs::remove_file(root.join("run/utmp")).unwrap();
    let console = Terminal::new();
    let text =
        format!("touch /dev/console; mount --bind /dev/{} /dev/console; shutdown -h now", console.line);
    assert_eq!(run(&root, &text), Outcome::asked("stopit"));
    assert_eq!(console.shown(), notice("The system is going down for power off NOW!"));
}

#[test]
fn a_shutdown_that_is_cancelled_is_told_of() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let terminal = Terminal::new();
    root.write("run/utmp", login(&terminal.line).0);
    let text = "shutdown -r +7 2>/dev/null & pid=$!
        until test -s /run/runit/shutdown.pid; do sleep 0.01; done
        shutdown -c we stay; wait $pid";
    assert_eq!(root.output(&script(text)).status.code(), Some(1));
    let shown = [
        notice("The system is going down for reboot in 7 minutes!"),
        notice("The shutdown has been cancelled."),
        notice("we stay"),
    ];
    assert_eq!(terminal.shown(), shown.concat());
}

#[test]
fn five_minutes_before_everybody_is_told_again_and_kept_out() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let terminal = Terminal::new();
    root.write("run/utmp", login(&terminal.line).0);
    let (zone, time) = super::pending::full_minute_in(308);
    let text = format!(
        "TZ={zone} shutdown -r {time} new disks 2>/tmp/said & pid=$!
        until test -s /run/runit/shutdown.pid; do sleep 0.01; done
        test -e /etc/nologin && echo >/tmp/early
        until test -s /etc/nologin; do sleep 0.01; done
        shutdown -c; wait $pid"
    );
    let output = root.output(&script(&text));
    let cancelled = "shutdown: warning: cancelled\n";
    assert_eq!(Outcome::of(&root, output.status.code()), Outcome::refused(1, cancelled));
    assert!(!root.has("tmp/early") && !root.has("etc/nologin"), "{zone} {time}");
    let shown = [
        notice("The system is going down for reboot in 6 minutes!\nnew disks"),
        notice("The system is going down for reboot in 5 minutes!\nnew disks"),
        notice("The shutdown has been cancelled."),
    ];
    assert_eq!(terminal.shown(), shown.concat());
}

#[test]
fn a_line_does_not_lead_out_of_the_devices_nor_to_what_is_no_terminal() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let terminal = Terminal::new();
    root.write("dev/notes", "kept");
    let lines = ["../etc/terminal", "pts/../../etc/terminal", "notes", "null", "", "pts"];
    root.write("run/utmp", lines.map(|line| login(line).0).concat());
    let text =
        format!("touch /etc/terminal; mount --bind /dev/{} /etc/terminal; shutdown -h now", terminal.line);
    assert_eq!(run(&root, &text), Outcome::asked("stopit"));
    assert_eq!(terminal.shown(), "");
    assert_eq!(root.read("dev/notes").unwrap(), b"kept");
}

#[test]
fn what_is_no_terminal_is_not_written_to_and_no_other_file_even_opened() {
    use rustix::event::{PollFd, PollFlags, poll};
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("dev/fifo"), Mode::RUSR | Mode::WUSR).unwrap();
    let fifo =
        open(root.join("dev/fifo"), OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .unwrap();
    root.write("run/utmp", ["fifo", "null"].map(|line| login(line).0).concat());
    let outcome = run(&root, "strace -qq -o /tmp/trace -e trace=write,openat,open shutdown -kr");
    assert_eq!(outcome, Outcome::refused(0, ""));
    let trace = String::from_utf8(root.read("tmp/trace").unwrap()).unwrap();
    assert!(trace.contains("/dev/null") && !trace.contains("Broadcast"), "{trace}");
    // Whoever had opened it would have closed it by now.
    let mut fds = [PollFd::new(&fifo, PollFlags::IN)];
    assert_eq!(poll(&mut fds, Some(&rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap(), 0);
}

#[test]
fn a_terminal_that_takes_nothing_holds_nobody_up() {
    use rustix::termios::{Action, tcflow};
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let (stopped, other) = (Terminal::new(), Terminal::new());
    root.write("run/utmp", [login(&stopped.line).0, login(&other.line).0].concat());
    tcflow(&stopped.terminal, Action::OOff).unwrap();
    assert_eq!(run(&root, "shutdown -h now"), Outcome::asked("stopit"));
    assert_eq!(other.shown(), notice("The system is going down for power off NOW!"));
    assert_eq!(stopped.shown(), "");
}

#[test]
fn a_message_that_is_too_long_is_cut() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let terminal = Terminal::new();
    root.write("run/utmp", login(&terminal.line).0);
    let long = "x".repeat(5000);
    assert_eq!(run(&root, &format!("shutdown -r now {long}")), Outcome::asked("stopit reboot"));
    let shown = terminal.shown();
    assert!(shown.starts_with(&notice("The system is going down for reboot NOW!")), "{shown}");
    assert!((500..1100).contains(&shown.len()), "{}", shown.len());
}
