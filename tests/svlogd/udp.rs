//! Lines that are sent to another machine.

use super::*;
use std::net::UdpSocket;

/// A receiver on this machine; gives its port, too.
fn receiver(address: &str) -> (UdpSocket, u16) {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// The next datagram.
#[track_caller]
fn received(socket: &UdpSocket) -> String {
    let mut bytes = [0; 10_000];
    let count = socket.recv(&mut bytes).expect("a datagram");
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

/// What a `u` or `U` that cannot be understood makes of two lines: the log, and what was said.
fn misread(line: &str) -> (String, String) {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("{line}\n"));
    let (code, said) = feed(&sandbox, &["d"], "a\nb\n");
    assert_eq!(code, Some(0));
    (log.current(), said)
}

#[test]
fn a_small_u_sends_lines_and_logs_them() {
    let sandbox = Sandbox::new();
    let (socket, port) = receiver("127.0.0.1:0");
    let log = log(&sandbox, "d", format!("u127.0.0.1:{port}\n"));
    fed(&sandbox, &["d"], "a\n\nb\n");
    let texts: Vec<_> = (0..3).map(|_| received(&socket)).collect();
    assert_eq!(texts, ["a\n", "\n", "b\n"]);
    assert_eq!(log.current(), "a\n\nb\n");
}

#[test]
fn a_large_u_sends_lines_and_does_not_log_them() {
    let sandbox = Sandbox::new();
    let (socket, port) = receiver("127.0.0.1:0");
    let log = log(&sandbox, "d", format!("U127.0.0.1:{port}\n"));
    fed(&sandbox, &["d"], "a\nb\n");
    assert_eq!((received(&socket), received(&socket)), ("a\n".into(), "b\n".into()));
    assert_eq!(log.current(), "");
}

#[test]
fn only_lines_that_are_selected_are_sent() {
    let sandbox = Sandbox::new();
    let (socket, port) = receiver("127.0.0.1:0");
    log(&sandbox, "d", format!("U127.0.0.1:{port}\n-*\n+yes*\n"));
    fed(&sandbox, &["d"], "no\nyes 1\nno\nyes 2\n");
    assert_eq!((received(&socket), received(&socket)), ("yes 1\n".into(), "yes 2\n".into()));
}

#[test]
fn what_is_sent_has_stamp_and_prefix_and_is_cut() {
    let sandbox = Sandbox::new();
    let (socket, port) = receiver("127.0.0.1:0");
    let log = log(&sandbox, "d", format!("u127.0.0.1:{port}\np> \n"));
    fed(&sandbox, &["-t", "-l", "5", "-r", ".", "d"], "a\tb\n12345678\n12345\n1234\n");
    let texts: Vec<_> = (0..4).map(|_| received(&socket)).collect();
    let logged: Vec<_> = log.current().lines().map(Into::into).collect::<Vec<String>>();
    assert_eq!(texts[0], format!("{}\n", logged[0]));
    let cut: Vec<_> = texts.iter().map(|text| &text[25..]).collect();
    assert_eq!(cut, [" > a.b\n", " > 12345...\n", " > 12345...\n", " > 1234\n"]);
    assert_eq!(&logged[1][25..], " > 12345678");
}

#[test]
fn the_last_address_is_the_one_that_counts() {
    let sandbox = Sandbox::new();
    let ((first, one), (second, two)) = (receiver("127.0.0.1:0"), receiver("127.0.0.1:0"));
    log(&sandbox, "d", format!("u127.0.0.1:{one}\nu127.0.0.1:{two}\n"));
    fed(&sandbox, &["d"], "a\n");
    assert_eq!(received(&second), "a\n");
    first.set_nonblocking(true).unwrap();
    assert!(first.recv(&mut [0; 10]).is_err());
}

#[test]
fn a_large_u_is_not_undone_by_a_small_one() {
    let sandbox = Sandbox::new();
    let (socket, port) = receiver("127.0.0.1:0");
    let log = log(&sandbox, "d", format!("U127.0.0.1:9\nu127.0.0.1:{port}\n"));
    fed(&sandbox, &["d"], "a\n");
    assert_eq!((received(&socket), log.current()), ("a\n".into(), String::new()));
}

#[test]
fn the_port_is_that_of_syslog_by_default() {
    // Another address of this machine, where nobody else is likely to be. It takes rights.
    let Ok(socket) = UdpSocket::bind("127.33.44.55:514") else { return };
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "U127.33.44.55\n");
    fed(&sandbox, &["d"], "a\n");
    assert_eq!(received(&socket), "a\n");
}

