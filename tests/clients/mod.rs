//! What others have written for runit works with the supervisors under test, and with their `sv`.

mod ansible;
mod update_service;
mod vsv;

use crate::kit::*;
use std::path::PathBuf;

/// A file of one of them.
fn client(name: &str) -> PathBuf {
    let path = fetched("clients").join(name);
    assert!(path.exists(), "{} is missing: scripts/setup.sh test", path.display());
    path
}

/// What it has printed on standard output, if it has succeeded.
#[track_caller]
fn said(output: &std::process::Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
