//! The bytes of the control fifo, one by one, together and at any moment.

use super::*;
use rustix::process::Signal;

/// The letter that the kernel has for what a process is doing.
fn doing(pid: i32) -> char {
    field(pid, "State").chars().next().unwrap_or('-')
}

/// A service that finishes until it may go on; it is wanted up.
fn finishing(sandbox: &Sandbox) -> (Service<'_>, Running, i32) {
    let service = sandbox
        .service("finishing")
        .run("echo >>starts\nuntil test -e go; do exit; done\nexec sleep 1000000")
        .finish(&format!("echo >>finishes\n{UNTIL_GO}\necho >>finished"));
    let runsv = service.supervise();
    service.until_lines("finishes", 1);
    until("finish", || service.status().shown() == Shown::Finish && service.status().pid() != 0);
    let pid = service.status().pid();
    (service, runsv, pid)
}

#[test]
fn each_letter_sends_its_signal() {
    let letters =
        [(b't', 15), (b'k', 9), (b'h', 1), (b'a', 14), (b'i', 2), (b'q', 3), (b'1', 10), (b'2', 12)];
    for (letter, number) in letters {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox).finish("echo $(($2 & 127)) >>signals").down();
        let _runsv = service.supervise();
        service.send(b"o");
        until_asleep(&service);
        service.send(&[letter]);
        service.until_lines("signals", 1);
        assert_eq!(service.read("signals"), format!("{number}\n"), "{}", char::from(letter));
    }
}

#[test]
fn p_stops_the_process_and_c_lets_it_go_on() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || doing(pid) == 'T');
    service.send(b"c");
    until("going on", || doing(pid) == 'S');
    assert_eq!(service.until_up(), pid);
}

#[test]
fn u_starts_a_service_that_is_down_and_keeps_it_up() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    service.send(b"u");
    let pid = until_asleep(&service);
    assert_eq!(service.status().want(), 'u');
    service.send(b"k");
    service.until_up_again(pid);
}

#[test]
fn u_does_not_disturb_a_service_that_runs() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"uuu");
    until_heard(&service);
    assert_eq!((service.status().pid(), service.lines("starts")), (pid, 1));
}

#[test]
fn d_stops_a_service_and_it_stays_down() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert!(!sandbox.processes().contains(&pid));
    // One more start, and there were two: it did not start in between.
    service.send(b"u");
    until_asleep(&service);
    assert_eq!(service.lines("starts"), 2);
}

#[test]
fn d_ends_a_service_that_is_paused() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || doing(pid) == 'T');
    service.send(b"d");
    until_told(&service, "down, paused", [1, b'd', 0, 0]);
}

#[test]
fn t_leaves_a_paused_service_paused() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || doing(pid) == 'T');
    service.send(b"t");
    until_told(&service, "run, paused, got TERM", [1, b'u', 1, 1]);
    assert_eq!((doing(pid), service.status().pid()), ('T', pid));
    service.send(b"c");
    service.until_up_again(pid);
}

#[test]
fn t_lets_a_paused_service_that_is_wanted_down_go_on() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    service.send(b"o");
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || doing(pid) == 'T');
    service.send(b"t");
    until_told(&service, "down, paused", [1, b'd', 0, 0]);
}

#[test]
fn d_lets_a_service_go_on_that_term_does_not_end() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || doing(pid) == 'T');
    service.send(b"d");
    until_told(&service, "run, paused, got TERM, want down", [1, b'd', 1, 1]);
    until("going on", || doing(pid) == 'S');
}

#[test]
fn o_starts_a_service_that_is_not_started_again() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    service.send(b"o");
    until_asleep(&service);
    service.send(b"k");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.send(b"o");
    until_asleep(&service);
    assert_eq!(service.lines("starts"), 2);
}

#[test]
fn o_does_not_disturb_a_service_that_runs_but_it_is_not_started_again() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"o");
    let status = until_told(&service, "run, want down", [0, b'd', 0, 1]);
    assert_eq!(status.pid(), pid);
    service.send(b"t");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(service.lines("starts"), 1);
}

#[test]
fn u_after_o_keeps_the_service_up_again() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    service.send(b"o");
    let pid = until_asleep(&service);
    service.send(b"u");
    until_told(&service, "run", [0, b'u', 0, 1]);
    service.send(b"t");
    service.until_up_again(pid);
}

#[test]
fn t_starts_a_service_afresh() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"t");
    until_asleep_again(&service, pid);
    assert_eq!(service.lines("starts"), 2);
}

#[test]
fn k_ends_a_service_that_term_does_not() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"d");
    until_told(&service, "run, got TERM, want down", [0, b'd', 1, 1]);
    service.send(b"k");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(sandbox.named("sleep"), []);
}

