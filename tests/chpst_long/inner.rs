//! The processes and mounts around a program in namespaces: what must not leak out, and what must not be taken back.

use super::*;
use rustix::process::Signal;
use std::os::unix::fs::MetadataExt;

/// A shell in a mount namespace of the test's own, which nothing leaves, in a user namespace if need be.
fn apart(sandbox: &Sandbox, script: &str) -> Command {
    let mut command = change_namespaces(sandbox, &["--mount", "--propagation", "private"], "sh");
    command.args(["-c", script]);
    command
}

#[test]
fn nothing_is_seen_of_a_proc_that_cannot_be_unmounted() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    for options in [&["-F", "--ns", "user"][..], &["-I", "--ns", "user"]] {
        assert_eq!(seen(user(&sandbox), &[options, &["ls", "/proc"]].concat()), "", "{options:?}");
    }
}

#[test]
fn nothing_is_seen_of_a_proc_that_is_mounted_twice() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for option in ["-F", "-I"] {
        let script =
            format!("mount -t proc proc /proc && mount -t proc proc /proc && exec chpst {option} ls /proc");
        assert_eq!(
            told(&apart(&sandbox, &script).output().unwrap()),
            (Some(0), String::new(), String::new())
        );
    }
}

#[test]
fn what_others_have_mounted_stays_where_a_mount_namespace_cannot_be_had() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for (options, code) in [("-F", 111), ("-I", 111), ("--if-supported -F", 0), ("--if-supported -I", 0)] {
        let sandbox = Sandbox::new();
        let script = format!(
            "strace -f -qqq -o trace -e trace=unshare --inject=unshare:error=EINVAL chpst {options} true
            echo $?; test -e /proc/self && echo there"
        );
        let (_, said, complaint) = told(&apart(&sandbox, &script).output().unwrap());
        assert_eq!(said, format!("{code}\nthere\n"), "{options}: {complaint}");
    }
}

/// In a shared tree, with a root that is no mount, whatever is mounted would be seen by all.
#[test]
fn nothing_is_mounted_for_others() {
    if only_svbox("long options") {
        return;
    }
    for options in ["--private-tmp", "--read-only /bin", "-F", "-I", "--ns mount"] {
        let sandbox = Sandbox::new();
        drop(chrooted(&sandbox));
        let script = format!(
            "mkdir -p root/tmp root/proc && mount -t proc proc root/proc && mount --make-rshared / &&
            cat /proc/self/mountinfo >before
            chroot root /chpst {options} -/ / /bin/sh -c 'echo ran'
            cat /proc/self/mountinfo >after; cmp before after && echo same"
        );
        let mut command = change_namespaces(&sandbox, &["--mount", "--pid", "--fork"], "sh");
        let (_, said, complaint) = told(&command.args(["-c", &script]).output().unwrap());
        assert_eq!(said, "same\n", "{options}: {complaint}");
    }
}

#[test]
fn a_program_that_does_not_run_yet_is_ended_by_signals() {
    if only_svbox("follow") {
        return;
    }
    for (option, name) in [("-I", "first"), ("-F", "second")] {
        for (signal, code) in
            [(Signal::TERM, 143), (Signal::INT, 130), (Signal::QUIT, 0), (Signal::ALARM, 142)]
        {
            let sandbox = Sandbox::new();
            let lock = sandbox.write("lock", "");
            fs::set_permissions(&lock, fs::Permissions::from_mode(0o666)).unwrap();
            let mut holder = sandbox.command("flock");
            let _holder = sandbox.start({
                holder.arg(&lock).args(["sh", "-c", "echo >held; exec sleep 1000000"]);
                holder
            });
            until("the lock", || sandbox.join("held").exists());
            let mut command = caller_of_namespaces(&sandbox);
            command.args([option, "-l", "lock", "sh", "-c", "echo >ran"]);
            let mut outer = sandbox.start(command);
            let inode = format!(":{} ", fs::metadata(&lock).unwrap().ino());
            let waits = |line: &str| line.contains("-> FLOCK") && line.contains(&inode);
            until("its waiting", || fs::read_to_string("/proc/locks").unwrap().lines().any(waits));
            outer.signal(signal);
            let ended = outer.ended();
            assert!(
                ended.code() != Some(0) && (code == 0 || ended.code() == Some(code)),
                "{name} {signal:?}: {ended}"
            );
            assert!(!sandbox.join("ran").exists());
        }
    }
}

