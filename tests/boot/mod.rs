//! From the kernel's first process to the end of the machine, in QEMU: with the stages that come with svbox.

use crate::kit::*;

mod end;
mod hard;
mod stages;
mod watchdog;

/// The end of a machine by its kernel's last words.
const OFF: &str = "reboot: Power down";
const AGAIN: &str = "reboot: Restarting system";
const HALTED: &str = "reboot: System halted";
