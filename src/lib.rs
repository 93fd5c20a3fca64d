//! The floors under svbox's programs.
//!
//! `supervisor → service → log → {cli, report, account, utmp, tai, text} → sys`: imports point to the right only, and the crate
//! border keeps all of it from knowing any program. `make check` holds both.

pub mod account;
pub mod cli;
pub mod log;
pub mod report;
pub mod service;
pub mod supervisor;
pub mod sys;
pub mod tai;
pub mod text;
pub mod utmp;
