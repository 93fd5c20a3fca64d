//! `--read-only`, `--private-tmp`.

use super::*;

/// What would change something at or below the directory `tree`. Each must fail; the name of one that does not is
/// printed.
const WRITING: &str = r#"
exec 2>/dev/null
try() { name=$1; shift; if "$@"; then echo "$name"; fi; }
write() { (: >"$1"); }
append() { (echo x >>"$1"); }
try new write "$TREE/new"
try over write "$TREE/file"
try append append "$TREE/file"
try truncate truncate -s 0 "$TREE/file"
try remove rm -f "$TREE/file"
try rename mv "$TREE/file" "$TREE/other"
try out mv "$TREE/file" "$TREE/../file"
try link ln "$TREE/file" "$TREE/link"
try symlink ln -s file "$TREE/symlink"
try mkdir mkdir "$TREE/dir"
try rmdir rmdir "$TREE/sub/empty"
try fifo mkfifo "$TREE/fifo"
try chmod chmod 600 "$TREE/file"
try touch touch "$TREE/file"
try below write "$TREE/sub/new"
try dots write "$TREE/sub/../new"
try root write "/proc/self/root$TREE/new"
try thread write "/proc/thread-self/root$TREE/new"
try symbolic write "$TREE/../to-tree/new"
try child sh -c ': >"$TREE/new"'
cd "$TREE/sub"
try entered write new
try up write ../new
try cwd write /proc/self/cwd/new
try fd sh -c 'exec 5<"$TREE" && : >/proc/self/fd/5/new'
echo done
"#;

/// A tree to be protected, and a link to it.
fn tree(sandbox: &Sandbox) -> String {
    sandbox.write("tree/file", "file\n");
    fs::create_dir_all(sandbox.join("tree/sub/empty")).unwrap();
    std::os::unix::fs::symlink("tree", sandbox.join("to-tree")).unwrap();
    for dir in ["tree", "tree/sub", "tree/sub/empty", "tree/file"] {
        fs::set_permissions(sandbox.join(dir), fs::Permissions::from_mode(0o777)).unwrap();
    }
    sandbox.join("tree").to_str().unwrap().to_owned()
}

/// How to leave namespaces without privileges.
const HOW: [(Caller, &[&str]); 2] = [(root, &[]), (user, &["--ns", "user"])];

#[test]
fn nobody_changes_what_is_in_a_read_only_tree() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        for path in ["tree", "./tree/", "tree/../tree", "."] {
            let sandbox = Sandbox::new();
            let tree = tree(&sandbox);
            let mut command = caller(&sandbox);
            command.env("TREE", &tree);
            assert_eq!(script(command, &[how, &["--read-only", path]].concat(), WRITING), "done\n", "{path}");
            assert_eq!(sandbox.read("tree/file"), "file\n");
        }
    }
}

#[test]
fn a_tree_can_be_named_by_a_symbolic_link() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = Sandbox::new();
        let mut command = caller(&sandbox);
        command.env("TREE", tree(&sandbox));
        assert_eq!(script(command, &[how, &["--read-only", "to-tree"]].concat(), WRITING), "done\n");
    }
}

#[test]
fn all_the_attempts_to_write_succeed_elsewhere() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = root(&sandbox);
    command.env("TREE", tree(&sandbox));
    let shown = script(command, &["--read-only", "/usr"], WRITING);
    // Those behind a removal have nothing left to work on.
    for name in
        ["new", "over", "append", "truncate", "remove", "mkdir", "fifo", "below", "dots", "root", "symbolic"]
    {
        assert!(shown.lines().any(|line| line == name), "{name} in {shown}");
    }
    for name in ["child", "entered", "up", "cwd", "fd", "symlink", "rmdir", "touch", "thread"] {
        assert!(shown.lines().any(|line| line == name), "{name} in {shown}");
    }
}

#[test]
fn the_current_directory_of_chpst_is_no_way_round() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        for at in ["tree", "tree/sub"] {
            let sandbox = Sandbox::new();
            let path = tree(&sandbox);
            let mut command = caller(&sandbox);
            command.current_dir(sandbox.join(at));
            let attempts = "exec 2>/dev/null; (: >new) && echo new; (: >../new) && echo up; (: >./sub/new) && echo sub
                (: >/proc/self/cwd/new) && echo cwd; rm -f file && test ! -e \"$0/file\" && echo removed; echo done";
            let options = [how, &["--read-only", &path, "sh", "-c", attempts, &path]].concat();
            let shown = text(&command.args(options).output().unwrap().stdout);
            let shown: Vec<&str> = shown.lines().filter(|line| *line != "up" || at == "tree/sub").collect();
            assert_eq!(shown, ["done"], "{at}");
            assert!(!sandbox.join("tree/new").exists() && sandbox.join("tree/file").exists(), "{at}");
        }
    }
}

