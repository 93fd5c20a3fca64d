//! The user and group that it works as.

use super::*;

/// A socklog of root's with this in its environment; nothing if we are not root.
fn as_root<'s>(sandbox: &'s Sandbox, variables: &[(&str, &str)]) -> Option<Live<'s>> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("passed over: it takes root");
        return None;
    }
    let mut command = sandbox.command("socklog");
    command.args(["unix", "log"]).env_remove("UID").env_remove("GID").envs(variables.iter().copied());
    Some(Live::run(sandbox, command))
}

/// Users, groups and supplementary groups of a process.
fn ids(socklog: &Live<'_>) -> [String; 3] {
    let status = fs::read_to_string(format!("/proc/{}/status", socklog.running.pid())).unwrap();
    ["Uid:", "Gid:", "Groups:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn it_becomes_the_user_and_group_for_good() {
    let sandbox = Sandbox::new();
    let Some(socklog) = as_root(&sandbox, &[("UID", "4321"), ("GID", "8765")]) else { return };
    assert_eq!(ids(&socklog), ["4321 4321 4321 4321", "8765 8765 8765 8765", "8765"]);
    assert_eq!(socklog.running.stderr(), "listening on log, gid=8765, uid=4321, starting.\n");
    // The socket was made before.
    use std::os::unix::fs::MetadataExt;
    assert_eq!(fs::metadata(sandbox.join("log")).unwrap().uid(), 0);
    socklog.send(&[b"x"]);
    socklog.until_written("x\n");
}

#[test]
fn the_group_is_given_up_with_the_user_kept() {
    let sandbox = Sandbox::new();
    let Some(socklog) = as_root(&sandbox, &[("GID", "8765")]) else { return };
    assert_eq!(ids(&socklog), ["0 0 0 0", "8765 8765 8765 8765", "8765"]);
}

#[test]
fn who_stays_root_is_told() {
    if only_svbox("root in silence") {
        return;
    }
    let user = "socklog: warning: UID is not set: root's is kept\n";
    let group = "socklog: warning: GID is not set: root's is kept\n";
    let rows: [(&[(&str, &str)], String); 4] = [
        (&[], format!("{user}{group}listening on log, starting.\n")),
        (&[("UID", "4321")], format!("{group}listening on log, uid=4321, starting.\n")),
        (&[("GID", "8765")], format!("{user}listening on log, gid=8765, starting.\n")),
        // That was asked for.
        (&[("UID", "0"), ("GID", "0")], "listening on log, gid=0, uid=0, starting.\n".to_owned()),
    ];
    for (variables, said) in rows {
        let sandbox = Sandbox::new();
        let Some(socklog) = as_root(&sandbox, variables) else { return };
        assert_eq!(socklog.running.stderr(), said);
    }
}

#[test]
fn what_is_no_number_is_an_error_before_anything_is_made() {
    if only_svbox("root in silence") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("kmsg", "");
    for (name, shown) in [("UID", "uid"), ("GID", "gid")] {
        for text in ["", "x", "1x", "-1", "4294967295", "4294967296"] {
            for args in [&["unix", "log"][..], &["inet", "127.0.0.1", "0"], &["klog", "kmsg"]] {
                let output = socklog(&sandbox, args).env(name, text).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(111), "{name}={text}");
                assert_eq!(said, format!("socklog: fatal: bad {shown}: {text}\n"));
            }
        }
    }
    assert!(!sandbox.join("log").exists());
}

#[test]
fn who_may_not_change_is_told() {
    if only_svbox("root in silence") {
        return;
    }
    let sandbox = Sandbox::new();
    for (name, what) in [("UID", "setuid"), ("GID", "setgid")] {
        let mut command = unprivileged(&sandbox, "socklog", 4321);
        command.args(["unix", "log"]).env_remove("UID").env_remove("GID").env(name, "8765");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(111));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said, format!("socklog: fatal: unable to {what}: permission denied\n"));
    }
}
