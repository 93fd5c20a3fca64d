//! -P: a session of its own.

use super::*;
use std::os::unix::process::CommandExt;

const SESSION: [&str; 3] = ["sh", "-c", "set -- $(sed 's/.*) //' /proc/$$/stat); echo $$ $3 $4"];

/// The session of this process, as programs see it: 0 if its leader is outside of the PID namespace.
fn own_session() -> i32 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_the_name) = stat.rsplit_once(") ").unwrap();
    behind_the_name.split(' ').nth(3).unwrap().parse().unwrap()
}

/// Own number, group and session.
#[track_caller]
fn session(told: Told) -> [i32; 3] {
    let text = printed(told);
    let numbers: Vec<i32> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn the_program_leads_a_session_and_a_process_group() {
    let sandbox = Sandbox::new();
    for args in [&["-P"][..], &["-PP"], &["-P", "-P"]] {
        let [own, group, session] = session(chpst(&sandbox, &[args, &SESSION].concat()));
        assert_eq!([group, session], [own, own], "{args:?}");
    }
}

#[test]
fn without_it_group_and_session_stay() {
    let sandbox = Sandbox::new();
    let before = own_session();
    let [own, group, session] = session(chpst(&sandbox, &SESSION));
    assert_eq!(session, before);
    assert_ne!(group, own);
}

#[test]
fn the_leader_of_a_group_stays_in_its_session() {
    let sandbox = Sandbox::new();
    let before = own_session();
    let mut command = sandbox.command("chpst");
    let [own, group, session] = session(told(command.arg("-P").args(SESSION).process_group(0)));
    assert_eq!([group, session], [own, before]);
}

#[test]
fn that_it_stays_is_said_if_asked_for() {
    if only_svbox("same session") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("chpst");
    let (code, stdout, stderr) = told(command.args(["-vP", "echo", "ran"]).process_group(0));
    assert_eq!((code, stdout.as_str()), (Some(0), "ran\n"));
    assert!(stderr.starts_with("chpst: warning: ") && stderr.lines().count() == 1, "{stderr}");
}
