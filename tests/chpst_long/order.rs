//! The order in which the changes are made, wherever the options stand.

use super::*;

/// Each pair of options both ways round.
fn both_ways<'a>(one: &[&'a str], other: &[&'a str]) -> [Vec<&'a str>; 2] {
    [[one, other].concat(), [other, one].concat()]
}

#[test]
fn exact_limits_come_before_soft_ones() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    for options in both_ways(&["-o", "10"], &["--rlimit", "nofile=20:30"]) {
        assert_eq!(script(user(&sandbox), &options, "ulimit -Sn; ulimit -Hn"), "10\n30\n");
    }
    for options in both_ways(&["-o", "100"], &["--rlimit", "nofile=20:30"]) {
        assert_eq!(script(user(&sandbox), &options, "ulimit -Sn; ulimit -Hn"), "30\n30\n");
    }
}

#[test]
fn exact_limits_come_before_the_lock() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["-l", "lock"], &["--rlimit", "nofile=0"]) {
        let sandbox = Sandbox::new();
        let message = "unable to open lock: lock: out of file descriptors";
        let output = user(&sandbox).args(&options).args(TRACE).output().unwrap();
        let (code, shown, complaint) = told(&output);
        assert_eq!((code, shown), (Some(111), String::new()), "{complaint}");
        assert!(complaint.starts_with("chpst: fatal: unable to open lock: lock: "), "{message}: {complaint}");
    }
}

#[test]
fn the_lock_comes_after_the_user_and_before_the_umask() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for options in both_ways(&["-l", "lock", "-u", ":1000:1000"], &["--umask", "777"]) {
        let sandbox = Sandbox::new();
        script(root(&sandbox), &options, ":");
        let lock = fs::metadata(sandbox.join("lock")).unwrap();
        assert_eq!((lock.uid(), lock.permissions().mode() & 0o777), (1000, 0o600));
    }
}

#[test]
fn the_lock_comes_before_access_is_given_up() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["-l", "lock"], &["--no-new-privs", "--landlock", "ro:/", "--close-fds"]) {
        let sandbox = Sandbox::new();
        assert_eq!(script(user(&sandbox), &options, "chpst -L lock true 2>&- || echo held"), "held\n");
    }
}

#[test]
fn capabilities_are_bounded_while_there_are_still_rights_for_it() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for options in both_ways(&["--cap-bound", "none"], &["-u", ":1000:1000"]) {
        let sandbox = Sandbox::new();
        let shown = seen(root(&sandbox), &[&options[..], &LOOK].concat());
        assert_eq!((set(&shown, "CapBnd"), status(&shown, "Uid").as_str()), (0, "1000\t1000\t1000\t1000"));
    }
}

#[test]
fn what_needs_rights_comes_before_the_user() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for more in [
        &["--scheduler", "rr:1"][..],
        &["--io-priority", "realtime"],
        &["--ns", "net,mount,uts,ipc,cgroup"],
        &["--read-only", "/usr"],
        &["--ns", "pid"],
        &["-n", "-1"],
    ] {
        for options in both_ways(&["-u", ":1000:1000"], more) {
            let sandbox = Sandbox::new();
            assert_eq!(script(root(&sandbox), &options, "id -u"), "1000\n", "{options:?}");
        }
    }
}

#[test]
fn a_user_namespace_comes_first() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["--ns", "net", "--read-only", "/usr"], &["--ns", "user"]) {
        let sandbox = Sandbox::new();
        assert_eq!(script(user(&sandbox), &options, "echo ran"), "ran\n");
    }
}

#[test]
fn the_bound_of_a_user_namespace_is_set_after_it_is_left() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["--cap-bound", "chown"], &["--ns", "user", "--ns", "net"]) {
        let sandbox = Sandbox::new();
        let shown = seen(user(&sandbox), &[&options[..], &LOOK].concat());
        assert_eq!(set(&shown, "CapBnd"), 1);
    }
}

#[test]
fn the_standard_files_are_opened_before_anything_is_taken_away() {
    if only_svbox("long options") {
        return;
    }
    for (more, inside) in [
        (&["--no-new-privs", "--landlock", "ro:/"][..], "echo ran"),
        (&["--ns", "user", "--read-only", "/"], "echo ran"),
        (&["--rlimit", "fsize=1000", "--umask", "777"], "echo ran"),
        (&["-C", "/"], "echo ran"),
        (&["--close-fds"], "echo ran"),
    ] {
        for options in both_ways(&["--stdout", "out"], more) {
            let sandbox = Sandbox::new();
            assert_eq!(script(user(&sandbox), &options, inside), "");
            assert_eq!(sandbox.read("out"), "ran\n", "{options:?}");
            assert_eq!(fs::metadata(sandbox.join("out")).unwrap().permissions().mode() & 0o200, 0o200);
        }
    }
}

#[test]
fn a_standard_file_that_cannot_be_opened_stops_everything_else() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["-l", "lock", "--stdin", "missing", "--stdout", "out"];
    refused(&sandbox, user(&sandbox), &options, "unable to open: missing: file does not exist");
    assert!(!sandbox.join("lock").exists());
}

