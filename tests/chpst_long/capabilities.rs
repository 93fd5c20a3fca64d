//! `--no-new-privs`, `--cap-bound`, `--cap-ambient`: what a program may have, and what it cannot get back.

use super::*;
use rustix::fs::{XattrFlags, setxattr};

/// By their numbers.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];
const CHOWN: u64 = 1;
const SETUID: u64 = 1 << 7;
const SETPCAP: u64 = 1 << 8;
const NET_RAW: u64 = 1 << 13;
const SYS_ADMIN: u64 = 1 << 21;

/// A `cat` in the sandbox with these file capabilities, effective or not.
fn with_file_capabilities(sandbox: &Sandbox, name: &str, permitted: u32, inheritable: u32, effective: bool) {
    copy(sandbox, "/bin/cat", name);
    let words = [0x0200_0000 | u32::from(effective), permitted, inheritable, 0, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    setxattr(sandbox.join(name), c"security.capability", &bytes, XattrFlags::empty()).unwrap();
}

/// A `cat` in the sandbox that runs as root, whoever calls it.
fn with_set_user_id(sandbox: &Sandbox, name: &str) {
    copy(sandbox, "/bin/cat", name);
    fs::set_permissions(sandbox.join(name), fs::Permissions::from_mode(0o4755)).unwrap();
}

#[test]
fn only_the_listed_capabilities_are_left_in_the_bounding_set() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let own = own_bound(&sandbox);
    for (list, left) in [
        ("none", 0),
        ("all", own),
        ("all,-sys_admin", own & !SYS_ADMIN),
        ("all,-sys_admin,-cap_chown", own & !SYS_ADMIN & !CHOWN),
        ("chown", CHOWN),
        ("cap_chown,net_raw", CHOWN | NET_RAW),
        ("chown,net_raw,-chown", NET_RAW),
        ("-chown,chown", CHOWN),
        ("none,chown", CHOWN),
        ("all,-all,setuid", SETUID),
    ] {
        let shown = seen(root(&sandbox), &[&["--cap-bound", list][..], &LOOK].concat());
        assert_eq!(set(&shown, "CapBnd"), left & own, "{list}");
        // What root gets when a program is run is bounded by it.
        assert_eq!(
            (set(&shown, "CapPrm"), set(&shown, "CapEff"), set(&shown, "CapInh")),
            (left & own, left & own, 0),
            "{list}"
        );
    }
}

#[test]
fn each_capability_is_known_by_its_name() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let own = own_bound(&sandbox);
    for (number, name) in NAMES.iter().enumerate() {
        let shown = seen(root(&sandbox), &[&["--cap-bound", name][..], &LOOK].concat());
        assert_eq!(set(&shown, "CapBnd"), own & 1 << number, "{name}");
    }
}

#[test]
fn the_last_list_counts() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["--cap-bound", "none", "--cap-bound", "chown,net_raw", "--cap-bound", "chown"];
    let shown = seen(root(&sandbox), &[&options[..], &LOOK].concat());
    assert_eq!(set(&shown, "CapBnd"), CHOWN);
}

#[test]
fn the_inheritable_set_is_bounded_as_well() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (list, left) in [("none", 0), ("chown,setuid", CHOWN), ("all,-net_raw", CHOWN)] {
        let mut setpriv = sandbox.command("setpriv");
        setpriv.args(["--inh-caps", "+chown,+net_raw", "--"]).arg(program("chpst"));
        let shown = seen(setpriv, &[&["--cap-bound", list][..], &LOOK].concat());
        assert_eq!((set(&shown, "CapInh"), set(&shown, "CapPrm") & NET_RAW), (left, 0), "{list}");
    }
}

