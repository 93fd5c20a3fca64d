//! In which order things are done, as it shows.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// Options that fail, in the order in which they are acted on, and what is said.
const FAILING: [(&str, &str, &str); 6] = [
    ("-e", "missing-env", "unable to switch to directory: missing-env: file does not exist"),
    ("-/", "missing-root", "unable to change directory: missing-root: file does not exist"),
    ("-n", "-5", "unable to set nice level: permission denied"),
    ("-U", "missing-one", "unknown user/group: missing-one"),
    ("-u", "missing-two", "unknown user/group: missing-two"),
    ("-L", "missing/lock", "unable to open lock: missing/lock: file does not exist"),
];

#[test]
fn what_is_done_first_fails_first_wherever_it_is_on_the_line() {
    let sandbox = Sandbox::new();
    for (index, first) in FAILING.iter().enumerate() {
        for second in &FAILING[index + 1..] {
            for pair in [[first, second], [second, first]] {
                let mut command = unprivileged(&sandbox, "chpst", 65534);
                for (option, value, _) in pair {
                    command.args([option, value]);
                }
                assert_eq!(told(command.args(["-012", "missing"])), fatal(first.2), "{pair:?}");
            }
        }
    }
}

#[test]
fn the_other_directory_comes_behind_the_root_and_before_the_nice_value() {
    if only_svbox("directory") {
        return;
    }
    let sandbox = Sandbox::new();
    let dir = ("-C", "missing-dir", "unable to change directory: missing-dir: file does not exist");
    for (index, other) in FAILING.iter().enumerate() {
        let first = if index < 2 { other } else { &dir };
        let args = ["-C", "missing-dir", other.0, other.1, "true"];
        assert_eq!(told(unprivileged(&sandbox, "chpst", 65534).args(args)), fatal(first.2));
    }
}

#[test]
fn the_nice_value_is_lowered_before_the_rights_are_gone() {
    if only_root() {
        return;
    }
    assert_eq!(chpst(&Sandbox::new(), &["-u", ":65534:65534", "-n", "-5", "nice"]), success("-5\n"));
}

#[test]
fn the_environment_is_read_before_the_rights_are_gone() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let secret = sandbox.write("env/A", "secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(sandbox.join("env"), fs::Permissions::from_mode(0o700)).unwrap();
    let shown = chpst(&sandbox, &["-u", ":65534:65534", "-e", "env", "sh", "-c", "echo $A"]);
    assert_eq!(shown, success("secret\n"));
}

#[test]
fn ids_take_the_place_of_files_with_their_names() {
    let sandbox = Sandbox::new();
    sandbox.write("env/UID", "1");
    sandbox.write("env/GID", "");
    sandbox.write("env/A", "a");
    for args in [["-e", "env", "-U", ":5:6"], ["-U", ":5:6", "-e", "env"]] {
        let shown = chpst(&sandbox, &[&args[..], &["sh", "-c", "echo $UID $GID $A"]].concat());
        assert_eq!(shown, success("5 6 a\n"), "{args:?}");
    }
}

#[test]
fn the_lock_is_opened_with_the_new_ids() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = fatal("unable to open lock: lock: access denied");
    assert_eq!(chpst(&sandbox, &["-l", "lock", "-u", ":65534:65533", "true"]), refused);
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(chpst(&sandbox, &["-l", "lock", "-u", ":65534:65533", "true"]), success(""));
    let made = fs::metadata(sandbox.join("lock")).unwrap();
    assert_eq!((made.uid(), made.gid()), (65534, 65533));
}

#[test]
fn limits_are_not_for_chpst_itself() {
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "a");
    // Nothing can be opened with these: not the directory, not the lock.
    for limit in ["-o0", "-o3", "-f0"] {
        let (_, _, stderr) = chpst(&sandbox, &[limit, "-e", "env", "-l", "lock", "cat"]);
        assert!(!stderr.contains("chpst: "), "{stderr}");
        assert!(fs::remove_file(sandbox.join("lock")).is_ok());
    }
}

#[test]
fn the_lock_is_taken_before_descriptors_are_closed() {
    let sandbox = Sandbox::new();
    let script = "readlink /proc/$$/fd/3 >shown";
    assert_eq!(chpst(&sandbox, &["-012", "-l", "lock", "sh", "-c", script]), success(""));
    assert!(sandbox.read("shown").ends_with("/lock\n"), "{}", sandbox.read("shown"));
}