#[test]
fn the_message_that_a_later_change_fails_is_on_the_old_standard_error() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["--stderr", "err"], &["--keep-fd", "99"]) {
        let sandbox = Sandbox::new();
        refused(&sandbox, user(&sandbox), &options, "unable to keep descriptors: file descriptor not open");
        assert_eq!(sandbox.read("err"), "");
    }
}

/// A mount namespace in which the directory `root` shows the whole root directory, with another `etc`.
fn with_root(sandbox: &Sandbox, options: &[&str], body: &str) -> Output {
    for dir in ["root", "etc", "outside"] {
        fs::create_dir_all(sandbox.join(dir)).unwrap();
    }
    sandbox.write("etc/inside", "");
    let mut command = sandbox.command("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let mount = "mount --rbind / root && mount --bind etc root/etc && exec \"$@\"";
    command.args(["--mount", "sh", "-c", mount, "sh"]).arg(reachable(sandbox));
    command.args(options).args(["sh", "-c", body]).output().unwrap()
}

#[test]
fn trees_are_made_read_only_in_the_new_root_directory() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["-/", "root"], &["--read-only", "/etc"]) {
        let sandbox = Sandbox::new();
        let inside = "ls /etc; (: >/etc/new) 2>/dev/null && echo written; pwd";
        let output = with_root(&sandbox, &options, inside);
        assert_eq!(told(&output), (Some(0), "inside\n/\n".into(), String::new()));
        assert!(!sandbox.join("etc/new").exists());
    }
}

#[test]
fn access_is_given_up_in_the_new_root_directory() {
    if only_svbox("long options") {
        return;
    }
    let landlock = ["--landlock", "ro:/", "--landlock", "rw:/etc", "--landlock", "rw:/dev/null"];
    for options in both_ways(&["-/", "root"], &landlock) {
        let sandbox = Sandbox::new();
        let inside =
            "ls /etc; : >/etc/new && echo written; (: >/var/new) 2>/dev/null && echo outside; ls /etc";
        let output = with_root(&sandbox, &options, inside);
        assert_eq!(told(&output), (Some(0), "inside\nwritten\ninside\nnew\n".into(), String::new()));
    }
}

#[test]
fn private_directories_are_mounted_in_the_new_root_directory() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["-/", "root"], &["--private-tmp"]) {
        let sandbox = Sandbox::new();
        let output = with_root(&sandbox, &options, "ls -A /tmp; ls /etc; : >/tmp/new; ls /tmp");
        assert_eq!(told(&output), (Some(0), "inside\nnew\n".into(), String::new()));
    }
}

#[test]
fn standard_files_are_named_in_the_old_root_directory() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let out = sandbox.join("outside/out");
    for options in both_ways(&["-/", "root"], &["--stdout", out.to_str().unwrap(), "--stderr", "outside/err"])
    {
        let output = with_root(&sandbox, &options, "echo out; echo err >&2; ls /etc");
        assert_eq!(told(&output), (Some(0), String::new(), String::new()));
    }
    assert_eq!((sandbox.lines("outside/out"), sandbox.lines("outside/err")), (4, 2));
}

#[test]
fn the_current_directory_is_changed_after_the_mounts() {
    if only_svbox("long options") {
        return;
    }
    for options in both_ways(&["-C", "/tmp"], &["--ns", "user", "--private-tmp"]) {
        let sandbox = Sandbox::new();
        let mut command = user(&sandbox);
        command.current_dir("/");
        assert_eq!(script(command, &options, ": >new; ls -A /tmp"), "new\n");
    }
}

#[test]
fn where_neither_root_directory_is_a_mount_a_mount_namespace_is_refused() {
    if only_svbox("long options") {
        return;
    }
    for options in [&["--ns", "mount"][..], &["--private-tmp"], &["-F"], &["--if-supported", "--ns", "mount"]]
    {
        let sandbox = Sandbox::new();
        let mut command = chrooted(&sandbox);
        command.args(options).args(["-/", ".", "/bin/sh", "-c", "echo ran"]);
        let message = "chpst: fatal: unable to make mounts private: invalid argument\n";
        assert_eq!(
            told(&command.output().unwrap()),
            (Some(111), String::new(), message.into()),
            "{options:?}"
        );
    }
}

#[test]
fn with_a_new_root_directory_that_is_a_mount_an_old_one_that_is_none_is_passed_over() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    drop(chrooted(&sandbox));
    let script = "mkdir root/new && mount --bind root root/new &&
        exec chroot root /chpst --ns mount -/ new /bin/sh -c 'echo ran'";
    let mut command = change_namespaces(&sandbox, &["--mount"], "sh");
    let output = command.args(["-c", script]).output().unwrap();
    assert_eq!(told(&output), (Some(0), "ran\n".into(), String::new()));
}

#[test]
fn the_parent_s_end_is_watched_by_the_user_that_is_changed_to() {
    if only_svbox("long options") || only_root() {
        return;
    }
    // A change of the user takes the signal away, so it must be asked for later.
    for options in both_ways(&["--parent-death-signal", "TERM"], &["-u", ":1000:1000"]) {
        let sandbox = Sandbox::new();
        let look =
            ["perl", "-e", "my $s = pack('i', 0); syscall(157, 2, $s, 0, 0, 0); print unpack('i', $s)"];
        if cfg!(target_arch = "x86_64") {
            assert_eq!(seen(root(&sandbox), &[&options[..], &look].concat()), "15", "{options:?}");
        }
    }
}
