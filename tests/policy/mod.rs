//! svbox's own files in a service directory: deadlines, signals, what becomes of a service that has ended.

mod again;
mod between;
mod clients;
mod dag;
mod deadlines;
mod late;
mod links;
mod needs;
mod one_shot;
mod ready;
mod restart;
mod scope;
mod settings;
mod socket;
mod stalled;
mod template;

use crate::kit::*;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Waits for a message of the service's runsv.
#[track_caller]
fn until_said(service: &Service<'_>, runsv: &Running, message: &str) {
    let line = format!("runsv {}: warning: {message}", service.name);
    until(&format!("{line:?}"), || runsv.stderr().lines().any(|said| said == line));
}

/// How often it has been said.
fn times_said(runsv: &Running, message: &str) -> usize {
    runsv.stderr().lines().filter(|line| line.ends_with(message)).count()
}

/// A service that writes a line to `starts`, and then does this.
fn counted<'s>(sandbox: &'s Sandbox, body: &str) -> Service<'s> {
    sandbox.service("one").run(&format!("date +%s%N >>starts\n{body}"))
}

/// The moments in a file.
fn moments(service: &Service<'_>, file: &str) -> Vec<Duration> {
    service.read(file).lines().map(|line| Duration::from_nanos(line.parse().unwrap())).collect()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Tells it to go down, and waits until it has.
#[track_caller]
fn down(service: &Service<'_>) {
    service.send(b"d");
    until("that it is down and to stay so", || {
        let status = service.status();
        status.shown() == Shown::Down && status.want() == 'd'
    });
}
