//! Messages of other machines.

use super::*;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// A port that is free here.
fn port(ip: &str) -> Option<u16> {
    Some(UdpSocket::bind((ip, 0)).ok()?.local_addr().unwrap().port())
}

/// Starts it at a free port: until there is one that nobody else takes in the meantime.
pub fn listening<'s>(
    sandbox: &'s Sandbox,
    options: &[&str],
    word: &str,
    ip: &str,
    free: &str,
) -> (Live<'s>, u16) {
    loop {
        let port = port(free).unwrap();
        let number = port.to_string();
        let mut command = socklog(sandbox, &[options, &[word, ip, &number]].concat());
        command.stdout(fs::File::create(sandbox.join("out")).unwrap());
        let mut running = sandbox.start(command);
        until("a socklog that listens or has ended", || {
            running.stderr().contains("starting.") || !running.lives()
        });
        if running.lives() {
            return (Live { sandbox, running }, port);
        }
        assert!(running.stderr().contains("address already used"), "{}", running.stderr());
    }
}

fn send(from: &str, to: &str, port: u16, messages: &[&[u8]]) {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    for message in messages {
        socket.send_to(message, SocketAddr::new(to.parse::<IpAddr>().unwrap(), port)).unwrap();
    }
}

#[test]
fn lines_begin_with_the_address_of_the_sender() {
    let sandbox = Sandbox::new();
    let (socklog, port) = listening(&sandbox, &[], "inet", "127.0.0.1", "127.0.0.1");
    send("127.0.0.1", "127.0.0.1", port, &[b"<13>x", b"<96>y\n", b"z"]);
    socklog.until_written("127.0.0.1: user.notice: x\n127.0.0.1: unknown.emerg: <96>y\n127.0.0.1: z\n");
    send("127.200.3.45", "127.0.0.1", port, &[b"\n", b"\0", b""]);
    socklog.until_written(
        "127.0.0.1: user.notice: x\n127.0.0.1: unknown.emerg: <96>y\n127.0.0.1: z\n127.200.3.45: \n",
    );
    assert_eq!(socklog.end(), "");
}

#[test]
fn raw_lines_have_no_address() {
    let sandbox = Sandbox::new();
    let (socklog, port) = listening(&sandbox, &["-r"], "inet", "127.0.0.1", "127.0.0.1");
    send("127.0.0.1", "127.0.0.1", port, &[b"<13>x"]);
    socklog.until_written("<13>x\n127.0.0.1: user.notice: x\n");
}

#[test]
fn an_address_that_begins_with_0_is_all_of_them() {
    let sandbox = Sandbox::new();
    for ip in ["0", "0.0.0.0", "01.2.3.4"] {
        let (socklog, port) = listening(&sandbox, &[], "inet", ip, "0.0.0.0");
        let said = socklog.running.stderr();
        let ids = if rustix::process::geteuid().is_root() { ", gid=65534, uid=65534" } else { "" };
        assert_eq!(said, format!("listening on 0.0.0.0:{port}{ids}, starting.\n"));
        send("127.9.9.9", "127.8.8.8", port, &[b"x"]);
        socklog.until_written("127.9.9.9: x\n");
        socklog.end();
    }
}

#[test]
fn the_port_is_514_by_default() {
    // Another address of this machine, where nobody else is likely to be. It takes rights.
    if UdpSocket::bind("127.33.44.56:514").is_err() {
        return;
    }
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["inet", "127.33.44.56"]);
    send("127.0.0.1", "127.33.44.56", 514, &[b"x"]);
    socklog.until_written("127.0.0.1: x\n");
}

#[test]
fn long_messages_of_other_machines_are_whole() {
    if only_svbox("long messages") {
        return;
    }
    let sandbox = Sandbox::new();
    let (socklog, port) = listening(&sandbox, &["--length", "65507"], "inet", "127.0.0.1", "127.0.0.1");
    let text = "x".repeat(65507);
    send("127.0.0.1", "127.0.0.1", port, &[text.as_bytes()]);
    socklog.until_written(&format!("127.0.0.1: {text}\n"));
}

#[test]
fn messages_come_by_the_sixth_version_too() {
    if only_svbox("inet6") || port("::1").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let (socklog, port) = listening(&sandbox, &[], "inet6", "::1", "::1");
    assert!(socklog.running.stderr().starts_with(&format!("listening on [::1]:{port}, ")));
    send("::1", "::1", port, &[b"<13>x", b"y"]);
    socklog.until_written("::1: user.notice: x\n::1: y\n");
    socklog.end();
    // Both versions have the same port if they are asked for.
    let (sixth, port) = listening(&sandbox, &[], "inet6", "::", "::");
    let other = Sandbox::new();
    let fourth = Live::start(&other, &["inet", "0", &port.to_string()]);
    send("::1", "::1", port, &[b"x"]);
    send("127.0.0.1", "127.0.0.1", port, &[b"x"]);
    sixth.until_written("::1: x\n");
    fourth.until_written("127.0.0.1: x\n");
}
