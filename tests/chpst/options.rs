//! The command line of chpst.

use super::*;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;

/// A program that must not be run.
const NEVER: &str = "./never";

/// Checks that these arguments are a usage error, and that no program is run.
#[track_caller]
fn assert_misuse(args: &[&OsStr], complaint: &[u8]) {
    let sandbox = Sandbox::new();
    executable(&sandbox, &[("never", "#!/bin/sh\necho >ran")]);
    let output = sandbox.command("chpst").args(args).output().unwrap();
    let expected = [complaint, usage("chpst").as_bytes()].concat();
    assert_eq!(output.stderr.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{args:?}");
    assert_eq!((output.status.code(), output.stdout), (Some(100), Vec::new()), "{args:?}");
    assert!(!sandbox.join("ran").exists(), "{args:?}");
}

fn words<'a>(args: &[&'a str]) -> Vec<&'a OsStr> {
    args.iter().map(|word| OsStr::new(*word)).collect()
}

/// The options that take a value.
fn with_value() -> String {
    format!("uUbe/nlLmdopfcrt{}", if against_runit() { "" } else { "CAas" })
}

#[test]
fn without_a_program_it_shows_its_usage() {
    for args in [
        &[][..],
        &["--"],
        &["-v"],
        &["-P"],
        &["-012"],
        &["-m5"],
        &["-m", "5"],
        &["-e", "missing"],
        &["-u", "nobody-at-all"],
        &["-l", "lock", "--"],
    ] {
        assert_misuse(&words(args), b"");
    }
}

#[test]
fn an_unknown_option_is_a_usage_error() {
    // What is known to svbox, and to Debian's.
    let known = "vVPFI012NuUbe/CnAlLmdopfcrtas-";
    for byte in b'!'..=b'~' {
        if known.contains(char::from(byte)) {
            continue;
        }
        let option = format!("-{}", char::from(byte));
        let complaint = format!("chpst: illegal option -- {}\n", char::from(byte));
        assert_misuse(&words(&[&option, NEVER]), complaint.as_bytes());
    }
}

#[test]
fn an_unknown_option_behind_known_ones_is_a_usage_error() {
    assert_misuse(&words(&["-Px", NEVER]), b"chpst: illegal option -- x\n");
    assert_misuse(&words(&["-P-", NEVER]), b"chpst: illegal option -- -\n");
    assert_misuse(&words(&["-P", "-m5", "-x", NEVER]), b"chpst: illegal option -- x\n");
}

#[test]
fn an_option_may_be_any_byte_in_the_complaint() {
    for byte in [b'\x01', b'\x7f', b'\x80', b'\xc3', b'\xff'] {
        let complaint = [b"chpst: illegal option -- ".as_slice(), &[byte], b"\n"].concat();
        assert_misuse(&[OsStr::from_bytes(&[b'-', byte]), OsStr::new(NEVER)], &complaint);
    }
}

#[test]
fn an_option_without_its_value_is_a_usage_error() {
    for letter in with_value().chars() {
        let complaint = format!("chpst: option requires an argument -- {letter}\n");
        assert_misuse(&words(&[&format!("-{letter}")]), complaint.as_bytes());
        assert_misuse(&words(&[&format!("-vP{letter}")]), complaint.as_bytes());
    }
}

#[test]
fn a_limit_that_is_not_all_digits_is_a_usage_error() {
    for letter in "mdopfcrt".chars() {
        for number in ["x", "1x", "-1", "+1", " 1", "1 ", "0x1", "1.5", "="] {
            assert_misuse(&words(&[&format!("-{letter}"), number, NEVER]), b"");
        }
    }
}

#[test]
fn the_limits_of_softlimit_are_taken_too() {
    if only_svbox("limit letters") {
        return;
    }
    for letter in ["-a", "-s"] {
        for number in ["x", "1x", "-1", "="] {
            assert_misuse(&words(&[letter, number, NEVER]), b"");
        }
    }
}

#[test]
fn a_nice_value_is_digits_behind_at_most_one_sign() {
    for number in ["x", "1x", "--1", "+-1", "-+1", "++1", " 1", "1 ", "- 1", "-x", "1-", "0x1"] {
        assert_misuse(&words(&["-n", number, NEVER]), b"");
    }
}

#[test]
fn a_second_lock_is_a_usage_error() {
    for (one, two) in [("-l", "-l"), ("-l", "-L"), ("-L", "-l"), ("-L", "-L")] {
        assert_misuse(&words(&[one, "a", two, "b", NEVER]), b"");
        assert_misuse(&words(&[one, "a", "-P", two, "a", NEVER]), b"");
    }
}

