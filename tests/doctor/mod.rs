//! svbox --doctor: each thing that it finds, on machines and images of the tests' own.

mod image;
mod machine;

use crate::kit::*;
use std::process::Output;

/// What it says.
fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}
