//! The programs in `control/`: when they run, what they are given and what their end decides.

use super::*;
use rustix::process::Signal;
use std::os::unix::fs::PermissionsExt;

/// A service whose control programs note their letters in `asked`, and end with this code.
fn asking<'s>(sandbox: &'s Sandbox, letters: &str, code: u8) -> Service<'s> {
    let add = |service: Service<'s>, letter: char| {
        service.script(&format!("control/{letter}"), &format!("echo {letter} >>asked\nexit {code}"))
    };
    letters.chars().fold(counted(sandbox), add)
}

fn asked(service: &Service<'_>) -> String {
    service.read("asked").replace('\n', "")
}

/// The number that the only signal of a service had, with `finish` taking note of it.
fn notes_signal(service: Service<'_>) -> Service<'_> {
    service.finish("echo $2 >>signals")
}

#[test]
fn u_is_asked_before_each_start() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .script("control/u", "echo u >>order")
        .run("echo run >>order\nexec sleep 1000000");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"k");
    until_asleep_again(&service, pid);
    assert_eq!(service.read("order"), "u\nrun\nu\nrun\n");
}

#[test]
fn u_cannot_keep_a_service_from_starting() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "u", 1);
    let _runsv = service.supervise();
    until_asleep(&service);
    assert_eq!(asked(&service), "u");
}

#[test]
fn o_has_no_program_of_its_own_but_u_is_asked() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "uo", 0).down();
    let _runsv = service.supervise();
    service.send(b"o");
    until_asleep(&service);
    assert_eq!(asked(&service), "u");
}

#[test]
fn u_is_not_asked_while_the_service_runs() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "u", 0);
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"uo");
    until_told(&service, "run, want down", [0, b'd', 0, 1]);
    assert_eq!(asked(&service), "u");
}

#[test]
fn a_program_that_succeeds_takes_the_place_of_the_signal() {
    for letter in "thaiq12pc".chars() {
        let sandbox = Sandbox::new();
        let service = asking(&sandbox, &letter.to_string(), 0);
        let _runsv = service.supervise();
        let pid = until_asleep(&service);
        service.send(&[letter as u8]);
        service.until_lines("asked", 1);
        // The program has been started; that it has been waited for, only a later command can tell.
        service.send(b"o");
        until("the wish", || service.status().want() == 'd');
        assert_eq!((asked(&service), service.status().pid()), (letter.to_string(), pid));
        // Asleep as before: not ended, and not stopped.
        until(&format!("an undisturbed service after {letter}"), || field(pid, "State").starts_with('S'));
    }
}

#[test]
fn a_program_that_fails_does_not_keep_the_signal_back() {
    for (letter, number) in
        [('t', 15), ('k', 9), ('h', 1), ('a', 14), ('i', 2), ('q', 3), ('1', 10), ('2', 12)]
    {
        let sandbox = Sandbox::new();
        let service = asking(&sandbox, &letter.to_string(), 1).finish("echo $(($2 & 127)) >>signals").down();
        let _runsv = service.supervise();
        service.send(b"o");
        until_asleep(&service);
        service.send(&[letter as u8]);
        service.until_lines("signals", 1);
        assert_eq!(service.read("signals"), format!("{number}\n"), "{letter}");
        assert_eq!(asked(&service), letter.to_string());
    }
}

#[test]
fn a_failing_p_or_c_does_not_keep_the_signal_back() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "pc", 1);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || field(pid, "State").starts_with('T'));
    service.send(b"c");
    until("going on", || field(pid, "State").starts_with('S'));
    assert_eq!(asked(&service), "pc");
}

#[test]
fn a_p_that_succeeds_sets_the_flag_all_the_same() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "pc", 0);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"p");
    until_told(&service, "run, paused", [1, b'u', 0, 1]);
    service.until_lines("asked", 1);
    assert!(!field(pid, "State").starts_with('T'));
    service.send(b"c");
    until_told(&service, "run", [0, b'u', 0, 1]);
    service.until_lines("asked", 2);
}

