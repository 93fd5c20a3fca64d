//! The test suite: one binary. Real processes in fresh sandboxes; pure code by tables and properties.
//!
//! `SVBOX_SUITE=runit` runs the same tests against the runit that is installed; [`kit::differences`] lists what is
//! known to be different there, and why.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

mod account;
mod address;
mod boot;
mod chpst;
mod chpst_long;
mod clients;
mod completions;
mod counts;
mod crash;
mod daemontools;
mod doctor;
mod engine;
mod faults;
mod guest;
mod images;
mod inherited;
mod init;
mod install;
#[allow(dead_code, unused_imports)]
mod kit;
mod layers;
mod log;
mod machine;
mod migrating;
mod multicall;
mod packages;
mod pages;
mod pid1;
mod policy;
mod runsv;
mod runsvchdir;
mod runsvdir;
mod shutdown;
mod smoke;
mod socklog;
mod sv;
mod svlogd;
mod switch_root;
mod tryto;
mod uncat;
mod utmp;
mod utmpset;
