//! `--landlock`: what is not allowed is not to be had by any way.

use super::*;

/// What every program needs to read, as far as it is there.
fn system() -> Vec<String> {
    let there = ["/usr", "/bin", "/lib", "/lib64"].into_iter().filter(|dir| Path::new(dir).exists());
    let null = "--landlock=rw:/dev/null".to_owned();
    there.map(|dir| format!("--landlock=ro:{dir}")).chain([null]).collect()
}

/// A sandbox with places that may be read, written, or neither.
fn places() -> Sandbox {
    let sandbox = Sandbox::new();
    for dir in ["ro", "rw", "out"] {
        sandbox.write(format!("{dir}/file"), format!("secret of {dir}\n"));
        fs::create_dir_all(sandbox.join(dir).join("empty")).unwrap();
        copy(&sandbox, "/bin/echo", &format!("{dir}/echo"));
        for name in ["", "file", "empty"] {
            fs::set_permissions(sandbox.join(dir).join(name), fs::Permissions::from_mode(0o777)).unwrap();
        }
    }
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, sandbox.join(name)).unwrap();
    link("../out/file", "rw/to-out");
    link("../out", "rw/to-out-dir");
    link("../out/new-by-link", "rw/dangling");
    sandbox
}

/// Runs a script with `ro` to be read and `rw` to be changed; gives what it says.
#[track_caller]
fn within(sandbox: &Sandbox, mut command: Command, more: &[&str], body: &str) -> String {
    let options = ["--landlock", "ro:ro", "--landlock=rw:rw"];
    let output = command.args(more).args(system()).args(options).args(["sh", "-c", body]).output().unwrap();
    let (code, shown, complaint) = told(&output);
    assert_eq!(code, Some(0), "{shown}{complaint}");
    assert_eq!(sandbox.read("out/file"), "secret of out\n");
    shown
}

/// By whom, and what else is needed.
const HOW: [(Caller, &[&str]); 4] = [
    (root, &[]),
    (root, &["--no-new-privs"]),
    (root, &["--no-new-privs", "--cap-bound", "none"]),
    (user, &["--no-new-privs"]),
];

/// Each must fail; the name of one that does not is printed. `$1` is the place.
const CHANGING: &str = r#"
exec 2>/dev/null
try() { name=$1; shift; if "$@" >/dev/null; then echo "$name"; fi; }
write() { (: >"$1"); }
append() { (echo x >>"$1"); }
d=PLACE
try new write $d/new
try over write $d/file
try append append $d/file
try truncate truncate -s 0 $d/file
try call perl -e 'truncate($ARGV[0], 0) or exit 1' $d/file
try remove rm -f $d/file
try rename mv $d/file $d/other
try out perl -e 'rename($ARGV[0], "rw/stolen") or exit 1' $d/file
try in perl -e 'rename("rw/file", $ARGV[0]) or exit 1' $d/brought
try over-it perl -e 'rename("rw/file", $ARGV[0]) or exit 1' $d/file
try directory perl -e 'rename("rw/empty", $ARGV[0]) or exit 1' $d/brought
try link-out ln $d/file rw/link
try link-in ln rw/file $d/link
try symlink ln -s file $d/symlink
try mkdir mkdir $d/dir
try rmdir rmdir $d/empty
try fifo mkfifo $d/fifo
try node mknod $d/null c 1 3
try socket perl -e 'use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or exit 1' $d/sock
try root write /proc/self/root$PWD/$d/new
try dots write rw/../$d/new
try dots-over write rw/../$d/file
try absolute write $PWD/$d/new
try child sh -c "sh -c ': >$d/new'"
try background sh -c "(: >$d/new; echo \$? >rw/code) & wait; grep -qx 0 rw/code"
try entered sh -c "cd $d && : >new"
try new-session setsid sh -c ": >$d/new"
try chpst chpst --no-new-privs --landlock rw:/ sh -c ": >$d/new"
echo done
"#;

#[test]
fn nothing_is_changed_outside_of_the_places_that_may_be_changed() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        for place in ["out", "ro"] {
            let sandbox = places();
            let shown = within(&sandbox, caller(&sandbox), how, &CHANGING.replace("PLACE", place));
            assert_eq!(shown, "done\n", "{how:?} {place}");
            let mut left: Vec<_> =
                fs::read_dir(sandbox.join(place)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            left.sort();
            assert_eq!(left, ["echo", "empty", "file"], "{how:?} {place}");
        }
    }
}