#[test]
fn for_d_first_t_is_asked_and_then_d() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "td", 1);
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.until_lines("asked", 2);
    assert_eq!(asked(&service), "td");
}

#[test]
fn for_x_first_t_is_asked_and_then_x() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "tdx", 1);
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"x");
    runsv.ended();
    assert_eq!(asked(&service), "tx");
}

#[test]
fn for_term_to_runsv_first_t_is_asked_and_then_x() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "tdx", 1);
    let mut runsv = service.supervise();
    until_asleep(&service);
    runsv.signal(Signal::TERM);
    runsv.ended();
    assert_eq!(asked(&service), "tx");
}

#[test]
fn a_d_that_succeeds_does_not_keep_term_back() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "d", 0);
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.until_lines("asked", 1);
}

#[test]
fn a_t_that_succeeds_keeps_the_term_of_d_back_but_d_is_asked() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "t", 0).script("control/d", "echo d >>asked");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"d");
    service.until_lines("asked", 2);
    until_heard(&service);
    let status = until_told(&service, "run, want down", [0, b'd', 0, 1]);
    assert_eq!((status.pid(), asked(&service).as_str()), (pid, "td"));
}

#[test]
fn a_t_that_succeeds_does_not_keep_the_cont_of_d_back() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "tc", 0);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"p");
    until("a stop", || field(pid, "State").starts_with('T'));
    service.send(b"d");
    until("going on", || field(pid, "State").starts_with('S'));
    // And c was not asked.
    assert_eq!(asked(&service), "t");
}

#[test]
fn a_plain_t_to_a_service_started_once_asks_d_too() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "td", 1).down();
    let _runsv = service.supervise();
    service.send(b"o");
    until_asleep(&service);
    service.send(b"t");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.until_lines("asked", 2);
    assert_eq!(asked(&service), "td");
}

#[test]
fn a_plain_t_to_a_service_that_is_kept_up_asks_t_alone() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "tdx", 1);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"t");
    until_asleep_again(&service, pid);
    assert_eq!(asked(&service), "t");
}

#[test]
fn nothing_is_asked_for_a_service_that_is_down() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "dotkpchaiq12x", 0).down();
    let mut runsv = service.supervise();
    service.send(b"dtkpchaiq12");
    until_heard(&service);
    service.send(b"x");
    runsv.ended();
    assert_eq!(asked(&service), "");
}

#[test]
fn nothing_is_asked_during_finish() {
    let sandbox = Sandbox::new();
    let service =
        asking(&sandbox, "udotpchaiq12x", 1).run("exit").finish(&format!("{UNTIL_GO}\necho >>ends"));
    let mut runsv = service.supervise();
    until("finish", || service.status().shown() == Shown::Finish && service.status().pid() != 0);
    service.send(b"dotpchaiq12ux");
    until_told(&service, "finish, want exit", [0, b'd', 0, 2]);
    go(&service);
    runsv.ended();
    // Before the start.
    assert_eq!(asked(&service), "u");
}

#[test]
fn the_log_service_has_no_control_programs() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "utdpc", 0)
        .down()
        .logged()
        .script("log/control/t", "echo t >>../asked")
        .script("log/control/u", "echo u >>../asked");
    let _runsv = service.supervise();
    let log = until_log_up(&service);
    service.send_log(b"t");
    until("another log service", || {
        let status = service.log_status();
        status.pid() != log && status.pid() != 0
    });
    assert_eq!(asked(&service), "");
}

#[test]
fn a_program_without_owner_execute_is_not_there() {
    let sandbox = Sandbox::new();
    let service = notes_signal(asking(&sandbox, "h", 0));
    fs::set_permissions(service.join("control/h"), fs::Permissions::from_mode(0o677)).unwrap();
    let runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("signals", 1);
    assert_eq!((asked(&service).as_str(), runsv.stderr().as_str()), ("", ""));
}

