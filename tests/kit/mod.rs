//! What every test needs: a sandbox whose processes end with it, service directories, supervisors, and waiting for
//! what has to happen.

mod container;
pub mod differences;
mod fake;
mod first;
mod guest;
pub mod help;
mod installed;
mod machine;
mod mount;
mod programs;
mod root;
mod runc;
mod sandbox;
mod service;
mod wait;

pub use container::{Contained, Container};
pub use differences::only_svbox;
pub use fake::{Fake, Say, steady};
pub use first::{Boot, DESCRIPTORS, End, First};
pub use guest::{Guest, Machine, assert_in_order, fetched, kernel_file, no_guest};
pub use installed::{install, installed, project};
pub use machine::{CHILDREN, change_namespaces, kill, limit, refuse, traced, unprivileged};
pub use mount::Mount;
pub use programs::{PERSONALITIES, against_runit, bin_dir, emulated, program, svbox};
pub use root::Root;
pub use runc::without_runc;
pub use sandbox::{Running, Sandbox};
pub use service::{Scan, Service, Shown, Status};
pub use wait::{DEADLINE, until, until_some};