/// A chpst that may use -F and -I: as root, or in a user namespace.
fn caller_of_namespaces(sandbox: &Sandbox) -> Command {
    let mut command = user(sandbox);
    command.args(["--ns", "user"]);
    command
}

/// It could be made to use for the program what the program has given up.
#[test]
fn process_1_of_a_group_has_next_to_no_capabilities() {
    if only_svbox("follow") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let look = "mount -t proc proc /proc && cat /proc/1/status";
    let status = script(root(&sandbox), &["-F"], look);
    for name in ["CapPrm", "CapEff"] {
        assert_eq!(set(&status, name), 1 << 5, "{name}: to send signals");
    }
    assert_eq!((set(&status, "CapBnd"), set(&status, "CapInh")), (0, 0));
    assert_eq!(self::status(&status, "NoNewPrivs"), "1");
    assert!(set(&status, "SigBlk") != 0);
}

#[test]
fn leniency_for_one_namespace_is_none_for_another() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let outside = text(&sandbox.output("readlink", &["/proc/self/ns/net"]).stdout);
    let call = |options: &[&str], when: &str| {
        let mut command = sandbox.command("strace");
        command.args(["-f", "-qqq", "-o", "trace", "-e", "trace=unshare"]);
        command.arg(format!("--inject=unshare:error=EINVAL:when={when}")).arg(program("chpst"));
        told(&command.args(options).args(["readlink", "/proc/self/ns/net"]).output().unwrap())
    };
    // Network namespaces come before those of control groups.
    let both = ["--if-supported", "--ns", "cgroup", "--if-supported", "--ns", "net"];
    let (code, said, complaint) = call(&both, "2");
    assert_eq!(
        (code, complaint.as_str()),
        (Some(0), "chpst: warning: unable to set namespaces: invalid argument\n")
    );
    assert_ne!(said, outside, "the network namespace is to be another one");
    let (code, said, _) = call(&["--if-supported", "--ns", "net", "--ns", "cgroup,net"], "1");
    assert_eq!((code, said.as_str()), (Some(111), ""), "asked for twice, once without leniency");
    for options in [&["--if-supported", "-F", "--ns", "pid"][..], &["-I", "--if-supported", "-F"]] {
        let (code, said, _) = call(options, "1+");
        assert_eq!((code, said.as_str()), (Some(111), ""), "{options:?}");
    }
}

#[test]
fn leniency_for_one_rule_is_none_for_another() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let (lenient, strict) = (["--if-supported", "--landlock", "ro:/"], ["--landlock", "rw:/tmp"]);
    for options in [[&lenient[..], &strict].concat(), [&strict[..], &lenient].concat()] {
        let mut command = user(&sandbox);
        let chpst: Vec<_> =
            [command.get_program()].into_iter().chain(command.get_args()).map(Into::into).collect();
        let chpst: Vec<std::ffi::OsString> = chpst;
        command = sandbox.command("strace");
        command.args(["-f", "-qqq", "-o", "/dev/null", "-e", "trace=landlock_create_ruleset"]);
        command.arg("--inject=landlock_create_ruleset:retval=1:when=1").args(chpst);
        let output = command.arg("--no-new-privs").args(&options).arg("true").output().unwrap();
        assert_eq!(output.status.code(), Some(111), "{options:?}: {}", text(&output.stderr));
    }
}