#[test]
fn everything_may_be_done_where_it_is_allowed() {
    if only_svbox("long options") {
        return;
    }
    let inside = "set -e; cd rw; : >new; echo x >>new; truncate -s 0 new; mkdir dir; mv new dir/other; ln dir/other link
        ln -s link symlink; mkfifo fifo; rm file fifo link; rmdir empty; ./echo ran; cat symlink 2>&- || ls dir";
    for (caller, how) in HOW {
        let sandbox = places();
        assert_eq!(within(&sandbox, caller(&sandbox), how, inside), "ran\nother\n");
    }
}

#[test]
fn nothing_is_read_outside_of_the_places_that_may_be_read() {
    if only_svbox("long options") {
        return;
    }
    let inside = r#"exec 2>/dev/null
        try() { name=$1; shift; if "$@" >/dev/null; then echo "$name"; fi; }
        try read cat out/file
        try list ls out
        try here ls .
        try run out/echo ran
        try link cat rw/to-out
        try link-dir cat rw/to-out-dir/file
        try link-list ls rw/to-out-dir/
        try link-write sh -c ': >rw/to-out'
        try link-new sh -c ': >rw/dangling'
        try own-link sh -c 'ln -s "$PWD/out/file" rw/own; cat rw/own'
        try dots cat rw/../out/file
        try root cat /proc/self/root"$PWD"/out/file
        try cwd cat /proc/self/cwd/out/file
        try etc cat /etc/passwd
        try top ls /
        try loader "$(ls /lib64/ld-linux* | head -n 1)" out/echo ran
        try copy cp out/file rw/copy
        try child sh -c '(cat out/file)'
        try hard ln out/echo rw/own-echo
        try user unshare --user --map-root-user cat out/file
        try mount unshare --user --map-root-user --mount sh -c 'mount --bind out rw && cat rw/file'
        echo done"#;
    for (caller, how) in HOW {
        let sandbox = places();
        assert_eq!(within(&sandbox, caller(&sandbox), how, inside), "done\n", "{how:?}");
    }
}

#[test]
fn what_may_be_read_can_be_read_and_run() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = places();
        let shown = within(&sandbox, caller(&sandbox), how, "cat ro/file; ro/echo ran; ls ro/empty; ls ro");
        assert_eq!(shown, "secret of ro\nran\necho\nempty\nfile\n");
    }
}

#[test]
fn root_does_not_mount_or_trace_its_way_out() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = places();
    let outside = sandbox.start({
        let mut command = sandbox.command("sleep");
        command.arg("1000000");
        command
    });
    let inside = format!(
        r#"exec 2>/dev/null
        mount --bind out rw && echo bind
        mount -t tmpfs tmpfs rw && echo tmpfs
        umount -l /proc && echo umount
        cat /proc/{pid}/cwd/out/file && echo proc
        cat /proc/{pid}/root"$PWD"/out/file && echo root
        (exec 5</proc/{pid}/mem) && echo memory
        nsenter -t {pid} -m cat "$PWD"/out/file && echo entered
        chroot . /bin/true && cat out/file && echo chroot
        echo done"#,
        pid = outside.pid()
    );
    assert_eq!(within(&sandbox, root(&sandbox), &[], &inside), "done\n");
}

#[test]
fn one_file_may_be_allowed() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = places();
    let mut command = user(&sandbox);
    command.args(system()).args(["--no-new-privs", "--landlock", "rw:out/file", "--landlock", "ro:ro/file"]);
    let inside = "exec 2>/dev/null; cat out/file ro/file; echo x >>out/file; (: >ro/file) && echo ro; ls out && echo list
        rm -f out/file && echo removed; echo done";
    assert_eq!(script(command, &[], inside), "secret of out\nsecret of ro\ndone\n");
    assert_eq!(sandbox.read("out/file"), "secret of out\nx\n");
}

