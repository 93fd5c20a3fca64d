//! The command line.

use super::*;
use std::os::unix::process::CommandExt;

fn usage(name: &str) -> String {
    let flags = if against_runit() { "-ttv" } else { "-tttvL" };
    format!("usage: {name} [{flags}] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n\n")
}

/// Checks that these arguments are a usage error, and what is said before the usage.
#[track_caller]
fn assert_misuse(args: &[&str], complaint: &str) {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "");
    let output = sandbox.command("svlogd").arg0("svlogd").args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), said),
        (Some(111), format!("{complaint}{}", usage("svlogd"))),
        "{args:?}"
    );
    assert!(output.stdout.is_empty());
    assert!(!sandbox.join("d/current").exists(), "something was logged");
}

#[test]
fn without_a_directory_it_shows_its_usage_with_the_name_it_was_called_by() {
    let sandbox = Sandbox::new();
    let output = sandbox.command("svlogd").arg0("some/where/svlogd").output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), usage("some/where/svlogd"));
    assert_eq!(output.status.code(), Some(111));
}

#[test]
fn options_without_a_directory_are_a_usage_error() {
    for args in [&["-t"][..], &["-ttt", "-v"], &["-r", "x"], &["-R", "x"], &["-l", "10"], &["--"]] {
        assert_misuse(args, "");
    }
}

#[test]
fn an_unknown_option_is_a_usage_error() {
    assert_misuse(&["-x", "d"], "svlogd: illegal option -- x\n");
    assert_misuse(&["-tx", "d"], "svlogd: illegal option -- x\n");
}

#[test]
fn the_complaint_about_an_option_has_the_last_part_of_the_name() {
    let sandbox = Sandbox::new();
    let output = sandbox.command("svlogd").arg0("/some/where/svlogd").args(["-x", "d"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("svlogd: illegal option -- x\n{}", usage("/some/where/svlogd")));
}

#[test]
fn an_option_without_its_argument_is_a_usage_error() {
    for option in ["r", "R", "l", "b"] {
        assert_misuse(
            &[&format!("-{option}")],
            &format!("svlogd: option requires an argument -- {option}\n"),
        );
    }
}

#[test]
fn the_replacement_is_exactly_one_byte() {
    for argument in ["", "ab", "\u{e4}"] {
        assert_misuse(&["-r", argument, "d"], "");
    }
}

#[test]
fn the_buffer_must_be_larger_than_the_length() {
    for args in [&["-b", "1000"][..], &["-l", "1024"], &["-l", "20", "-b", "20"], &["-b20", "-l21"]] {
        assert_misuse(&[args, &["d"]].concat(), "");
    }
}

#[test]
fn a_buffer_one_byte_larger_than_the_length_will_do() {
    for args in [&["-b", "1001"][..], &["-l", "1023"], &["-l", "20", "-b", "21"], &["-l1", "-b2"]] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", "");
        let line = "x".repeat(3000) + "\nshort\n";
        fed(&sandbox, &[args, &["d"]].concat(), &line);
        assert_eq!(log.current(), line, "{args:?}");
    }
}

#[test]
fn the_version_is_shown_before_the_usage() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "");
    let output = sandbox.command("svlogd").arg0("svlogd").args(["-V", "d"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let version = said.strip_suffix(&usage("svlogd")).unwrap();
    assert_eq!(version.matches('\n').count(), 1, "{version:?}");
    assert!(version.len() > 1 && version.ends_with('\n'), "{version:?}");
    assert_eq!(output.status.code(), Some(111));
    assert!(!sandbox.join("d/current").exists());
}

#[test]
fn an_argument_of_an_option_is_the_rest_of_the_word_or_the_next_word() {
    for args in [&["-l5", "-r", "."][..], &["-l", "5", "-r."], &["-ttl5", "-r."], &["-tvl", "5", "-r", "."]] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", "e*\n");
        let (code, said) = feed(&sandbox, &[args, &["d"]].concat(), "1\t34567\n");
        assert_eq!(code, Some(0), "{args:?}: {said}");
        assert!(log.current().contains("1.345"), "{args:?}: {}", log.current());
        assert!(said.contains("1.345...\n"), "{args:?}: {said}");
    }
}

#[test]
fn a_length_of_zero_or_no_number_means_a_thousand() {
    for length in ["0", "x", "-5", "00"] {
        let sandbox = Sandbox::new();
        log(&sandbox, "d", "e*\n");
        let (code, said) = feed(&sandbox, &["-l", length, "d"], "x".repeat(1500) + "\n");
        assert_eq!((code, said), (Some(0), "x".repeat(1000) + "...\n"), "{length}");
    }
}

#[test]
fn what_follows_the_digits_of_a_length_is_ignored() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "e*\n");
    assert_eq!(feed(&sandbox, &["-l", "7k", "d"], "123456789\n"), (Some(0), "1234567...\n".into()));
}

#[test]
fn two_dashes_end_the_options() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "-t", "");
    fed(&sandbox, &["--", "-t"], "a\n");
    assert_eq!(log.current(), "a\n");
}

#[test]
fn what_follows_the_first_directory_is_a_directory() {
    let sandbox = Sandbox::new();
    let one = log(&sandbox, "d", "");
    let two = log(&sandbox, "-t", "");
    fed(&sandbox, &["d", "-t"], "a\n");
    assert_eq!((one.current(), two.current()), ("a\n".into(), "a\n".into()));
}

#[test]
fn a_lone_dash_is_a_directory() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "-", "");
    fed(&sandbox, &["-"], "a\n");
    assert_eq!(log.current(), "a\n");
}

#[test]
fn being_talkative_twice_is_being_talkative() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "");
    let (_, said) = feed(&sandbox, &["-v", "-vv", "d"], "a\n");
    assert_eq!(said, "svlogd: info: new: d/current\nsvlogd: info: close: d\n");
}

#[test]
fn keeping_names_in_order_can_be_asked_for() {
    if only_svbox("M") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["-M", "-M", "d"], "a\n");
    assert_eq!(log.current(), "a\n");
}

#[test]
fn the_options_of_a_car_fleet_are_understood() {
    if only_svbox("M") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["-L", "-tttt", "-M", "d"], "a\n");
    assert!(log.current().ends_with(" a\n"));
    assert_eq!(log.current().len(), 33);
}

#[test]
fn a_start_directory_that_may_not_be_read_is_fatal() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fs::create_dir(sandbox.join("closed")).unwrap();
    fs::set_permissions(sandbox.join("closed"), fs::Permissions::from_mode(0o300)).unwrap();
    let mut command = obeying_modes(&sandbox, &[log.join("").to_str().unwrap()]);
    command.current_dir(sandbox.join("closed"));
    let live = Live::run(&sandbox, command);
    let fatal = "svlogd: fatal: unable to open current working directory: access denied\n";
    assert_eq!(live.end(), (Some(111), fatal.into()));
}
