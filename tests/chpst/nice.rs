//! -n: the nice value.

use super::*;

#[test]
fn a_number_is_added_to_the_nice_value() {
    let sandbox = Sandbox::new();
    for (number, expected) in [("5", 5), ("+5", 5), ("05", 5), ("19", 19), ("1", 1)] {
        assert_eq!(chpst(&sandbox, &["-n", number, "nice"]), success(&format!("{expected}\n")), "{number}");
    }
    assert_eq!(
        chpst(&sandbox, &["-n", "3", program("chpst").to_str().unwrap(), "-n4", "nice"]),
        success("7\n")
    );
}

#[test]
fn nothing_and_no_number_behind_a_sign_do_nothing() {
    let sandbox = Sandbox::new();
    for number in ["0", "", "+", "-", "+0", "-0", "00"] {
        assert_eq!(chpst(&sandbox, &["-n", number, "nice"]), success("0\n"), "{number:?}");
    }
}

#[test]
fn there_is_a_highest_and_a_lowest_value() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (number, expected) in [("100", 19), ("-100", -20), ("-20", -20), ("-5", -5)] {
        assert_eq!(chpst(&sandbox, &["-n", number, "nice"]), success(&format!("{expected}\n")), "{number}");
    }
}

#[test]
fn the_rights_for_a_lower_value_are_needed() {
    let sandbox = Sandbox::new();
    let with = |args: &[&str]| told(unprivileged(&sandbox, "chpst", 65534).args(args));
    assert_eq!(with(&["-n", "4", "nice"]), success("4\n"));
    // EPERM or EACCES, by the C library.
    let (code, stdout, stderr) = with(&["-n", "-5", "nice"]);
    assert_eq!((code, stdout.as_str()), (Some(111), ""));
    assert!(stderr.starts_with("chpst: fatal: unable to set nice level: "), "{stderr}");
    assert_eq!(stderr, "chpst: fatal: unable to set nice level: permission denied\n");
}
