//! A hundred thousand messages.

use super::inet::listening;
use super::*;
use std::net::UdpSocket;

const MESSAGES: usize = 100_000;

fn message(number: usize) -> String {
    format!(
        "<13>Jan  1 00:00:00 host tag[1]: message {number:06} of a burst, of about a hundred bytes as a rule...."
    )
}

#[test]
fn of_a_burst_of_processes_nothing_is_lost() {
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    std::thread::scope(|scope| {
        for part in 0..4 {
            let path = sandbox.join("log");
            scope.spawn(move || {
                let socket = UnixDatagram::unbound().unwrap();
                socket.connect(path).unwrap();
                for number in (part..MESSAGES).step_by(4) {
                    socket.send(message(number).as_bytes()).unwrap();
                }
            });
        }
    });
    until("all messages", || socklog.written().lines().count() == MESSAGES);
    let mut found: Vec<_> = socklog.written().lines().map(str::to_owned).collect();
    found.sort();
    let expected = (0..MESSAGES).map(|number| message(number).replace("<13>", "user.notice: "));
    assert!(found.into_iter().eq(expected));
    assert_eq!(socklog.end(), "");
}

/// How many messages it has said are lost.
fn lost(said: &str) -> usize {
    let count = |line: &str| {
        line.strip_prefix("socklog: warning: messages lost: ").unwrap().parse::<usize>().unwrap()
    };
    said.lines().map(count).sum()
}

#[test]
fn of_a_burst_of_another_machine_what_is_lost_is_counted() {
    if only_svbox("counted") {
        return;
    }
    let sandbox = Sandbox::new();
    let (socklog, port) = listening(&sandbox, &[], "inet", "127.0.0.1", "127.0.0.1");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    for number in 0..MESSAGES {
        // While it stands still there is an end to what there is room for.
        if number == 50_000 {
            socklog.running.signal(Signal::STOP);
        }
        socket.send(message(number).as_bytes()).unwrap();
    }
    socklog.running.signal(Signal::CONT);
    // All that has not been lost is written; what has been is said a second later at the latest.
    until("all messages", || {
        let said = socklog.running.stderr();
        let (_, said) = said.split_once("starting.\n").unwrap();
        socklog.written().lines().count() + lost(said) == MESSAGES
    });
    let said = socklog.running.stderr();
    assert!(lost(said.split_once("starting.\n").unwrap().1) > 0, "{said}");
    assert_eq!(socklog.end(), said.split_once("starting.\n").unwrap().1);
}

#[test]
fn of_what_the_socket_has_room_for_nothing_is_lost() {
    let sandbox = Sandbox::new();
    let (socklog, port) = listening(&sandbox, &[], "inet", "127.0.0.1", "127.0.0.1");
    socklog.running.signal(Signal::STOP);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in 0..100 {
        socket.send_to(message(number).as_bytes(), ("127.0.0.1", port)).unwrap();
    }
    socklog.running.signal(Signal::CONT);
    let expected: String = (0..100)
        .map(|number| format!("127.0.0.1: {}\n", message(number).replace("<13>", "user.notice: ")))
        .collect();
    socklog.until_written(&expected);
    assert_eq!(socklog.end(), "");
}
