//! halt, poweroff and reboot.

use super::*;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

#[test]
fn process_1_is_asked_for_what_the_name_or_an_option_says() {
    let rows = [
        ("halt", "stopit"),
        ("poweroff", "stopit"),
        ("reboot", "stopit reboot"),
        ("halt --halt", "stopit halt"),
        ("poweroff --halt", "stopit halt"),
        ("halt -p", "stopit"),
        ("reboot -hip", "stopit"),
        ("halt --halt --poweroff", "stopit"),
        ("poweroff --reboot --no-wall", "stopit reboot"),
        ("reboot now", "stopit reboot"),
    ];
    for (command, requests) in rows {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        assert_eq!(run(&root, command), Outcome::asked(requests), "{command}");
        let records = records(&root, "var/log/wtmp");
        assert_eq!(records.len(), 1, "{command}");
        assert!(last(&sandbox, &root).starts_with("shutdown system down"), "{}", last(&sandbox, &root));
        assert!(!root.has("run/runit/nosync"));
    }
}

#[test]
fn an_earlier_request_for_another_end_does_not_count() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    assert_eq!(run(&root, "reboot"), Outcome::asked("stopit reboot"));
    assert_eq!(run(&root, "halt --halt"), Outcome::asked("stopit halt"));
    assert_eq!(run(&root, "poweroff"), Outcome::asked("stopit"));
}

#[test]
fn with_d_wtmp_is_left_alone() {
    for option in ["-d", "--no-wtmp"] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        assert_eq!(run(&root, &format!("reboot {option}")), Outcome::asked("stopit reboot"));
        assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
    }
}

#[test]
fn with_n_this_end_is_without_sync() {
    for (command, synced) in [
        ("halt -n", false),
        ("reboot --no-sync -d", false),
        ("poweroff", true),
        ("halt -f", true),
        ("reboot -nf", false),
    ] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        let trace = format!("strace -qq -o /tmp/trace -e trace=sync,reboot {command}; true");
        let _ = root.output(&script(&trace));
        let calls = String::from_utf8(root.read("tmp/trace").unwrap()).unwrap();
        assert_eq!(calls.contains("sync()"), synced, "{command}: {calls}");
        assert_eq!(
            calls.contains("reboot("),
            command.contains('f') && command != "poweroff",
            "{command}: {calls}"
        );
        assert_eq!(root.has("run/runit/nosync"), !synced && !command.contains("-nf"), "{command}");
    }
}

#[test]
fn what_cannot_be_asked_for_is_an_error() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    root.write("run/runit", "in the way");
    let said = "reboot: fatal: unable to create /run/runit/nosync: not a directory\n";
    assert_eq!(run(&root, "reboot -n"), Outcome::refused(1, said));
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");

    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    fs::remove_file(root.join("etc/runit/stopit")).unwrap();
    fs::create_dir(root.join("etc/runit/stopit")).unwrap();
    for path in ["run/runit.stopit", "run/runit/stopit"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    let outcome = run(&root, "poweroff -n");
    assert_eq!((outcome.code, outcome.heard), (Some(1), false), "{outcome:?}");
    assert!(outcome.said.starts_with("poweroff: fatal: unable to create "), "{outcome:?}");
    assert!(!root.has("run/runit/nosync"), "it is for this end only");
}

#[test]
fn with_w_only_the_shutdown_is_noted() {
    for option in ["-w", "--wtmp-only", "-fw", "-wn"] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        assert_eq!(run(&root, &format!("halt {option}")), Outcome::refused(0, ""), "{option}");
        let records = records(&root, "var/log/wtmp");
        assert_eq!(records.len(), 1);
        let text = |field| String::from_utf8_lossy(records[0].text(field)).into_owned();
        assert!(records[0].is(Kind::RunLevel));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(
            [Field::User, Field::Line, Field::Id, Field::Host].map(text),
            ["shutdown", "~~", "~~", release.trim()]
        );
        assert_eq!(root.read("run/utmp").unwrap(), b"");
        assert!(!root.has("run/runit"));
    }
}

#[test]
fn with_capital_b_the_start_is_noted() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    root.write("run/utmp", login("tty1").0);
    for times in 1..3 {
        assert_eq!(run(&root, "halt -B"), Outcome::refused(0, ""));
        assert_eq!(records(&root, "var/log/wtmp").len(), times);
        let utmp = records(&root, "run/utmp");
        assert_eq!((utmp.len(), utmp[0]), (2, login("tty1")), "one record of that kind");
        assert!(utmp[1].is(Kind::Boot));
        assert_eq!(utmp[1], *records(&root, "var/log/wtmp").last().unwrap());
        assert_eq!(
            [Field::User, Field::Line, Field::Id].map(|field| utmp[1].text(field)),
            [&b"reboot"[..], b"~", b"~~"]
        );
    }
    assert!(last(&sandbox, &root).starts_with("reboot   system boot"), "{}", last(&sandbox, &root));
    let dump = sandbox.output("utmpdump", &[root.join("run/utmp").to_str().unwrap()]);
    assert!(steady(&dump.stdout).contains("[2] [00000] [~~  ] [reboot  ] [~           ]"), "{dump:?}");
}

