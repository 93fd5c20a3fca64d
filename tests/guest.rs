//! What a machine of its own shows: a kernel in QEMU in which root may do everything, and which is older than ours.

use crate::kit::*;
use std::path::Path;

/// What the console shows while process 1 runs a script.
fn console(script: &str) -> String {
    let sandbox = Sandbox::new();
    let script = sandbox.write("script", script);
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = sandbox
        .command(project.join("scripts/boot.sh"))
        .current_dir(project)
        .args([svbox(), script])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the console shows of each of these commands, and its exit code.
fn boot(commands: &[&str]) -> Vec<(String, Option<i32>)> {
    let run = |(number, command): (usize, &&str)| {
        format!("echo BEGIN-{number}\n{command}\ncode=$?\necho\necho END-{number} $code\n")
    };
    let console = console(&commands.iter().enumerate().map(run).collect::<String>());
    let shown = |number: usize| {
        let (_, rest) = console.split_once(&format!("BEGIN-{number}\n"))?;
        let (text, rest) = rest.split_once(&format!("\nEND-{number} "))?;
        Some((text.to_owned(), rest.lines().next()?.parse().ok()))
    };
    (0..commands.len()).map(|number| shown(number).unwrap_or_else(|| panic!("{number}: {console}"))).collect()
}

/// Whether there is no guest here for the program under test.
fn passed_over() -> bool {
    let none = !cfg!(target_arch = "x86_64") || std::env::var_os("SVBOX_PROGRAM").is_none();
    if none {
        eprintln!("passed over: it takes the static program");
    }
    none
}

#[test]
fn in_a_guest_root_gets_what_it_asks_for() {
    if only_svbox("long options") || passed_over() {
        return;
    }
    let rows = [
        ("chpst --rlimit nofile=5000:900000 sh -c 'ulimit -n; ulimit -Hn'", "5000\n900000\n"),
        (
            "chpst --rlimit rtprio=7:9 sed -n 's/^Max realtime priority *//p' /proc/self/limits",
            "7                    9                    \n",
        ),
        (
            "chpst --rlimit nice=5:6 sed -n 's/^Max nice priority *//p' /proc/self/limits",
            "5                    6                    \n",
        ),
        ("chpst --oom-score-adj -900 cat /proc/self/oom_score_adj", "-900\n"),
        ("chpst -u www --oom-score-adj -1 cat /proc/self/oom_score_adj", "-1\n"),
        ("chpst --cgroup /a/b cat /proc/self/cgroup", "0::/a/b\n"),
        ("chpst --cgroup /a/b --ns cgroup cat /proc/self/cgroup", "0::/\n"),
        ("chpst -F ls /proc", ""),
        ("chpst -I sh -c 'echo $$'", "1\n"),
        ("chpst --private-tmp --read-only / sh -c ': >/tmp/x; ls /tmp'", "x\n"),
        (
            "chpst -u www --cap-ambient net_bind_service sed -n 's/^CapEff:.//p' /proc/self/status",
            "0000000000000400\n",
        ),
        // The root of an initramfs is a mount that cannot be taken away, but other roots can be entered.
        ("mkdir -p /new/bin; cp /bin/busybox /new/bin/ls; chpst -/ /new /bin/ls /", "bin\n"),
    ];
    let got = boot(&rows.map(|(command, _)| command));
    for ((command, expected), (text, code)) in rows.iter().zip(got) {
        assert_eq!((text.as_str(), code), (*expected, Some(0)), "{command}");
    }
}

/// Debian 12's kernel knows landlock, but not how to forbid to truncate files.
#[test]
fn in_a_guest_landlock_is_refused_if_it_is_too_old() {
    if only_svbox("long options") || passed_over() {
        return;
    }
    let attempt = "sh -c 'cat /file; true >/file || echo kept'";
    let strict = format!("echo data >/file; chpst --landlock ro:/ {attempt} 2>&1");
    let lenient = format!("chpst --if-supported --landlock ro:/ {attempt} 2>&1");
    let got = boot(&[&strict, &lenient]);
    let [(strict, code), (lenient, passed)] = got.as_slice() else { panic!("{got:?}") };
    let partial = "unable to forbid truncation with landlock: operation not supported\n";
    match code {
        Some(111) => {
            assert_eq!(*strict, format!("chpst: fatal: {partial}"));
            assert!(lenient.starts_with(&format!("chpst: warning: {partial}data\n")), "{lenient}");
        }
        // A newer kernel.
        _ => assert!(strict.starts_with("data\n"), "{strict}"),
    }
    assert!(lenient.ends_with("kept\n"), "{lenient}");
    assert_eq!(*passed, Some(0));
}

/// Nowhere else may a test set the clock.
#[test]
fn in_a_guest_a_shutdown_at_an_hour_follows_the_clock_and_one_in_minutes_does_not() {
    if only_svbox("long options") || passed_over() {
        return;
    }
    let begin = "mkdir -p /run /etc/runit; date -s '2026-01-01 11:00:00' >/dev/null";
    let waits = "until test -s /run/runit/shutdown.pid; do sleep 0.1; done";
    let hour = format!(
        "{begin}; shutdown -r 12:00 & pid=$!; {waits}
        test -e /etc/nologin || echo ALL MAY
        date -s 11:56:00 >/dev/null; until test -s /etc/nologin; do sleep 0.1; done; echo NONE MAY
        date -s 11:59:59 >/dev/null; wait $pid; echo CODE $?; ls -1 /etc/runit /run/runit; test -x /etc/runit/reboot"
    );
    let minutes = format!(
        "{begin}; shutdown -h +30 & pid=$!; {waits}
        date -s '2026-01-02 11:00:00' >/dev/null; sleep 1; test -e /etc/nologin || echo ALL MAY
        shutdown -c; wait $pid; echo CODE $?"
    );
    let got = boot(&[&hour, &minutes]);
    let [(hour, code), (minutes, _)] = got.as_slice() else { panic!("{got:?}") };
    let shown = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.contains("Broadcast"));
        lines.map(str::to_owned).collect()
    };
    let down = |when| format!("The system is going down for reboot in {when} minutes!");
    assert_eq!(
        shown(hour),
        [
            &down(60),
            "ALL MAY",
            &down(4),
            "NONE MAY",
            "CODE 0",
            "/etc/runit:",
            "reboot",
            "stopit",
            "/run/runit:"
        ],
        "{hour}"
    );
    assert_eq!(*code, Some(0));
    let lines = shown(minutes);
    assert!(lines.contains(&"ALL MAY".to_owned()) && lines.contains(&"CODE 1".to_owned()), "{minutes}");
}