#[test]
fn a_service_that_was_killed_is_not_started_twice() {
    if only_svbox("kill") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"kuku");
    let next = until_asleep_again(&service, pid);
    until_heard(&service);
    assert_eq!(sandbox.named("sleep"), [next]);
    assert_eq!(service.lines("starts"), 2);
}

#[test]
fn signals_go_to_the_process_alone() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("parent").run("sleep 1000001 &\necho $! >>child\nexec sleep 1000000");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    let child: i32 = service.read("child").trim().parse().unwrap();
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert!(!sandbox.processes().contains(&pid));
    assert!(sandbox.processes().contains(&child));
}

#[test]
fn signals_to_a_service_that_is_down_do_nothing() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let mut runsv = service.supervise();
    let before = service.status();
    service.send(b"tkhaiq12");
    until_heard(&service);
    assert_eq!(service.status(), before);
    assert!(runsv.lives());
    assert_eq!((runsv.stderr().as_str(), service.lines("starts")), ("", 0));
}

#[test]
fn p_and_c_to_a_service_that_is_down_only_set_the_flag() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    service.send(b"p");
    until_told(&service, "down, paused", [1, b'd', 0, 0]);
    service.send(b"c");
    until_told(&service, "down", [0, b'd', 0, 0]);
}

#[test]
fn any_other_byte_is_ignored() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    let before = service.status();
    let others: Vec<u8> = (0..=u8::MAX).filter(|byte| !b"udoxtkpchaiq12".contains(byte)).collect();
    pour(&service, &others);
    until_heard(&service);
    assert_eq!(service.status(), before);
    assert_eq!((service.status().pid(), service.lines("starts"), runsv.lives()), (pid, 1, true));
}

#[test]
fn a_flood_of_garbage_does_not_hide_a_command() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    let _runsv = service.supervise();
    until_asleep(&service);
    // More than the fifo holds.
    pour(&service, &b"\n\0 \xff~UDX".repeat(20_000));
    pour(&service, b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(service.lines("starts"), 1);
}

#[test]
fn a_fifo_full_of_garbage_does_not_hide_term() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    until_asleep(&service);
    pour(&service, &[b'.'; 100_000]);
    runsv.signal(Signal::TERM);
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn garbage_for_the_log_service_does_not_hide_a_command_to_the_main_one() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    let _runsv = service.supervise();
    until_asleep(&service);
    let log = until_log_up(&service);
    service.send_log(&[b'.'; 60_000]);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(service.log_status().pid(), log);
}

#[test]
fn commands_sent_together_are_handled_in_order() {
    for (letters, stat, flags) in [
        (b"pcpxdou", "run, paused, got TERM", [1, b'u', 1, 1]),
        (b"uodpcdx", "run, got TERM, want exit", [0, b'd', 1, 1]),
        (b"xuxcpod", "run, paused, got TERM, want down", [1, b'd', 1, 1]),
    ] {
        let sandbox = Sandbox::new();
        let service = stubborn(&sandbox);
        let _runsv = service.supervise();
        service.until_lines("ready", 1);
        service.send(letters);
        until_told(&service, stat, flags);
    }
}

#[test]
fn d_and_u_together_start_a_service_afresh() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"du");
    until_asleep_again(&service, pid);
    assert_eq!(service.status().want(), 'u');
}

#[test]
fn u_and_d_together_leave_a_service_down() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    service.send(b"ud");
    until("the wish", || service.status().want() == 'd' && service.status().shown() == Shown::Down);
    until_heard(&service);
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(sandbox.named("sleep"), []);
}

#[test]
fn any_number_of_commands_in_any_order_leaves_a_service_that_obeys() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish("exit 0").logged();
    let mut runsv = service.supervise();
    service.until_up();
    let mut seed = 12345_u32;
    let letters = b"udotkpchaiq12?";
    let storm: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12345);
        letters[(seed >> 16) as usize % letters.len()]
    })
    .take(200)
    .collect();
    pour(&service, &storm);
    // A plain end first: a service that is stopped must not need more than this either.
    pour(&service, b"cdkx");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn a_writer_that_comes_and_goes_ends_nothing() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    for _ in 0..100 {
        service.send(b"");
        assert!(service.is_supervised());
    }
    until_heard(&service);
    assert_eq!((service.status().pid(), runsv.lives()), (pid, true));
}

#[test]
fn what_is_written_to_ok_is_not_a_command() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    fs::OpenOptions::new().write(true).open(service.join("supervise/ok")).unwrap().write_all(b"dx").unwrap();
    until_heard(&service);
    assert_eq!((service.status().pid(), runsv.lives()), (pid, true));
}