#[test]
fn ambient_capabilities_end_with_the_bounding_set() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut setpriv = sandbox.command("setpriv");
    setpriv.args(["--inh-caps", "+setpcap,+net_raw", "--ambient-caps", "+setpcap,+net_raw"]);
    setpriv.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"]).arg(reachable(&sandbox));
    let shown = seen(setpriv, &[&["--cap-bound", "setpcap"][..], &LOOK].concat());
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(set(&shown, name) & !SETPCAP, 0, "{name} in {shown}");
    }
}

#[test]
fn a_file_capability_does_not_bring_back_what_was_bounded() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    with_file_capabilities(&sandbox, "permitted", CHOWN as u32, 0, false);
    with_file_capabilities(&sandbox, "effective", CHOWN as u32, 0, true);
    with_file_capabilities(&sandbox, "inheritable", 0, CHOWN as u32, true);

    let gained = seen(user(&sandbox), &["./permitted", "/proc/self/status"]);
    assert_eq!(set(&gained, "CapPrm"), CHOWN, "this place gives no file capabilities");
    for who in [&["-u", ":1000:1000"][..], &[]] {
        let options = [who, &["--cap-bound", "all,-chown"]].concat();
        for file in ["./permitted", "./inheritable"] {
            let shown = seen(root(&sandbox), &[&options[..], &[file, "/proc/self/status"]].concat());
            assert_eq!(set(&shown, "CapPrm") & CHOWN, 0, "{options:?} {file}");
        }
        // By a shell, since chpst itself would rather say that it cannot be run.
        let again = "./effective /proc/self/status 2>/dev/null || echo CapPrm: 0";
        let shown = script(root(&sandbox), &options, again);
        assert_eq!(set(&shown, "CapPrm") & CHOWN, 0, "{options:?}");
    }
}

#[test]
fn a_set_user_id_program_does_not_bring_back_what_was_bounded() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    with_set_user_id(&sandbox, "suid");
    let look = ["./suid", "/proc/self/status"];
    let gained = seen(user(&sandbox), &look);
    assert_eq!(set(&gained, "CapPrm") & CHOWN, CHOWN, "this place takes no set-user-ID programs");

    let options = ["-u", ":1000:1000", "--cap-bound", "net_raw"];
    let shown = seen(root(&sandbox), &[&options[..], &look].concat());
    assert_eq!((set(&shown, "CapPrm"), set(&shown, "CapBnd")), (NET_RAW, NET_RAW));
}

#[test]
fn root_without_capabilities_cannot_use_or_raise_them() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let attempts = "exec 2>/dev/null
        chown 1:1 file && echo chown
        setpriv --inh-caps +chown true && echo inheritable
        setpriv --ambient-caps +chown cat /proc/self/status | grep 'CapAmb.*[1-9a-f]'
        setpriv --bounding-set +chown cat /proc/self/status | grep -q 'CapBnd.*1$' && echo bounding
        chpst --cap-ambient chown true && echo chpst
        mount -t tmpfs tmpfs . && echo mount
        echo done";
    assert_eq!(script(root(&sandbox), &["--cap-bound", "none"], attempts), "done\n");
}

#[test]
fn without_privileges_the_bounding_set_stays_and_that_is_fatal() {
    if only_svbox("long options") {
        return;
    }
    for options in [&["--cap-bound", "none"][..], &["--no-new-privs", "--cap-bound", "all,-chown"]] {
        let sandbox = Sandbox::new();
        refused(&sandbox, user(&sandbox), options, "unable to set bounding set: permission denied");
    }
}

#[test]
fn the_bounding_set_of_a_user_namespace_can_be_bounded_without_privileges() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["--ns", "user", "--cap-bound", "none"];
    let shown = seen(user(&sandbox), &[&options[..], &LOOK].concat());
    assert_eq!((set(&shown, "CapBnd"), set(&shown, "CapPrm")), (0, 0));
}

#[test]
fn with_u_the_ambient_capabilities_are_the_only_ones() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (list, has) in [("net_raw", NET_RAW), ("chown,cap_net_raw", CHOWN | NET_RAW), ("none", 0)] {
        let options = ["-u", ":1000:1000", "--cap-ambient", list];
        let shown = seen(root(&sandbox), &[&options[..], &LOOK].concat());
        for name in ["CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(set(&shown, name), has, "{list}: {name}");
        }
        assert_eq!(status(&shown, "Uid"), "1000\t1000\t1000\t1000");
    }
}

