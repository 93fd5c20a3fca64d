//! Process 1, and the program that asks it for the end, from the outside: each test has a PID namespace of its own.

mod again;
mod ask;
mod earlier;
mod environment;
mod orphans;
mod programs;
mod requests;
mod rest;
mod robust;
mod signals;
mod stages;
mod stop;
mod unable;

use crate::kit::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

/// The messages of a life in short: `+1` stage 1 is entered, `-1` left, `!1` it has failed, `#1` it has crashed.
fn life(short: &str) -> String {
    short.split(' ').map(|word| format!("- runit: {}\n", message(word))).collect()
}

fn message(word: &str) -> String {
    if let Some(stage) = word.strip_prefix('+') {
        return format!("enter stage: /etc/runit/{stage}");
    }
    if let Some(stage) = word.strip_prefix('-') {
        return format!("leave stage: /etc/runit/{stage}");
    }
    if let Some(stage) = word.strip_prefix('!') {
        return format!("warning: child failed: /etc/runit/{stage}");
    }
    if let Some(stage) = word.strip_prefix('#') {
        return format!("warning: child crashed: /etc/runit/{stage}");
    }
    let kill_all = "sending KILL signal to all processes...";
    match word {
        "skip" => "warning: skipping stage 2...".into(),
        "all" => "warning: killing all processes in stage 2...".into(),
        "restarting" => "warning: restarting.".into(),
        "kill" => "warning: stage 2 not terminated, sending sigkill...".into(),
        "ctrl" => "ctrl-alt-del request...".into(),
        "power" => "powerfail event...".into(),
        "only" => "warning: signals only work in stage 2.".into(),
        "remembered" => "warning: signals only work in stage 2: remembered for it.".into(),
        "off" => format!("{kill_all}\n- runit: power off..."),
        "again" => format!("{kill_all}\n- runit: system reboot."),
        "halt" => format!("{kill_all}\n- runit: system halt."),
        other => panic!("no message {other}"),
    }
}

/// Waits until process 1 is in stage 2, and rests.
#[track_caller]
fn in_stage_2(first: &First) {
    first.until_said("enter stage: /etc/runit/2\n");
    first.until_idle();
}

/// The places of a request: Debian's runit has one.
fn places(request: &str) -> Vec<String> {
    let debian = format!("/run/runit.{request}");
    if against_runit() {
        return vec![debian];
    }
    vec![format!("/etc/runit/{request}"), format!("/run/runit/{request}"), debian]
}

/// The signals that are blocked and those that are ignored, but for 32 and 33, which the C library keeps for itself.
fn masks(status: &str) -> (u64, u64) {
    let mask = |name: &str| {
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{status}"));
        u64::from_str_radix(line.trim(), 16).unwrap() & !(3 << 31)
    };
    (mask("SigBlk:"), mask("SigIgn:"))
}

/// Asks for the end of stage 2.
#[track_caller]
fn stop(first: &First) {
    // It could be about to look at the request anyway, and then the signal would come too late to be nothing new.
    first.until_idle();
    first.set("/run/runit.stopit", 0o100);
    first.signal("CONT");
}
