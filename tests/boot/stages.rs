//! The stages, and what runs in them.

use super::*;

#[test]
fn the_stages_follow_one_another_with_the_console_and_a_request_file_ends_them() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.script(
        "etc/runit/local",
        "echo local; [ -t 0 ] && echo a terminal\necho $(cut -d' ' -f6 /proc/$PPID/stat) is $PPID",
    );
    for number in 0..20 {
        guest.service(&format!("n{number}"), "exec sleep 1000000");
    }
    guest.service(
        "script",
        "until [ $(svbox sv status /etc/service/n* | grep -c ^run) = 20 ]; do :; done\n\
         echo all services are up\n\
         cat /proc/1/comm; readlink /proc/1/fd/0; grep -E '^Sig(Blk|Ign)' /proc/self/status\n\
         mkdir -p /run/runit; : >/run/runit/stopit; chmod 100 /run/runit/stopit; kill -CONT 1\n\
         exec sleep 1000000",
    );
    let console = guest.boot("").until_off();
    let version = format!("- runit: svbox {}: booting.", env!("CARGO_PKG_VERSION"));
    assert_in_order(
        &console,
        &[
            &version,
            "- runit: enter stage: /etc/runit/1",
            "local",
            "a terminal",
            "- runit: leave stage: /etc/runit/1",
            "- runit: enter stage: /etc/runit/2",
            "all services are up",
            "init",
            "/dev/console",
            "SigBlk:\t0000000000000000",
            "SigIgn:\t0000000000000000",
            "- runit: leave stage: /etc/runit/2",
            "- runit: enter stage: /etc/runit/3",
            "- runit: leave stage: /etc/runit/3",
            "- runit: sending KILL signal to all processes...",
            "- runit: power off...",
        ],
    );
    assert!(console.contains(OFF), "{console}");
    // Stage 1 leads the session whose terminal the console is.
    let session = console.lines().find(|line| line.contains(" is ")).unwrap();
    let (session, stage) = session.split_once(" is ").unwrap();
    assert_eq!(session, stage);
}

#[test]
fn a_stage_1_that_exits_100_leaves_out_stage_2() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.script("etc/runit/1", "exit 100");
    guest.script("etc/runit/3", "echo three");
    let console = guest.boot("").until_off();
    assert_in_order(
        &console,
        &[
            "- runit: warning: child failed: /etc/runit/1",
            "- runit: leave stage: /etc/runit/1",
            "- runit: warning: skipping stage 2...",
            "- runit: enter stage: /etc/runit/3",
            "three",
        ],
    );
    assert!(console.contains(OFF) && !console.contains("enter stage: /etc/runit/2"), "{console}");
}

#[test]
fn a_crashed_stage_2_starts_again_and_takes_the_services_over() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.service("steady", "echo steady; exec sleep 1000000");
    // A service outlives stage 2, and speaks once, whatever becomes of who supervises it.
    guest.service(
        "script",
        "until svbox sv check steady >/dev/null; do :; done\n\
         old=$(pidof runsvdir); kill -9 $old\n\
         until new=$(pidof runsvdir) && [ $new != $old ]; do sleep 0.1; done\n\
         until svbox sv check steady >/dev/null; do :; done\n\
         svbox sv status steady; svbox init 6; exec sleep 1000000",
    );
    let console = guest.boot("").until_off();
    assert_in_order(
        &console,
        &[
            "- runit: enter stage: /etc/runit/2",
            "- runit: warning: child crashed: /etc/runit/2",
            "- runit: warning: killing all processes in stage 2...",
            "- runit: warning: restarting.",
            "- runit: enter stage: /etc/runit/2",
            "- runit: leave stage: /etc/runit/2",
            "- runit: system reboot.",
        ],
    );
    assert_eq!(console.matches("\nsteady\n").count(), 1, "{console}");
    assert!(console.contains("run: steady: (pid "), "{console}");
}

#[test]
fn an_initramfs_hands_over_to_a_read_only_root_whose_state_is_in_memory() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.script(
        "init",
        "mount -t proc proc /proc; mount -t devtmpfs devtmpfs /dev; mkdir -p /new; mount -t tmpfs tmpfs /new; : >/left\n\
         for dir in bin etc sbin usr; do cp -a /$dir /new; done; mkdir /new/proc /new/sys /new/dev /new/run\n\
         echo 'tmpfs / tmpfs ro 0 0' >/new/etc/fstab; mount -o remount,ro /new; exec svbox switch_root -c /dev/console /new /sbin/init",
    );
    guest.service(
        "script",
        "touch /etc/new 2>&1; ls -d /left /init /new 2>&1; readlink -f /etc/service/script/supervise\n\
         svbox sv status /etc/service/script; svbox init 0; exec sleep 1000000",
    );
    let console = guest.boot("ro rdinit=/init").until_off();
    assert_in_order(
        &console,
        &[
            "touch: /etc/new: Read-only file system",
            "ls: /left: No such file or directory",
            "ls: /init: No such file or directory",
            "ls: /new: No such file or directory",
            "/run/runit/supervise.script",
        ],
    );
    assert!(console.contains("run: /etc/service/script: (pid "), "{console}");
    assert!(console.contains(OFF), "{console}");
}

#[test]
fn with_file_systems_of_fstab_a_reboot_is_a_reboot() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.write("etc/fstab", "tmpfs /mnt tmpfs size=1m 0 0\n");
    guest.service(
        "script",
        "grep -q ' /mnt tmpfs ' /proc/mounts && echo mounted; svbox init 6; exec sleep 1000000",
    );
    let console = guest.boot("ro").until_off();
    assert_in_order(&console, &["mounted", "- runit: leave stage: /etc/runit/3", "- runit: system reboot."]);
    assert!(!console.contains("mend it") && console.contains(AGAIN), "{console}");
}

#[test]
fn what_is_asked_for_in_the_rescue_shell_is_done() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.script("bin/rescuer", "svbox reboot; echo asked");
    // The shell that rescue starts reads this.
    guest.script(
        "etc/runit/1",
        &RESCUED.replace("STAGE", &std::fs::read_to_string(guest.path("etc/runit/1")).unwrap()),
    );
    let console = guest.boot("rescue").until_off();
    assert_in_order(
        &console,
        &[
            "- runit: warning: signals only work in stage 2: remembered for it.",
            "- runit: leave stage: /etc/runit/1",
            "- runit: warning: skipping stage 2...",
            "- runit: system reboot.",
        ],
    );
}

/// Stage 1 with another shell for the rescue: nobody types here.
const RESCUED: &str = "sh() { /bin/rescuer; }\nSTAGE";

#[test]
fn one_process_supervises_all_services_of_a_machine() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    for number in 0..20 {
        guest.service(
            &format!("n{number}"),
            "trap 'echo stopped; exit' TERM; while :; do sleep 1000000 & wait; done",
        );
    }
    guest.service(
        "script",
        "until [ $(svbox sv status /etc/service/n* | grep -c ^run) = 20 ]; do :; done\n\
         echo supervisors: $(ps | grep -c '[r]unsv ')\n\
         svbox init 0; exec sleep 1000000",
    );
    let console = guest.boot("").until_off();
    assert_in_order(
        &console,
        &[
            "supervisors: 0",
            "stopped",
            "- runit: leave stage: /etc/runit/2",
            "- runit: leave stage: /etc/runit/3",
        ],
    );
    assert_eq!(console.matches("stopped").count(), 20, "{console}");
    assert!(console.contains(OFF) && !console.contains("awaited"), "{console}");
}