#[test]
fn a_program_that_its_owner_may_execute_is_there() {
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "h", 0);
    fs::set_permissions(service.join("control/h"), fs::Permissions::from_mode(0o500)).unwrap();
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("asked", 1);
}

#[test]
fn programs_are_looked_up_at_each_use() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    let service = service.script("control/h", "echo h >>asked");
    service.send(b"h");
    service.until_lines("asked", 1);
    fs::remove_file(service.join("control/h")).unwrap();
    service.send(b"h");
    service.until_up_again(pid);
    assert_eq!(asked(&service), "h");
}

#[test]
fn a_control_that_is_no_directory_is_warned_of_and_the_signal_sent() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).file("control", "");
    let runsv = service.supervise();
    let pid = until_asleep(&service);
    until_said(&service, &runsv, "warning: unable to stat control/u: not a directory");
    service.send(b"t");
    service.until_up_again(pid);
    until_said(&service, &runsv, "warning: unable to stat control/t: not a directory");
}

/// Checks that a program that cannot be executed is told of, and that the signal is sent.
#[track_caller]
fn assert_cannot_run(service: &Service<'_>, reason: &str) {
    let runsv = service.supervise();
    let pid = until_asleep(service);
    service.send(b"t");
    service.until_up_again(pid);
    // runit does not say which one.
    let texts = ["?", "t"]
        .map(|file| format!("runsv {}: fatal: unable to run control/{file}: {reason}", service.name));
    assert!(runsv.stderr().lines().any(|line| texts.iter().any(|text| text == line)), "{}", runsv.stderr());
}

#[test]
fn a_program_with_a_bad_interpreter_counts_as_failed() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/t", "");
    fs::write(service.join("control/t"), "#!/no/such/interpreter\n").unwrap();
    assert_cannot_run(&service, "file does not exist");
}

#[test]
fn a_program_of_unknown_format_counts_as_failed() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/t", "");
    fs::write(service.join("control/t"), "no program\n").unwrap();
    assert_cannot_run(&service, "exec format error");
}

#[test]
fn a_directory_instead_of_a_program_counts_as_failed() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    fs::create_dir_all(service.join("control/t")).unwrap();
    assert_cannot_run(&service, "access denied");
}

#[test]
fn a_program_that_is_killed_counts_as_failed() {
    if only_svbox("killed control") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/t", "kill -9 $$");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"t");
    service.until_up_again(pid);
}

#[test]
fn a_program_is_given_the_number_of_the_process() {
    if only_svbox("control pid") {
        return;
    }
    let sandbox = Sandbox::new();
    let note = "echo \"${0##*/} $# $1\" >>given\nexit 1";
    let letters = ["h", "t", "d"].map(|letter| format!("control/{letter}"));
    let service = letters.iter().fold(counted(&sandbox), |service, path| service.script(path, note));
    let _runsv = service.supervise();
    let first = until_asleep(&service);
    service.send(b"h");
    let second = until_asleep_again(&service, first);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.until_lines("given", 3);
    assert_eq!(service.read("given"), format!("h 1 {first}\nt 1 {second}\nd 1 {second}\n"));
}

#[test]
fn without_a_process_a_program_is_given_an_empty_argument() {
    if only_svbox("control pid") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/u", "echo \"$#($1)\" >>given");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"t");
    until_asleep_again(&service, pid);
    assert_eq!(service.read("given"), "1()\n1()\n");
}

#[test]
fn a_program_is_called_by_its_path_from_the_service_directory() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", "pwd -P >where\necho \"$0\" >>where");
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("where", 2);
    let dir = service.join("").canonicalize().unwrap();
    assert_eq!(service.read("where"), format!("{}\ncontrol/h\n", dir.display()));
}

#[test]
fn a_program_starts_with_a_clean_signal_mask() {
    if only_svbox("control mask") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", "exec cat /proc/self/status >mask");
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("mask", 20);
    let text = service.read("mask");
    let blocked = text.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
    assert_eq!(u64::from_str_radix(blocked.trim(), 16), Ok(0));
}

