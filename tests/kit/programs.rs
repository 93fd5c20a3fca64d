//! The programs under test: svbox's own, or runit's.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Whether the suite runs against the installed runit instead of svbox.
pub fn against_runit() -> bool {
    match std::env::var("SVBOX_SUITE").as_deref() {
        Ok("runit") => true,
        Ok("svbox") | Err(_) => false,
        Ok(other) => panic!("SVBOX_SUITE is `{other}`; it can be `svbox` or `runit`"),
    }
}

/// Whether QEMU runs the programs under test: they are for another kind of machine.
pub fn emulated() -> bool {
    std::env::var_os("SVBOX_EMULATED").is_some()
}

/// A directory with the programs under test by name, for `PATH`.
pub fn bin_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = tempfile::Builder::new().prefix("svbox-bin.").tempdir().unwrap().keep();
        let supervision =
            ["runsv", "runsvdir", "runsvchdir", "sv", "svlogd", "svc", "svok", "svstat", "utmpset"];
        let process_1 = ["init", "runit", "runit-init", "telinit", "pid1"];
        let endings = ["shutdown", "halt", "poweroff", "reboot", "switch_root"];
        let syslog = ["socklog", "socklog-check", "uncat", "tryto"];
        let others = syslog.into_iter().chain(["chpst"]).chain(PERSONALITIES);
        for name in supervision.into_iter().chain(process_1).chain(endings).chain(others) {
            symlink(original(name), dir.join(name)).unwrap();
        }
        symlink(svbox(), dir.join("svbox")).unwrap();
        dir
    })
}

/// The other names of chpst.
pub const PERSONALITIES: [&str; 6] = ["softlimit", "setlock", "setuidgid", "envuidgid", "envdir", "pgrphack"];

fn original(name: &str) -> PathBuf {
    match name {
        // runit itself does not have these.
        "svc" | "svok" | "svstat" => svbox(),
        // Debian's machine has its own.
        "init" | "runit-init" | "telinit" | "pid1" | "shutdown" | "halt" | "poweroff" | "reboot"
        | "switch_root" => svbox(),
        "runit" if against_runit() => "/sbin/runit".into(),
        "runsvchdir" if against_runit() => "/usr/sbin/runsvchdir".into(),
        // Debian has links for none of them, and daemontools has programs of these names.
        _ if against_runit() && PERSONALITIES.contains(&name) => "/usr/bin/chpst".into(),
        "utmpset" | "socklog" if against_runit() => Path::new("/usr/sbin").join(name),
        _ if against_runit() => Path::new("/usr/bin").join(name),
        _ => svbox(),
    }
}

/// The svbox under test: the debug build, or the one that `SVBOX_PROGRAM` names.
pub fn svbox() -> PathBuf {
    std::env::var_os("SVBOX_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_svbox").into(), PathBuf::from)
}

/// The path of one of them.
pub fn program(name: &str) -> PathBuf {
    bin_dir().join(name)
}
