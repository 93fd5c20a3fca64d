//! What a log directory is: the grammar of its configuration, the pattern language, the names of its files, where
//! one file ends and the next begins, and the stamps of lines; and what syslog messages are. All of it is pure.

pub mod config;
pub mod cut;
pub mod name;
pub mod pattern;
pub mod stamp;
pub mod syslog;
pub mod zone;