#[test]
fn u_d_and_o_during_finish_only_change_what_is_wanted() {
    let sandbox = Sandbox::new();
    let (service, _runsv, pid) = finishing(&sandbox);
    for (letter, want, stat) in
        [(b"d", b'd', "finish, want down"), (b"u", b'u', "finish"), (b"o", b'd', "finish, want down")]
    {
        service.send(letter);
        assert_eq!(until_told(&service, stat, [0, want, 0, 2]).pid(), pid);
    }
    go(&service);
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!((service.lines("starts"), service.lines("finished")), (1, 1));
}

#[test]
fn x_during_finish_ends_runsv_after_it() {
    let sandbox = Sandbox::new();
    let (service, mut runsv, pid) = finishing(&sandbox);
    service.send(b"x");
    assert_eq!(until_told(&service, "finish, want exit", [0, b'd', 0, 2]).pid(), pid);
    assert!(runsv.lives());
    go(&service);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((service.lines("starts"), service.lines("finished")), (1, 1));
}

#[test]
fn signals_during_finish_do_nothing() {
    let sandbox = Sandbox::new();
    let (service, _runsv, pid) = finishing(&sandbox);
    service.send(b"thaiq12");
    until_heard(&service);
    assert_eq!(until_told(&service, "finish", [0, b'u', 0, 2]).pid(), pid);
    go(&service);
    service.until_lines("finished", 1);
    assert_eq!(service.lines("finishes"), 1);
}

#[test]
fn p_and_c_during_finish_only_set_the_flag() {
    let sandbox = Sandbox::new();
    let (service, _runsv, pid) = finishing(&sandbox);
    service.send(b"p");
    until_told(&service, "finish, paused", [1, b'u', 0, 2]);
    assert_ne!(doing(pid), 'T');
    service.send(b"c");
    until_told(&service, "finish", [0, b'u', 0, 2]);
    assert_eq!(service.status().pid(), pid);
}

#[test]
fn k_during_finish_does_not_make_it_run_twice() {
    if only_svbox("kill") {
        return;
    }
    let sandbox = Sandbox::new();
    let (service, _runsv, _) = finishing(&sandbox);
    service.send(b"k");
    until("a pause, or the end of finish", || {
        let status = service.status();
        if status.shown() == Shown::Finish && !status.paused() {
            service.send(b"p");
        }
        status.paused() || status.shown() == Shown::Down || service.lines("starts") == 2
    });
    go(&service);
    service.until_lines("starts", 2);
    assert_eq!(service.lines("finishes"), 1);
}

#[test]
fn the_log_service_takes_the_same_letters() {
    for letter in b"tkhaiq12" {
        let sandbox = Sandbox::new();
        let script = "ulimit -c 0\nexec env --default-signal sleep 1000000";
        let service = sandbox.service("plain").run_forever().down().script("log/run", script);
        let _runsv = service.supervise();
        let pid = until_log_up(&service);
        until("its program", || command_name(pid) == "sleep");
        // Not to be started again, so that its end can be seen.
        service.send_log(b"o");
        until("the wish", || service.log_status().want() == 'd');
        service.send_log(&[*letter]);
        until("its end", || service.log_status().0[12..] == [0, 0, 0, 0, 0, b'd', 0, 0]);
        assert!(!sandbox.processes().contains(&pid), "{}", char::from(*letter));
    }
}

#[test]
fn p_and_c_stop_the_log_service_and_let_it_go_on() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let _runsv = service.supervise();
    let pid = until_log_up(&service);
    service.send_log(b"p");
    until("a stop", || doing(pid) == 'T' && service.log_status().paused());
    service.send_log(b"c");
    until("going on", || doing(pid) == 'S' && !service.log_status().paused());
}

#[test]
fn the_log_service_ignores_x() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let mut runsv = service.supervise();
    let pid = until_log_up(&service);
    service.send_log(b"xp");
    until("a pause", || service.log_status().paused());
    assert_eq!(service.log_status().0[16..], [1, b'u', 0, 1]);
    assert_eq!((service.log_status().pid(), runsv.lives()), (pid, true));
}

#[test]
fn the_log_service_goes_down_and_up_on_its_own() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let _runsv = service.supervise();
    let (pid, log) = (service.until_up(), until_log_up(&service));
    service.send_log(b"d");
    until("its end", || service.log_status().0[12..] == [0, 0, 0, 0, 0, b'd', 0, 0]);
    assert_eq!(service.status().pid(), pid);
    service.send_log(b"u");
    assert_ne!(until_log_up(&service), log);
    assert_eq!(service.status().pid(), pid);
}

#[test]
fn the_main_service_goes_down_and_up_without_its_log() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let _runsv = service.supervise();
    let (pid, log) = (service.until_up(), until_log_up(&service));
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.send(b"u");
    service.until_up_again(pid);
    assert_eq!(service.log_status().pid(), log);
}
