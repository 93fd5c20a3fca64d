//! The services that come with svbox: a complete syslog.

use super::*;
use std::path::Path;

/// What a log of the system has, without the dates.
fn logged(root: &Root<'_>, name: &str) -> String {
    let bytes = root.read(&format!("var/log/socklog/{name}/current")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().map(|line| format!("{}\n", line.get(26..).unwrap_or(line))).collect()
}

/// Copies a service of the project to the root.
fn install(root: &Root<'_>, name: &str) {
    let service = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/init/sv").join(name);
    fs::create_dir_all(root.join("etc/service")).unwrap();
    let copied = Command::new("cp").arg("-r").arg(service).arg(root.join("etc/service")).status();
    assert!(copied.unwrap().success());
}

#[test]
fn messages_are_sorted_by_their_facility() {
    if only_svbox("multicall") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    install(&root, "socklog-unix");
    // A directory of the administrator's own.
    root.write("var/log/socklog/mine/config", "-*\n+*.*: tag: *\n");
    let _running = sandbox.start(root.command("exec runsvdir /etc/service"));
    let socket = UnixDatagram::unbound().unwrap();
    until("a socket", || socket.send_to(b"<34>first", root.join("dev/log")).is_ok());
    for message in ["<86>tag: ssh", "<13>u", "<27>d", "<28>w", "<78>c", "<22>m", "<160>l", "<0>k", "nothing"]
    {
        socket.send_to(message.as_bytes(), root.join("dev/log")).unwrap();
    }
    let rows = [
        ("auth", "auth.crit: first\nauthpriv.info: tag: ssh\n"),
        ("user", "user.notice: u\n"),
        ("daemon", "daemon.err: d\ndaemon.warn: w\n"),
        ("cron", "cron.info: c\n"),
        ("mail", "mail.info: m\n"),
        ("local", "local4.emerg: l\n"),
        ("errors", "auth.crit: first\ndaemon.err: d\nlocal4.emerg: l\nkern.emerg: k\n"),
        ("mine", "authpriv.info: tag: ssh\n"),
        ("news", ""),
    ];
    for (name, expected) in rows {
        until(&format!("{name}: {expected:?}"), || logged(&root, name) == expected);
    }
    let main = "auth.crit: first\nauthpriv.info: tag: ssh\nuser.notice: u\ndaemon.err: d\ndaemon.warn: w\n\
        cron.info: c\nmail.info: m\nlocal4.emerg: l\nkern.emerg: k\nnothing\n";
    until("everything in main", || logged(&root, "main").ends_with(main));
    assert!(logged(&root, "main").starts_with("listening on /dev/log, gid=65534, uid=65534, starting.\n"));
    assert!(!root.has("var/log/socklog/kern"));
}

#[test]
fn what_is_there_is_left_alone_and_the_check_tells() {
    if only_svbox("multicall") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    install(&root, "socklog-unix");
    root.write("var/log/socklog/auth/config", "-*\n");
    root.write("var/log/socklog/kern/config", "s5\n");
    let _running = sandbox.start(root.command(
        "runsvdir /etc/service & until sv check /etc/service/socklog-unix; do :; done; : >/run/checked; wait",
    ));
    until("a check that passes", || root.has("run/checked"));
    let socket = UnixDatagram::unbound().unwrap();
    socket.send_to(b"<34>x", root.join("dev/log")).unwrap();
    until("the line", || logged(&root, "main").contains("auth.crit: x\n"));
    assert_eq!(logged(&root, "auth"), "");
    assert_eq!(root.read("var/log/socklog/auth/config").unwrap(), b"-*\n");
    assert!(!root.has("var/log/socklog/kern/current"));
}

#[test]
fn a_machine_of_its_own_has_a_complete_syslog() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    for name in ["socklog-unix", "socklog-klog"] {
        let link = guest.path("etc/runit/runsvdir/default").join(name);
        std::os::unix::fs::symlink(format!("/etc/sv/{name}"), link).unwrap();
    }
    guest.service(
        "script",
        "until svbox sv check socklog-unix >/dev/null; do sleep 0.1; done\n\
         logger -p auth.crit -t tag hello; echo '<6>a word to the kernel' >/dev/kmsg\n\
         cd /var/log/socklog; until grep hello auth/current; do sleep 0.1; done\n\
         until grep 'a word to the kernel' kern/current; do sleep 0.1; done\n\
         grep hello errors/current; grep hello main/current; grep -c . mail/current\n\
         grep Uid /proc/$(pidof socklog | cut -d' ' -f1)/status /proc/$(pidof socklog | cut -d' ' -f2)/status\n\
         svbox init 0; exec sleep 1000000",
    );
    let console = guest.boot("").until_off();
    let has = |end: &str| console.lines().filter(|line| line.ends_with(end)).count();
    assert_eq!(has("tag: hello"), 3, "{console}");
    assert!(console.contains(" auth.crit: "), "{console}");
    // What is written there is not the kernel's own, and it does not let itself be talked into that.
    assert!(console.contains(" user.info: [") && has("a word to the kernel") == 1, "{console}");
    assert_eq!(has("Uid:\t65534\t65534\t65534\t65534"), 2, "{console}");
}