#[test]
fn outside_everything_can_be_changed_as_before() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = Sandbox::new();
        tree(&sandbox);
        script(
            caller(&sandbox),
            &[how, &["--read-only", "tree"]].concat(),
            "echo x >beside; test -r tree/file",
        );
        assert_eq!(sandbox.read("beside"), "x\n");
        sandbox.write("tree/later", "x");
    }
}

#[test]
fn several_trees_can_be_read_only() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = Sandbox::new();
        for dir in ["a", "b", "c", "b/d"] {
            fs::create_dir(sandbox.join(dir)).unwrap();
            fs::set_permissions(sandbox.join(dir), fs::Permissions::from_mode(0o777)).unwrap();
        }
        let options = ["--read-only", "a", "--read-only=b", "--read-only", "b/d", "--read-only", "a"];
        let attempts = "for d in a b b/d c; do (: >$d/new) 2>/dev/null && echo $d; done";
        assert_eq!(script(caller(&sandbox), &[how, &options].concat(), attempts), "c\n");
    }
}

#[test]
fn one_file_can_be_read_only() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = Sandbox::new();
        for file in ["file", "other"] {
            fs::set_permissions(sandbox.write(file, "text"), fs::Permissions::from_mode(0o666)).unwrap();
        }
        let attempts = "exec 2>/dev/null; for f in file other; do (: >$f) && echo $f; done; rm -f file && echo removed; cat file";
        assert_eq!(
            script(caller(&sandbox), &[how, &["--read-only", "file"]].concat(), attempts),
            "other\ntext"
        );
    }
}

/// In a mount namespace in which something is mounted at `tree/sub`, chpst with these options, and a script.
fn with_submount(sandbox: &Sandbox, options: &[&str], body: &str) -> Output {
    let mut command = sandbox.command("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let mount = "mount -t tmpfs tmpfs tree/sub && mkdir tree/sub/empty && exec \"$@\"";
    command.args(["--mount", "sh", "-c", mount, "sh"]).arg(reachable(sandbox));
    command.env("TREE", tree(sandbox)).args(options).args(["sh", "-c", body]).output().unwrap()
}

#[test]
fn what_is_mounted_below_is_read_only_too() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let output = with_submount(&sandbox, &["--read-only", "tree"], WRITING);
    assert_eq!(told(&output), (Some(0), "done\n".into(), String::new()));
}

#[test]
fn a_read_only_tree_is_not_made_writable_again_without_the_capability() {
    if only_svbox("long options") {
        return;
    }
    let attempts = r#"exec 2>/dev/null
        writes() { (: >tree/new) && echo "$1"; (: >tree/sub/new) && echo "$1 below"; }
        mount -o remount,rw tree; writes remount
        mount -o remount,bind,rw tree; writes bind
        mount --bind "$TREE" "$TREE" && writes again
        mount -o remount,bind,rw tree/sub; writes sub
        umount -l tree; writes umount
        umount -l tree/sub; writes "umount sub"
        echo done"#;
    for options in [
        &["--read-only", "tree", "--cap-bound", "all,-sys_admin"][..],
        &["--cap-bound", "none", "--read-only", "tree"],
        &["--read-only", "tree", "--cap-bound", "none", "--no-new-privs"],
    ] {
        let sandbox = Sandbox::new();
        let output = with_submount(&sandbox, options, attempts);
        assert_eq!(text(&output.stdout), "done\n", "{options:?}: {}", text(&output.stderr));
    }
}

/// What does not need privileges where everybody may have a user namespace.
const FURTHER: &str = r#"exec 2>/dev/null
    inside() { unshare --user --map-root-user --mount sh -c "$1"; }
    inside 'mount -t tmpfs tmpfs other && : >other/new' && echo inside
    inside 'mount -o remount,bind,rw tree; : >tree/new' && echo remount
    inside 'umount tree && : >tree/new' && echo umount
    inside 'umount -l tree && : >tree/new' && echo lazy
    inside 'mount --bind tree other && : >other/new' && echo bind
    inside 'mount --rbind tree other && : >other/new' && echo rbind
    inside 'mount --rbind tree other && mount -o remount,bind,rw other; : >other/new' && echo rebound
    inside 'mount --move tree other; : >tree/new' && echo moved
    inside 'mount -t overlay -o lowerdir=other,upperdir=tree,workdir=tree/sub overlay other; : >other/new' &&
        test -e tree/new && echo overlay
    echo done"#;

#[test]
fn a_further_user_namespace_does_not_make_a_tree_writable_again() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    tree(&sandbox);
    fs::create_dir(sandbox.join("other")).unwrap();
    for more in [&[][..], &["--cap-bound", "none"], &["--no-new-privs"]] {
        let options = [&["--ns", "user", "--read-only", "tree"], more].concat();
        assert_eq!(script(user(&sandbox), &options, FURTHER), "inside\ndone\n", "{more:?}");
    }
    assert!(!sandbox.join("tree/new").exists());
}