/// The old root is looked at through a copy of its mount. By path, since busybox' sh has a `switch_root` of its own.
#[test]
fn in_a_guest_an_initramfs_is_left_for_a_root_of_its_own() {
    if only_svbox("not one of runit's") || passed_over() {
        return;
    }
    let shown = console(
        r#"mount -t tmpfs tmpfs /new
mkdir -p /new/bin /new/sbin /new/dev /new/proc /new/sys /new/old
cp -P /bin/busybox /bin/svbox /bin/sh /new/bin/
cat >/new/sbin/init <<'END'
#!/bin/sh
export PATH=/bin
busybox --install -s /bin
echo
echo BEGIN
echo "process $$ with $*"
tr '\0' ' ' </proc/1/cmdline
echo
readlink /proc/1/root
readlink /proc/1/exe
ls -1 /
echo "left: $(find /old -mindepth 1)"
grep -c . /sys/fs/cgroup/cgroup.procs >/dev/null && echo cgroups
cut -d ' ' -f 2 /proc/mounts | sort
echo END
poweroff -f
END
chmod 755 /new/sbin/init
mkdir -p /deep/er/and/deeper /run
echo text >/deep/er/and/deeper/file
mount --bind / /new/old
ls /new/old/deep/er/and/deeper
exec /bin/switch_root -c /dev/console /new /sbin/init one two
"#,
    );
    let expected = "process 1 with one two
/bin/sh /sbin/init one two \n/
/bin/busybox
bin
dev
old
proc
sbin
sys
left: 
cgroups
/
/dev
/old
/proc
/sys
/sys/fs/cgroup
";
    let (before, rest) = shown.split_once("\nBEGIN\n").unwrap_or_else(|| panic!("{shown}"));
    assert!(before.ends_with("file\n"), "{before}");
    assert_eq!(rest.split_once("END\n").map(|(text, _)| text), Some(expected), "{shown}");
}
