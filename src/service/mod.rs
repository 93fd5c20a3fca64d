//! What a service is: names, modes and bytes of the service directory and the supervise protocol, and the
//! decisions of a supervisor. Everything here can be tested without starting a service.

#[cfg(feature = "policy")]
pub mod cgroup;
pub mod client;
pub mod command;
pub mod machine;
pub mod names;
pub mod notification;
pub mod policy;
#[cfg(feature = "policy")]
pub mod processes;
pub mod settings;
pub mod status;
#[cfg(feature = "policy")]
pub mod template;