#[test]
fn a_usage_error_leaves_everything_as_it_is() {
    let sandbox = Sandbox::new();
    assert_eq!(chpst(&sandbox, &["-l", "lock", "-x", "true"]).0, Some(100));
    assert_eq!(chpst(&sandbox, &["-l", "lock", "-m", "x", "true"]).0, Some(100));
    assert_eq!(chpst(&sandbox, &["-l", "lock"]).0, Some(100));
    assert!(!sandbox.join("lock").exists());
}

#[test]
fn the_first_error_on_the_line_counts() {
    assert_misuse(&words(&["-x", "-V", NEVER]), b"chpst: illegal option -- x\n");
    assert_misuse(&words(&["-n", "x", "-V", NEVER]), b"");
    assert_misuse(&words(&["-m", "x", "-y", NEVER]), b"");
    assert_misuse(&words(&["-l", "a", "-l", "b", "-V", NEVER]), b"");
}

#[test]
fn the_version_is_shown_before_the_usage_whatever_follows() {
    for args in [&["-V"][..], &["-V", NEVER], &["-vPV", NEVER], &["-V", "-x"], &["-Vx"], &["-V", "-n", "x"]] {
        let sandbox = Sandbox::new();
        executable(&sandbox, &[("never", "#!/bin/sh\necho >ran")]);
        let (code, stdout, stderr) = chpst(&sandbox, args);
        let version = stderr.strip_suffix(&usage("chpst")).expect("the usage last");
        assert!(version.len() > 1 && version.ends_with('\n'), "{args:?}: {version:?}");
        assert_eq!(version.matches('\n').count(), 1, "{args:?}: {version:?}");
        assert_eq!((code, stdout), (Some(100), String::new()), "{args:?}");
        assert!(!sandbox.join("ran").exists(), "{args:?}");
    }
}

#[test]
fn our_version_line_names_svbox_and_the_program() {
    if only_svbox("multicall") {
        return;
    }
    let version = format!("svbox chpst {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(chpst(&Sandbox::new(), &["-V"]), misuse(&version, &usage("chpst")));
}

#[test]
fn the_usage_has_the_name_without_its_directory_and_without_a_leading_d() {
    let sandbox = Sandbox::new();
    for (argv0, complains, shows) in [
        ("chpst", "chpst", "chpst"),
        ("/some/where/chpst", "chpst", "chpst"),
        ("dchpst", "dchpst", "chpst"),
        ("some/where/dchpst", "dchpst", "chpst"),
    ] {
        let named = |args: &[&str]| told(sandbox.command("chpst").arg0(argv0).args(args));
        assert_eq!(named(&[]), misuse("", &usage(shows)));
        assert_eq!(
            named(&["-x"]),
            misuse(&format!("{complains}: illegal option -- x\n"), &usage(shows)),
            "{argv0}"
        );
    }
}

#[test]
fn flags_are_joined_and_a_value_is_the_rest_of_the_word_or_the_next_word() {
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "a\n");
    let show = ["sh", "-c", "echo $A $0 $(ulimit -Sn) $(ulimit -Sc)", "-x"];
    for args in [
        &["-v", "-P", "-e", "env", "-o", "30", "-c", "1024"][..],
        &["-vP", "-eenv", "-o30", "-c1024"],
        &["-vPeenv", "-Po30", "-vc1024"],
        &["-vPe", "env", "-Po", "30", "-vc", "1024"],
        &["-e", "env", "-o30", "-c1024", "--"],
    ] {
        let [soft, core] = ["30", "2"];
        assert_eq!(
            chpst(&sandbox, &[args, &show].concat()),
            success(&format!("a -x {soft} {core}\n")),
            "{args:?}"
        );
    }
}

#[test]
fn the_last_of_several_values_counts() {
    let sandbox = Sandbox::new();
    sandbox.write("one/A", "one");
    sandbox.write("one/B", "one");
    sandbox.write("two/A", "two");
    let rows: &[(&[&str], &[&str], &str)] = &[
        (&["-e", "one", "-e", "two"], &["sh", "-c", "echo $A,$B"], "two,\n"),
        (&["-e", "missing", "-e", "two"], &["sh", "-c", "echo $A"], "two\n"),
        (&["-b", "one", "-b", "two"], &["sh", "-c", "echo $0"], "two\n"),
        (&["-U", ":1:2", "-U", ":3:4"], &["sh", "-c", "echo $UID $GID"], "3 4\n"),
        (&["-U", "nobody-at-all", "-U", ":3:4"], &["sh", "-c", "echo $UID $GID"], "3 4\n"),
        (&["-o", "30", "-o40"], &["sh", "-c", "ulimit -Sn"], "40\n"),
        (&["-n", "5", "-n", "3"], &["nice"], "3\n"),
        (&["-n", "5", "-n", "0"], &["nice"], "0\n"),
    ];
    for (options, program, expected) in rows {
        assert_eq!(chpst(&sandbox, &[*options, program].concat()), success(expected), "{options:?}");
    }
}