#[test]
fn an_address_where_nobody_listens_is_no_trouble() {
    let sandbox = Sandbox::new();
    let port = receiver("127.0.0.1:0").1;
    let log = log(&sandbox, "d", format!("u127.0.0.1:{port}\n"));
    fed(&sandbox, &["d"], "a\nb\n");
    assert_eq!(log.current(), "a\nb\n");
}

#[test]
fn a_line_that_cannot_be_sent_is_logged_with_a_warning() {
    let sandbox = Sandbox::new();
    // Sending to all takes a permission that svlogd does not ask for.
    for (letter, copy) in [("U", ""), ("u", "> 12345678\n")] {
        let log = log(&sandbox, letter, format!("{letter}255.255.255.255:9\np> \n"));
        let (code, _) = feed(&sandbox, &["-l", "5", letter], "12345678\n");
        assert_eq!(code, Some(0));
        let expected = format!("warning: failure sending through udp: > 12345...\n{copy}");
        assert_eq!(log.current(), expected, "{letter}");
    }
}

#[test]
fn a_line_is_logged_with_a_warning_when_there_is_no_socket() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "U127.0.0.1:9\np> \n");
    let mut command = traced(&sandbox, "socket:error=EMFILE", "svlogd");
    command.arg("d");
    let mut live = Live::run(&sandbox, command);
    live.say("abc\n");
    assert_eq!(live.end().0, Some(0));
    assert_eq!(log.current(), "warning: no udp socket available: > abc\n");
}

#[test]
fn an_address_that_cannot_be_read_is_warned_about() {
    for text in ["foo", "x y:7", "1.2.3", "", "1.2.3.x:4"] {
        let (logged, said) = misread(&format!("u{text}"));
        assert_eq!(said, format!("svlogd: warning: unable to scan ip address: {text}\n"));
        assert_eq!(logged, "a\nb\n", "{text}");
    }
}

#[test]
fn a_port_that_cannot_be_read_is_warned_about() {
    for text in ["", "0", "x", "x7"] {
        let (logged, said) = misread(&format!("u127.0.0.1:{text}"));
        assert_eq!(said, format!("svlogd: warning: unable to scan port number: {text}\n"));
        assert_eq!(logged, "a\nb\n", "{text}");
    }
}

#[test]
fn lines_that_should_go_to_an_address_that_cannot_be_read_are_logged() {
    if only_svbox("own addresses") {
        return;
    }
    for line in ["Ufoo", "U127.0.0.1:x"] {
        let (logged, said) = misread(line);
        assert!(said.starts_with("svlogd: warning: unable to scan "), "{said}");
        assert_eq!(logged, "a\nb\n", "{line}");
    }
}

#[test]
fn a_good_address_is_kept_when_a_bad_one_follows() {
    let sandbox = Sandbox::new();
    let (socket, port) = receiver("127.0.0.1:0");
    log(&sandbox, "d", format!("u127.0.0.1:{port}\nufoo\n"));
    feed(&sandbox, &["d"], "a\n");
    assert_eq!(received(&socket), "a\n");
}

#[test]
fn lines_can_be_sent_to_addresses_of_the_sixth_version() {
    if only_svbox("own addresses") {
        return;
    }
    let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let port = socket.local_addr().unwrap().port();
    for (letter, logged) in [("u", "a\n"), ("U", "")] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", format!("{letter}[::1]:{port}\n"));
        fed(&sandbox, &["d"], "a\n");
        assert_eq!((received(&socket), log.current()), ("a\n".into(), logged.into()));
    }
}

#[test]
fn each_directory_sends_to_its_own_address() {
    let sandbox = Sandbox::new();
    let ((first, one), (second, two)) = (receiver("127.0.0.1:0"), receiver("127.0.0.1:0"));
    log(&sandbox, "one", format!("U127.0.0.1:{one}\np1 \n"));
    log(&sandbox, "two", format!("U127.0.0.1:{two}\np2 \n"));
    fed(&sandbox, &["one", "two"], "a\n");
    assert_eq!((received(&first), received(&second)), ("1 a\n".into(), "2 a\n".into()));
}
