//! What a service is: names, modes and bytes of the service directory and the supervise protocol, and the
//! decisions of a supervisor. Everything here can be tested without starting a service.

#[cfg(feature = "policy")]
pub mod cgroup;
pub mod client;
pub mod command;
#[cfg(feature = "policy")]
pub mod cycle;
pub mod machine;
pub mod names;
#[cfg(feature = "policy")]
pub mod needs;
pub mod notification;
pub mod policy;
#[cfg(feature = "policy")]
pub mod processes;
pub mod settings;
pub mod status;
#[cfg(any(feature = "policy", feature = "doctor"))]
pub mod template;