#[test]
fn a_value_may_look_like_an_option() {
    let sandbox = Sandbox::new();
    sandbox.write("-P/A", "a");
    assert_eq!(chpst(&sandbox, &["-e", "-P", "sh", "-c", "echo $A"]), success("a\n"));
    assert_eq!(chpst(&sandbox, &["-e", "--", "true"]).0, Some(111));
    assert_eq!(chpst(&sandbox, &["-b", "-x", "sh", "-c", "echo $0"]), success("-x\n"));
    assert_eq!(chpst(&sandbox, &["-u", "-P", "true"]), fatal("unknown user/group: -P"));
}

#[test]
fn two_dashes_end_the_options() {
    let sandbox = Sandbox::new();
    assert_eq!(chpst(&sandbox, &["--", "sh", "-c", "exit 8"]).0, Some(8));
    assert_eq!(chpst(&sandbox, &["-P", "--", "sh", "-c", "exit 8"]).0, Some(8));
    assert_eq!(chpst(&sandbox, &["--", "-V"]), fatal("unable to run: -V: file does not exist"));
    assert_eq!(chpst(&sandbox, &["--", "--"]), fatal("unable to run: --: file does not exist"));
}

#[test]
fn a_lone_dash_is_a_program() {
    let sandbox = Sandbox::new();
    assert_eq!(chpst(&sandbox, &["-"]), fatal("unable to run: -: file does not exist"));
    assert_eq!(chpst(&sandbox, &["-P", "-", "-V"]), fatal("unable to run: -: file does not exist"));
    executable(&sandbox, &[("bin/-", "#!/bin/sh\necho dash $*")]);
    let mut command = sandbox.command("chpst");
    let path = format!("{}:/usr/bin:/bin", sandbox.join("bin").display());
    assert_eq!(told(command.env("PATH", path).args(["-P", "-", "-V"])), success("dash -V\n"));
}

#[test]
fn what_follows_the_program_belongs_to_it() {
    let sandbox = Sandbox::new();
    let show = ["sh", "-c", "echo $*", "sh", "-V", "--", "-x", "-"];
    assert_eq!(chpst(&sandbox, &show), success("-V -- -x -\n"));
    assert_eq!(chpst(&sandbox, &["echo", "-P", "-m", "x"]), success("-P -m x\n"));
}

#[test]
fn arguments_are_any_bytes() {
    let sandbox = Sandbox::new();
    let raw = OsStr::from_bytes(b"a\xff\xfe\n\x01");
    fs::create_dir(sandbox.join(raw)).unwrap();
    fs::write(sandbox.join(raw).join("A"), b"\xfd").unwrap();
    let mut command = sandbox.command("chpst");
    command.arg("-e").arg(raw).arg("-b").arg(raw);
    let show = r#"printf %s "$A,$1,"; tr '\0' , </proc/$$/cmdline"#;
    command.args(["sh", "-c", show, "name"]).arg(raw);
    let raw = raw.as_bytes();
    let cmdline = [raw, b"-c", show.as_bytes(), b"name", raw].join(b",".as_slice());
    let expected = [b"\xfd,".as_slice(), raw, b",", &cmdline, b","].concat();
    let output = command.output().unwrap();
    assert_eq!(output.stdout.escape_ascii().to_string(), expected.escape_ascii().to_string());
    for (option, message) in [
        ("-u", "unknown user/group: "),
        ("-U", "unknown user/group: "),
        ("-l", "unable to open lock: missing/"),
        ("-/", "unable to change directory: "),
        ("-b", "unable to run: "),
    ] {
        let raw: &[u8] = if option == "-l" { b"missing/\xff" } else { b"\xff" };
        let program = if option == "-b" { OsStr::from_bytes(raw) } else { OsStr::new(NEVER) };
        let output =
            sandbox.command("chpst").arg(option).arg(OsStr::from_bytes(raw)).arg(program).output().unwrap();
        let start = [b"chpst: fatal: ", message.as_bytes(), b"\xff"].concat();
        assert!(output.stderr.starts_with(&start), "{}", output.stderr.escape_ascii());
        assert_eq!(output.status.code(), Some(111));
    }
}
