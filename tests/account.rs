//! Users and groups, from files that say strange things: what `chpst -U` makes of them, with the files in the place
//! of the system's in a mount namespace.

use crate::kit::*;
use std::process::Output;

/// What `chpst -U` of the account says with these files.
fn ask(sandbox: &Sandbox, passwd: &[u8], group: &[u8], account: &str) -> Output {
    sandbox.write("passwd", passwd);
    sandbox.write("group", group);
    let script = "mount --bind passwd /etc/passwd && mount --bind group /etc/group && \
        exec chpst -U \"$0\" sh -c 'echo $UID:$GID'";
    change_namespaces(sandbox, &["--mount"], "sh").args(["-c", script, account]).output().unwrap()
}

#[track_caller]
fn assert_ids(passwd: &[u8], group: &[u8], account: &str, ids: &str) {
    let sandbox = Sandbox::new();
    let output = ask(&sandbox, passwd, group, account);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, format!("{ids}\n"), "{account}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn assert_unknown(passwd: &[u8], group: &[u8], account: &str) {
    let sandbox = Sandbox::new();
    let output = ask(&sandbox, passwd, group, account);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, format!("chpst: fatal: unknown user/group: {account}\n"));
    assert_eq!(output.status.code(), Some(111));
}

#[test]
fn the_first_account_of_a_name_counts() {
    assert_ids(b"a:x:1:2:::\nb:x:3:4:::\nb:x:5:6:::\n", b"", "b", "3:4");
}

#[test]
fn the_last_line_needs_no_newline() {
    assert_ids(b"a:x:1:2:::\nb:x:3:4:::", b"", "b", "3:4");
    assert_ids(b"b:x:3:4:::\n", b"a:x:1:\ng:x:7:a,b", "b:g", "3:7");
}

#[test]
fn a_name_is_not_found_by_its_beginning() {
    assert_unknown(b"abc:x:1:2:::\n", b"", "ab");
    assert_unknown(b"ab:x:1:2:::\n", b"", "abc");
    assert_unknown(b"ab:x:1:2:::\n", b"abc:x:1:\n", "ab:ab");
}

#[test]
fn what_is_no_account_is_passed_over() {
    let passwd =
        b"\n:::\n#b:x:1:1:::\nb\nb:x\nb:x:1\nb:x::2:::\nb:x:-1:2:::\nb:x:1x:2:::\nb:x:1:\nb:x:3:4:::\n";
    if !only_svbox("lines of accounts") {
        assert_ids(passwd, b"", "b", "3:4");
        assert_ids(
            b"b:x:4294967295:1:::\nb:x:4294967296:1:::\nb:x:4294967294:9:::\n",
            b"",
            "b",
            "4294967294:9",
        );
        assert_ids(b"b:x:3:4:::\n", b"g\ng:x\ng:x:\ng:x:x:\ng:x:6\n", "b:g", "3:6");
    }
    assert_unknown(b"", b"", "b");
    assert_unknown(b"\n\n:x:1:1:::\n", b"", "b");
}

/// They stand for the accounts of another source, or for nothing.
#[test]
fn lines_that_begin_with_a_sign_are_no_accounts() {
    for name in ["+", "-", "+b", "-b", "#b", "+@b"] {
        let passwd = format!("{name}:x:0:0:::\n+::::::\nb:x:3:4:::\n");
        assert_unknown(passwd.as_bytes(), b"", name);
        assert_unknown(passwd.as_bytes(), format!("{name}:x:0:\n").as_bytes(), &format!("b:{name}"));
    }
}

#[test]
fn names_may_be_any_bytes_but_colon_and_newline() {
    assert_ids("b\u{e4}r:x:3:4:::\n".as_bytes(), "g\u{f6}:x:5:\n".as_bytes(), "b\u{e4}r:g\u{f6}", "3:5");
}

/// Lines around the size of the buffer, in every position to it.
#[test]
fn long_lines_are_no_trouble() {
    for len in [
        100, 4060, 4070, 4080, 4084, 4085, 4086, 4087, 4088, 4089, 4090, 4095, 4096, 4097, 5000, 8192, 20_000,
    ] {
        let mut passwd = b"long:x:1:2:".to_vec();
        passwd.resize(len, b'g');
        passwd.extend(b"::\nb:x:3:4:::\n");
        assert_ids(&passwd, b"", "long", "1:2");
        assert_ids(&passwd, b"", "b", "3:4");
        let mut group = b"many:x:8:".to_vec();
        group.resize(len, b'm');
        group.extend(b"\ng:x:9:\n");
        assert_ids(b"b:x:3:4:::\n", &group, "b:many", "3:8");
        assert_ids(b"b:x:3:4:::\n", &group, "b:g", "3:9");
    }
}

/// What follows in the same line must not be taken for a line.
#[test]
fn the_rest_of_a_long_line_is_no_line() {
    for shift in 0..40 {
        let mut passwd = b"long:x:1:2:".to_vec();
        passwd.resize(4080 + shift, b'g');
        passwd.extend(b"b:x:5:6:::\nb:x:3:4:::\n");
        assert_ids(&passwd, b"", "b", "3:4");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let sandbox = Sandbox::new();
    let script = "mount -t tmpfs none /etc && exec chpst -U b true";
    let output = change_namespaces(&sandbox, &["--mount"], "sh").args(["-c", script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, "chpst: fatal: unable to get password/group file entry: file does not exist\n");
    assert_eq!(output.status.code(), Some(111));
}
