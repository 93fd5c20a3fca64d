//! What process 1 has to survive.

use super::*;

#[test]
fn signals_and_orphans_do_not_hurt_it() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    // A storm of signals by a shell is one system call each.
    guest.service(
        "script",
        "for signal in KILL TERM STOP HUP USR1 USR2 QUIT SEGV ABRT; do kill -$signal 1; done\n\
         i=0; while [ $i -lt 20000 ]; do kill -CONT 1; kill -INT 1; kill -PWR 1; kill -TERM 1; kill -CHLD 1; \
         i=$((i + 1)); done\n\
         i=0; while [ $i -lt 300 ]; do (true & ); i=$((i + 1)); done\n\
         until ! grep -l '^State:.Z' /proc/[0-9]*/status; do :; done 2>/dev/null\n\
         echo alive: $(ls /proc/1/fd | wc -l) descriptors; grep -E 'Vm(RSS|Data)' /proc/1/status\n\
         svbox init 6; exec sleep 1000000",
    );
    guest.script("etc/runit/ctrlaltdel", "exit 0");
    std::fs::remove_file(guest.path("etc/runit/ctrlaltdel")).unwrap();
    let console = guest.boot("").until_off();
    assert!(console.contains("alive: 4 descriptors"), "{console}");
    assert!(console.contains(AGAIN), "{console}");
}

#[test]
fn a_fork_bomb_in_its_limits_ends_with_the_machine() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.service(
        "bomb",
        "echo +pids >/sys/fs/cgroup/cgroup.subtree_control; mkdir -p /sys/fs/cgroup/bomb\n\
         echo 60 >/sys/fs/cgroup/bomb/pids.max; echo $$ >/sys/fs/cgroup/bomb/cgroup.procs\n\
         trap '' TERM; bomb() { bomb | bomb & }; bomb 2>/dev/null; while :; do sleep 1000000; done",
    );
    guest.service(
        "script",
        "until [ $(cat /sys/fs/cgroup/bomb/pids.current 2>/dev/null || echo 0) -gt 40 ]; do :; done\n\
         echo many; svbox init 6; exec sleep 1000000",
    );
    let console = guest.boot("").until_off();
    assert_in_order(&console, &["many", "- runit: leave stage: /etc/runit/3", "- runit: system reboot."]);
}

#[test]
fn a_machine_without_room_for_processes_is_waited_for() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    guest.script(
        "etc/runit/2",
        "[ ! -e /run/second ] || { svbox init 0; exec sleep 1000000; }\n\
         : >/run/second; cd /sys/fs/cgroup; echo +pids >cgroup.subtree_control; mkdir one; echo 1 >one/cgroup.procs\n\
         echo 1 >one/pids.max; setsid sh -c ': >/run/set; sleep 7; echo max >one/pids.max' &\n\
         until [ -e /run/set ]; do sleep 0.1; done; exit 111",
    );
    let console = guest.boot("").until_off();
    assert!(
        console.contains("- runit: fatal: unable to fork for \"/etc/runit/2\" pausing: temporary failure"),
        "{console}"
    );
    assert!(console.contains(OFF), "{console}");
}