#[test]
fn a_system_without_files_of_logins_does_not_get_them() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    fs::remove_file(root.join("run/utmp")).unwrap();
    fs::remove_file(root.join("var/log/wtmp")).unwrap();
    for command in ["halt -w", "reboot -B"] {
        assert_eq!(run(&root, command), Outcome::refused(0, ""), "{command}");
    }
    assert_eq!(run(&root, "halt"), Outcome::asked("stopit"));
    assert!(!root.has("run/utmp") && !root.has("var/log/wtmp"));
}

#[test]
fn files_of_logins_that_cannot_be_written_do_not_keep_the_machine_running() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    fs::remove_file(root.join("var/log/wtmp")).unwrap();
    fs::create_dir(root.join("var/log/wtmp")).unwrap();
    let said = |name| format!("{name}: warning: unable to open /var/log/wtmp: is a directory\n");
    assert_eq!(run(&root, "halt -w"), Outcome::refused(1, &said("halt")));
    assert_eq!(run(&root, "reboot"), Outcome { said: said("reboot"), ..Outcome::asked("stopit reboot") });
}

/// Whoever may read wtmp can lock it.
#[test]
fn nobody_can_hold_them_up_by_a_lock() {
    use rustix::fs::{FlockOperation, fcntl_lock, flock};
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let held = fs::File::open(root.join("var/log/wtmp")).unwrap();
    flock(&held, FlockOperation::LockShared).unwrap();
    fcntl_lock(&held, FlockOperation::LockShared).unwrap();
    assert_eq!(run(&root, "halt"), Outcome::asked("stopit"));
    assert_eq!(fs::metadata(root.join("var/log/wtmp")).unwrap().len(), SIZE as u64);
}

#[test]
fn a_wrong_option_does_nothing() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    for (command, complaint) in [
        ("halt -x", "halt: illegal option -- x"),
        ("reboot -fx", "reboot: illegal option -- x"),
        ("poweroff --kexec", "poweroff: illegal option -- kexec"),
        ("reboot --force=yes", "reboot: illegal option -- force=yes"),
    ] {
        let name = command.split(' ').next().unwrap();
        let said = format!("{complaint}\nusage: {name} [-nfdwBhip]\n\n");
        assert_eq!(run(&root, command), Outcome::refused(1, &said), "{command}");
    }
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
}

/// The end of a PID namespace is that of its process 1: the kernel says of which signal.
#[test]
fn by_force_the_kernel_ends_it_at_once() {
    let rows = [
        ("reboot -f", Signal::HUP),
        ("reboot -n --force", Signal::HUP),
        ("halt -f --reboot", Signal::HUP),
        ("poweroff -f", Signal::INT),
        ("halt -fn", Signal::INT),
        ("reboot -fp", Signal::INT),
    ];
    for (command, signal) in rows {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        let output =
            root.output(&script(&format!("{command}\necho went on >/tmp/heard; exec sleep 1000000")));
        assert_eq!(output.status.signal(), Some(signal.as_raw()), "{command}: {output:?}");
        assert!(!root.has("tmp/heard") && !root.has("run/runit"), "{command}");
        assert_eq!(root.read("var/log/wtmp").unwrap(), b"", "{command}");
    }
}

#[test]
fn the_kinds_of_ends_by_force_differ() {
    for (command, word) in [
        ("halt -f", "LINUX_REBOOT_CMD_HALT"),
        ("poweroff -f", "LINUX_REBOOT_CMD_POWER_OFF"),
        ("reboot -f", "LINUX_REBOOT_CMD_RESTART"),
        ("reboot -f --halt", "LINUX_REBOOT_CMD_HALT"),
        ("halt -fp", "LINUX_REBOOT_CMD_POWER_OFF"),
    ] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        let inject = "-e trace=reboot -e inject=reboot:error=EPERM";
        let outcome = run(&root, &format!("strace -qq -o /tmp/trace {inject} {command}"));
        let name = command.split(' ').next().unwrap();
        let said = format!("{name}: fatal: unable to end the system: permission denied\n");
        assert_eq!(outcome, Outcome::refused(1, &said), "{command}");
        let trace = String::from_utf8(root.read("tmp/trace").unwrap()).unwrap();
        assert!(trace.contains(&format!("{word})")), "{command}: {trace}");
    }
}