#[test]
fn while_t_is_asked_the_new_wish_is_shown() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox).script("control/t", UNTIL_GO);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    until_asleep(&service);
    service.send(b"d");
    until_told(&service, "run, want down", [0, b'd', 0, 1]);
}

#[test]
fn while_d_or_x_is_asked_the_term_is_shown() {
    for (letter, stat) in [("d", "run, got TERM, want down"), ("x", "run, got TERM, want exit")] {
        let sandbox = Sandbox::new();
        let service = stubborn(&sandbox)
            .script(&format!("control/{letter}"), &format!("cp supervise/stat shown\n{UNTIL_GO}"));
        let _runsv = service.supervise();
        service.until_lines("ready", 1);
        until_asleep(&service);
        service.send(letter.as_bytes());
        service.until_lines("shown", 1);
        assert_eq!(service.read("shown"), format!("{stat}\n"));
    }
}

#[test]
fn commands_sent_while_a_program_is_asked_are_obeyed_after_it() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", &format!("echo h >>asked\n{UNTIL_GO}"));
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("asked", 1);
    service.send(b"d");
    go(&service);
    until_told(&service, "down", [0, b'd', 0, 0]);
}

#[test]
fn a_term_to_runsv_while_a_program_is_asked_is_obeyed_after_it() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", &format!("echo h >>asked\n{UNTIL_GO}"));
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("asked", 1);
    runsv.signal(Signal::TERM);
    go(&service);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn a_service_that_ends_while_a_program_is_asked_is_started_again() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", "kill -9 $(cat supervise/pid)\nexit 1");
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"h");
    until_asleep_again(&service, pid);
    assert_eq!((service.lines("starts"), runsv.lives()), (2, true));
}

#[test]
fn a_program_that_gives_its_own_service_a_command_is_obeyed() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", "printf d >supervise/control");
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    until_told(&service, "down", [0, b'd', 0, 0]);
}

#[test]
fn k_that_is_taken_over_leaves_a_service_that_obeys() {
    if only_svbox("kill") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = asking(&sandbox, "k", 0);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"ku");
    until_heard(&service);
    assert_eq!((service.status().pid(), sandbox.named("sleep")), (pid, vec![pid]));
    service.send(b"t");
    service.until_up_again(pid);
}

#[test]
fn what_a_program_leaves_behind_is_nobodys_business() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("control/h", "sleep 1000001 &\necho $! >>child");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"h");
    service.until_lines("child", 1);
    until_heard(&service);
    assert_eq!(service.status().pid(), pid);
}

#[test]
fn commands_that_wait_for_a_program_keep_their_order_and_number() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox)
        .script("control/h", "echo h >>asked; while [ ! -e go ]; do sleep 0.01; done")
        .script("control/1", "echo 1 >>asked")
        .script("control/2", "echo 2 >>asked");
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"h");
    service.until_lines("asked", 1);
    service.send(b"121hh1");
    let service = service.file("go", "");
    service.until_lines("asked", 7);
    assert_eq!(asked(&service), "h121hh1");
}

#[test]
fn u_is_never_asked_beside_a_service_that_was_started_meanwhile() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .script(
            "control/u",
            "[ ! -e alive ] || echo beside >>asked\necho u >>asked\nwhile [ ! -e go ]; do sleep 0.01; done",
        )
        .run("trap 'rm -f alive; exit 0' TERM\necho >alive\necho run >>asked\nwhile :; do sleep 0.01; done");
    let _runsv = service.supervise();
    service.until_lines("asked", 1);
    service.send(b"du");
    let service = service.file("go", "");
    until("the service", || service.read("asked").contains("run"));
    // Whatever is still to be asked has been asked when this has taken effect.
    service.send(b"d");
    service.until_shown(Shown::Down);
    assert!(!service.read("asked").contains("beside"), "{}", service.read("asked"));
}
