//! The stages of process 1, and what comes after each: pure.

use core::ffi::CStr;
use svbox::sys::process::Ended;

/// A stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// What is done once, when the machine starts.
    One,
    /// What runs as long as the machine does.
    Two,
    /// What is done before it ends.
    Three,
}

impl Stage {
    /// Its program.
    pub fn path(self) -> &'static CStr {
        match self {
            Self::One => c"/etc/runit/1",
            Self::Two => c"/etc/runit/2",
            Self::Three => c"/etc/runit/3",
        }
    }
}

/// What is said of how a stage has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remark {
    Nothing,
    Failed,
    Crashed,
}

/// What comes after a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    Enter(Stage),
    /// Stage 3; there is no stage 2.
    Skip,
    /// Stage 2 once more.
    Restart,
    /// The end of everything.
    End,
}

/// What a stage's program says by its exit code: leave out stage 2, or start me again.
const SKIP: u8 = 100;
const RESTART: u8 = 111;

/// What follows the end of a stage that nobody has asked to end (runit 2.3).
pub fn after(stage: Stage, ended: Ended) -> (Remark, Next) {
    let remark = match ended.code() {
        Some(0) => Remark::Nothing,
        Some(_) => Remark::Failed,
        None => Remark::Crashed,
    };
    let next = match (stage, ended.code()) {
        (Stage::One, Some(SKIP) | None) => Next::Skip,
        (Stage::One, Some(_)) => Next::Enter(Stage::Two),
        (Stage::Two, Some(RESTART) | None) => Next::Restart,
        (Stage::Two, Some(_)) => Next::Enter(Stage::Three),
        (Stage::Three, _) => Next::End,
    };
    (remark, next)
}