#[test]
fn a_user_that_is_changed_to_does_not_make_a_tree_writable_again() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    tree(&sandbox);
    fs::create_dir(sandbox.join("other")).unwrap();
    let options = ["-u", ":1000:1000", "--read-only", "tree"];
    assert_eq!(script(root(&sandbox), &options, FURTHER), "inside\ndone\n");
    assert!(!sandbox.join("tree/new").exists());
}

#[test]
fn everything_can_be_read_only_but_the_private_directories() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        for order in [["--read-only=/", "--private-tmp"], ["--private-tmp", "--read-only=/"]] {
            let sandbox = Sandbox::new();
            let mut command = caller(&sandbox);
            command.current_dir("/");
            let tmp = std::env::temp_dir();
            let attempts = "for d in /tmp /var/tmp /dev/shm /run /var /root / /proc/self/root/var; do
                (: >$d/svbox-test) 2>/dev/null && echo $d; done; :";
            let shown = script(command, &[how, &order].concat(), attempts);
            assert_eq!(shown, "/tmp\n/var/tmp\n", "{order:?}");
            assert!(!tmp.join("svbox-test").exists());
        }
    }
}

#[test]
fn a_tree_that_is_missing_is_fatal() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        for more in [&[][..], &["--if-supported"]] {
            let sandbox = Sandbox::new();
            let message = "unable to make read-only: missing: file does not exist";
            refused(&sandbox, caller(&sandbox), &[how, more, &["--read-only", "missing"]].concat(), message);
        }
    }
}

#[test]
fn without_privileges_nothing_is_mounted() {
    if only_svbox("long options") {
        return;
    }
    for options in
        [&["--read-only", "/"][..], &["--private-tmp", "-C", "/"], &["--if-supported", "--private-tmp"]]
    {
        let sandbox = Sandbox::new();
        refused(&sandbox, user(&sandbox), options, "unable to set namespaces: permission denied");
    }
}

#[test]
fn directories_for_temporary_files_are_new_and_open_to_all() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = Sandbox::new();
        let mut command = caller(&sandbox);
        command.current_dir("/");
        let inside = "ls -A /tmp /proc/self/root/tmp; stat -c %a /tmp /var/tmp; stat -fc %T /tmp; : >/tmp/file; ls /tmp; ls /var/tmp";
        let shown = script(command, &[how, &["--private-tmp"]].concat(), inside);
        assert_eq!(shown, "/proc/self/root/tmp:\n\n/tmp:\n1777\n1777\ntmpfs\nfile\n");
    }
}

#[test]
fn the_outer_directory_for_temporary_files_is_unseen_and_unharmed() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        for outer in ["/tmp", "/var/tmp"] {
            let dir = tempfile::Builder::new().prefix("svbox-place.").tempdir_in(outer).unwrap();
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
            fs::write(dir.path().join("file"), "outside").unwrap();
            let path = dir.path().to_str().unwrap();
            let sandbox = Sandbox::new();
            let mut command = caller(&sandbox);
            command.current_dir("/");
            let inside = format!(
                "ls {path} /proc/self/root{path} 2>/dev/null; mkdir {path}; echo inside >{path}/file
                rm -rf /tmp/* /var/tmp/*; umount {outer} 2>/dev/null; :"
            );
            assert_eq!(script(command, &[how, &["--private-tmp"]].concat(), &inside), "");
            assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "outside");
        }
    }
}

#[test]
fn it_is_fatal_if_the_current_directory_is_hidden() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        // Lack of support is something else.
        for more in [&[][..], &["--if-supported"]] {
            let dir = tempfile::Builder::new().prefix("svbox-place.").tempdir_in("/tmp").unwrap();
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
            let sandbox = Sandbox::new();
            let mut command = caller(&sandbox);
            command.current_dir(dir.path());
            let message =
                format!("unable to change directory: {}: file does not exist", dir.path().display());
            refused(&sandbox, command, &[how, more, &["--private-tmp"]].concat(), &message);
            assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "something ran there");
        }
    }
}

#[test]
fn the_current_directory_does_not_lead_to_what_is_hidden() {
    if only_svbox("long options") {
        return;
    }
    for (caller, how) in HOW {
        let sandbox = Sandbox::new();
        let mut command = caller(&sandbox);
        command.current_dir("/tmp");
        let shown = script(command, &[how, &["--private-tmp"]].concat(), "ls -A; : >new; ls /tmp");
        assert_eq!(shown, "new\n");
        assert!(!Path::new("/tmp/new").exists());
    }
}

#[test]
fn a_landlocked_program_can_use_the_private_directory() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = user(&sandbox);
    command.current_dir("/");
    let options = [
        "--ns",
        "user",
        "--private-tmp",
        "--no-new-privs",
        "--landlock",
        "ro:/",
        "--landlock",
        "rw:/tmp",
        "--landlock",
        "rw:/dev/null",
    ];
    let inside = "exec 2>/dev/null; : >/tmp/x && echo tmp; (: >/var/tmp/x) && echo var; echo done";
    assert_eq!(script(command, &options, inside), "tmp\ndone\n");
}
