//! The limits of chpst, soft ones all of them.

use super::*;
use std::os::unix::process::ExitStatusExt;

/// The limits of a program without chpst and with these options, as far as they differ.
#[track_caller]
fn changed(sandbox: &Sandbox, name: &str, options: &[&str]) -> BTreeMap<String, String> {
    let before = limits(&printed(run(sandbox, "cat", &["/proc/self/limits"])));
    let after = limits(&printed(run(sandbox, name, &[options, &LIMITS].concat())));
    assert!(before.len() > 10, "{before:?}");
    let mut changed = BTreeMap::new();
    for (name, (soft, hard)) in after {
        assert_eq!(hard, before[&name].1, "the hard limit {name}");
        if soft != before[&name].0 {
            changed.insert(name, soft);
        }
    }
    changed
}

fn all(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn each_letter_sets_a_soft_limit() {
    let sandbox = Sandbox::new();
    for (letter, name, value) in [
        ("d", "Max data size", "100000001"),
        ("o", "Max open files", "51"),
        ("p", "Max processes", "1234"),
        ("f", "Max file size", "6000001"),
        ("c", "Max core file size", "5001"),
        ("r", "Max resident set", "8000001"),
        ("t", "Max cpu time", "900"),
    ] {
        for options in [&[&format!("-{letter}"), value][..], &[&format!("-{letter}{value}")]] {
            assert_eq!(changed(&sandbox, "chpst", options), all(&[(name, value)]), "{options:?}");
        }
    }
}

#[test]
fn the_other_letters_of_softlimit_do_too() {
    if only_svbox("limit letters") {
        return;
    }
    let sandbox = Sandbox::new();
    for (letter, name, value) in
        [("-a", "Max address space", "200000001"), ("-s", "Max stack size", "5000001")]
    {
        assert_eq!(changed(&sandbox, "chpst", &[letter, value]), all(&[(name, value)]));
    }
}

#[test]
fn m_is_data_stack_locked_memory_and_address_space() {
    let sandbox = Sandbox::new();
    let value = "100000001";
    let args = [&["--memlock=0:", "chpst", "-m", value], &LIMITS[..]].concat();
    let shown = limits(&printed(run(&sandbox, "prlimit", &args)));
    for name in ["Max data size", "Max stack size", "Max locked memory", "Max address space"] {
        let (soft, hard) = &shown[name];
        // The hard limit of locked memory is often lower.
        let low = hard.parse().is_ok_and(|hard: u64| hard < 100_000_001);
        assert_eq!(soft, if low { hard } else { value }, "{name}");
    }
    let mut others = changed(&sandbox, "chpst", &["-m", value]);
    others.remove("Max locked memory");
    let expected = [("Max address space", value), ("Max data size", value), ("Max stack size", value)];
    assert_eq!(others, all(&expected));
}

#[test]
fn the_later_of_m_and_d_is_for_data() {
    let sandbox = Sandbox::new();
    let data = |options: &[&str]| changed(&sandbox, "chpst", options)["Max data size"].clone();
    assert_eq!(data(&["-m", "300000000", "-d", "100000000"]), "100000000");
    assert_eq!(data(&["-d", "100000000", "-m", "300000000"]), "300000000");
    assert_eq!(data(&["-d1", "-m300000000", "-d100000000"]), "100000000");
}

#[test]
fn several_limits_are_set_at_once() {
    let sandbox = Sandbox::new();
    assert_eq!(
        changed(&sandbox, "chpst", &["-o51", "-c5001", "-f", "6000001", "-t900"]),
        all(&[
            ("Max core file size", "5001"),
            ("Max cpu time", "900"),
            ("Max file size", "6000001"),
            ("Max open files", "51"),
        ])
    );
}

/// The limit of open files after chpst under these limits.
#[track_caller]
fn files(sandbox: &Sandbox, before: &str, options: &[&str]) -> (String, String) {
    let before = format!("--nofile={before}");
    let args = [&[before.as_str(), "chpst"], options, &LIMITS].concat();
    limits(&printed(run(sandbox, "prlimit", &args)))["Max open files"].clone()
}

#[test]
fn a_soft_limit_is_raised_and_lowered() {
    let sandbox = Sandbox::new();
    assert_eq!(files(&sandbox, "20:40", &["-o", "30"]), ("30".into(), "40".into()));
    assert_eq!(files(&sandbox, "20:40", &["-o", "10"]), ("10".into(), "40".into()));
    assert_eq!(files(&sandbox, "20:40", &["-o", "20"]), ("20".into(), "40".into()));
}

#[test]
fn a_value_above_the_hard_limit_is_lowered_to_it_even_for_root() {
    let sandbox = Sandbox::new();
    for value in ["40", "41", "4000", "4294967296", "9223372036854775807"] {
        assert_eq!(files(&sandbox, "20:40", &["-o", value]), ("40".into(), "40".into()), "{value}");
    }
}

#[test]
fn lowering_is_said_if_asked_for() {
    if only_svbox("lowered") {
        return;
    }
    let sandbox = Sandbox::new();
    let with = |value: &str| {
        run(&sandbox, "prlimit", &["--nofile=20:40", "chpst", "-v", "-o", value, "echo", "ran"])
    };
    let (code, stdout, stderr) = with("41");
    assert_eq!((code, stdout.as_str()), (Some(0), "ran\n"));
    assert!(stderr.starts_with("chpst: warning: ") && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(with("40"), success("ran\n"));
}

#[test]
fn digits_are_decimal_and_no_digits_are_zero() {
    let sandbox = Sandbox::new();
    assert_eq!(files(&sandbox, "20:40", &["-o", "010"]), ("10".into(), "40".into()));
    assert_eq!(files(&sandbox, "20:40", &["-o", "0000000000000000000000000010"]), ("10".into(), "40".into()));
    assert_eq!(
        changed(&sandbox, "chpst", &["-c", "5", "-r", ""]),
        changed(&sandbox, "chpst", &["-c5", "-r0"])
    );
    assert_eq!(changed(&sandbox, "chpst", &["-r", ""]), all(&[("Max resident set", "0")]));
}

#[test]
fn a_value_of_2_to_the_63_and_more_is_an_error() {
    if only_svbox("huge limits") {
        return;
    }
    let sandbox = Sandbox::new();
    let values = [
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551626",
        "99999999999999999999999999999999",
    ];
    for (name, letters) in [("chpst", "mdopfcrtas"), ("softlimit", "acdflmoprst")] {
        for letter in letters.chars() {
            for value in values {
                let (code, stdout, stderr) =
                    run(&sandbox, name, &[&format!("-{letter}"), value, "echo", "ran"]);
                assert!(code == Some(100) || code == Some(111), "{code:?} {name} -{letter} {value}");
                assert_eq!(stdout, "", "{name} -{letter} {value}");
                assert_ne!(stderr, "", "{name} -{letter} {value}");
            }
        }
    }
}

#[test]
fn a_program_that_takes_too_much_time_is_stopped_by_the_kernel() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("chpst");
    let status = command.args(["-t", "1", "-c", "0", "sh", "-c", "while :; do :; done"]).status().unwrap();
    assert_eq!(status.signal(), Some(rustix::process::Signal::XCPU.as_raw()));
}

#[test]
fn a_program_that_needs_more_memory_than_that_dies() {
    let sandbox = Sandbox::new();
    let status = sandbox.command("chpst").args(["-m", "1", "-c", "0", "true"]).status().unwrap();
    assert!(!status.success(), "{status}");
}

#[test]
fn limits_the_system_has_are_not_warned_of() {
    let sandbox = Sandbox::new();
    let options = ["-v", "-d100000000", "-o50", "-p900", "-f9000", "-c9000", "-r9000", "-t900"];
    assert_eq!(chpst(&sandbox, &[&options[..], &["echo", "ran"]].concat()), success("ran\n"));
}

#[test]
fn limits_are_for_users_without_rights_too() {
    let sandbox = Sandbox::new();
    let mut command = unprivileged(&sandbox, "chpst", 65534);
    let shown = limits(&printed(told(command.args(["-o", "50", "-c", "0"]).args(LIMITS))));
    assert_eq!(shown["Max open files"].0, "50");
}
