//! What a log directory is, by tables and properties: no process is started.

mod config;
mod cut;
mod pattern;
mod stamp;
mod syslog;