#[test]
fn a_place_to_be_changed_may_be_below_one_to_be_read() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = places();
    let options =
        ["--no-new-privs", "--landlock", "rw:rw", "--landlock", "ro:/", "--landlock", "rw:/dev/null"];
    let inside = "exec 2>/dev/null; cat out/file; : >rw/new && echo rw; (: >out/new) && echo out; (: >new) && echo here; echo done";
    assert_eq!(script(user(&sandbox), &options, inside), "secret of out\nrw\ndone\n");
}

#[test]
fn the_program_must_be_among_what_is_allowed() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = places();
        let mut command = caller(&sandbox);
        command.args(["--no-new-privs", "--landlock", "rw:rw", "/bin/sh", "-c", ": >rw/ran"]);
        let message = "chpst: fatal: unable to run: /bin/sh: access denied\n";
        assert_eq!(told(&command.output().unwrap()), (Some(111), String::new(), message.into()));
        assert!(!sandbox.join("rw/ran").exists());
    }
}

#[test]
fn a_place_that_is_missing_is_fatal() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        for more in [&[][..], &["--if-supported"]] {
            let sandbox = places();
            let options = [&["--no-new-privs"], more, &["--landlock", "ro:missing"]].concat();
            let message = "unable to allow with landlock: missing: file does not exist";
            refused(&sandbox, caller(&sandbox), &options, message);
        }
    }
}

#[test]
fn without_privileges_access_is_given_up_only_with_new_privileges() {
    if only_svbox("long options") {
        return;
    }
    for more in [&[][..], &["--if-supported"]] {
        let sandbox = places();
        let options = [more, &["--landlock", "rw:/"]].concat();
        refused(&sandbox, user(&sandbox), &options, "unable to restrict with landlock: permission denied");
    }
}

#[test]
fn another_user_that_is_changed_to_is_restricted_as_well() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = places();
    let options = ["-u", ":1000:1000", "--no-new-privs"];
    let shown = within(&sandbox, root(&sandbox), &options, &CHANGING.replace("PLACE", "out"));
    assert_eq!(shown, "done\n");
}

#[test]
fn another_user_without_giving_up_new_privileges_has_too_few_to_be_restricted() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = places();
    let options = ["-u", ":1000:1000", "--landlock", "rw:/"];
    refused(&sandbox, root(&sandbox), &options, "unable to restrict with landlock: permission denied");
}

/// A kernel that knows Landlock, but not all that can be forbidden.
fn older(sandbox: &Sandbox, version: &str) -> Command {
    let mut command = as_user(sandbox);
    command.args([
        "strace",
        "-qqq",
        "-o",
        "/dev/null",
        "-e",
        "trace=landlock_create_ruleset",
        "-e",
        "signal=none",
    ]);
    command.arg(format!("--inject=landlock_create_ruleset:retval={version}:when=1")).arg(reachable(sandbox));
    command
}

#[test]
fn a_kernel_that_cannot_forbid_to_truncate_is_refused() {
    if only_svbox("long options") {
        return;
    }
    for version in ["1", "2"] {
        let sandbox = places();
        let options = ["--no-new-privs", "--landlock", "rw:/"];
        let output = older(&sandbox, version).args(options).args(TRACE).output().unwrap();
        let (code, shown, complaint) = told(&output);
        assert_eq!((code, shown), (Some(111), String::new()), "{complaint}");
        assert!(complaint.starts_with("chpst: fatal: ") && complaint.lines().count() == 1, "{complaint}");
        assert!(!sandbox.join("ran").exists());
    }
}

#[test]
fn a_kernel_that_cannot_forbid_to_truncate_restricts_what_it_can_if_that_is_asked_for() {
    if only_svbox("long options") {
        return;
    }
    for version in ["1", "2"] {
        let sandbox = places();
        let inside = "(: >out/new) 2>&- && echo new; : >rw/new; echo done";
        let options = [
            "--no-new-privs",
            "--if-supported",
            "--landlock",
            "ro:/",
            "--if-supported",
            "--landlock",
            "rw:rw",
        ];
        let output = older(&sandbox, version).args(options).args(["sh", "-c", inside]).output().unwrap();
        let (code, shown, complaint) = told(&output);
        assert_eq!((code, shown.as_str()), (Some(0), "done\n"), "{complaint}");
        assert!(complaint.lines().all(|line| line.starts_with("chpst: warning: ")), "{complaint}");
        assert!(!complaint.is_empty());
    }
}