#[test]
fn an_ambient_capability_can_be_used_and_goes_on_to_children() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let options = ["-u", ":1000:1000", "--cap-ambient", "chown"];
    assert_eq!(script(root(&sandbox), &options, "sh -c 'chown 77 file' && stat -c %u file"), "77\n");
    assert_eq!(script(root(&sandbox), &["-u", ":1000:1000"], "chown 78 file 2>/dev/null || echo no"), "no\n");
}

#[test]
fn no_ambient_capability_is_left_by_an_empty_list() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut setpriv = sandbox.command("setpriv");
    setpriv.args([
        "--inh-caps",
        "+net_raw",
        "--ambient-caps",
        "+net_raw",
        "--reuid",
        "1000",
        "--regid",
        "1000",
    ]);
    setpriv.args(["--clear-groups", "--"]).arg(reachable(&sandbox));
    let shown = seen(setpriv, &[&["--cap-ambient", "none"][..], &LOOK].concat());
    assert_eq!((set(&shown, "CapAmb"), set(&shown, "CapPrm")), (0, 0));
}

#[test]
fn a_capability_that_chpst_does_not_have_cannot_be_ambient() {
    if only_svbox("long options") {
        return;
    }
    let message = "unable to set ambient capabilities: permission denied";
    let sandbox = Sandbox::new();
    refused(&sandbox, user(&sandbox), &["--cap-ambient", "net_raw"], message);
    refused(&sandbox, root(&sandbox), &["--cap-bound", "net_raw", "--cap-ambient", "chown"], message);
    let mut without = root(&sandbox);
    without.args(["--cap-bound", "all,-net_raw"]).arg(program("chpst"));
    refused(&sandbox, without, &["--cap-ambient", "net_raw"], message);
}

#[test]
fn a_bounded_program_can_have_the_ambient_capabilities_that_are_left() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["--cap-ambient", "chown", "-u", ":1000:1000", "--cap-bound", "chown,net_raw"];
    let shown = seen(root(&sandbox), &[&options[..], &LOOK].concat());
    let sets = ["CapBnd", "CapPrm", "CapEff", "CapAmb"].map(|name| set(&shown, name));
    assert_eq!(sets, [CHOWN | NET_RAW, CHOWN, CHOWN, CHOWN]);
}

#[test]
fn a_program_without_new_privileges_says_so_to_its_children() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let shown = script(caller(&sandbox), &["--no-new-privs"], "(cat /proc/self/status); :");
        assert_eq!(status(&shown, "NoNewPrivs"), "1");
    }
}

#[test]
fn no_new_privileges_come_from_a_set_user_id_program_or_file_capabilities() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    with_set_user_id(&sandbox, "suid");
    with_file_capabilities(&sandbox, "file", CHOWN as u32, 0, true);
    for (caller, options) in [(user as Caller, &[][..]), (root, &["-u", ":1000:1000"])] {
        for (name, whose, has) in [("./suid", "0", SETUID | CHOWN), ("./file", "1000", CHOWN)] {
            let look = [options, &[name, "/proc/self/status"]].concat();
            let gained = seen(caller(&sandbox), &look);
            assert_eq!(set(&gained, "CapPrm") & (SETUID | CHOWN), has, "nothing to be gained by {name}");
            assert_eq!(status(&gained, "Uid").split('\t').nth(1), Some(whose));

            let shown = seen(caller(&sandbox), &[&["--no-new-privs"], &look[..]].concat());
            assert_eq!(set(&shown, "CapPrm"), 0, "{name}");
            assert_eq!(status(&shown, "Uid"), "1000\t1000\t1000\t1000", "{name}");
        }
    }
}
