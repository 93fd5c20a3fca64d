//! Capabilities, see capabilities(7): sets of them are bits, capability 0 the lowest.

use super::{Errno, Result};
use rustix::thread::{self, CapabilitySet, CapabilitySets};

/// The names, in the order of their numbers.
pub const NAMES: &[u8] = b"chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable \
    net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace \
    sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control \
    setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore";

/// Each capability that the kernel has, if it is in the bounding set or not.
fn known() -> impl Iterator<Item = (CapabilitySet, bool)> {
    let one = |number: u32| CapabilitySet::from_bits_retain(1 << number);
    (0..64).map(one).map_while(|one| Some((one, thread::capability_is_in_bounding_set(one).ok()?)))
}

/// Leaves only these in the bounding set, for good, and in the set that is inherited.
pub fn bound(kept: u64) -> Result<()> {
    let kept = CapabilitySet::from_bits_retain(kept);
    for (one, is_in) in known() {
        if is_in && !kept.contains(one) {
            thread::remove_capability_from_bounding_set(one)?;
        }
    }
    // What is inherited is not bounded by it when root runs a program.
    let mut sets = thread::capabilities(None)?;
    if !kept.contains(sets.inheritable) {
        sets.inheritable &= kept;
        thread::set_capabilities(None, sets)?;
    }
    Ok(())
}

/// Lets the permitted ones stay when the user changes from root to another.
pub fn keep() -> Result<()> {
    thread::set_keep_capabilities(true)
}

/// Gives the program that is run exactly these, though its file has none: `EPERM` for those we do not have. With
/// `only`, all others are given up.
pub fn set_ambient(wanted: u64, only: bool) -> Result<()> {
    let wanted = CapabilitySet::from_bits_retain(wanted);
    let before = thread::capabilities(None)?;
    if !before.permitted.contains(wanted) {
        return Err(Errno::PERM);
    }
    let permitted = if only { wanted } else { before.permitted };
    let effective = if only { wanted } else { before.effective };
    let inheritable = before.inheritable | wanted;
    thread::set_capabilities(None, CapabilitySets { effective, permitted, inheritable })?;
    thread::clear_ambient_capability_set()?;
    for (one, _) in known().filter(|(one, _)| wanted.contains(*one)) {
        thread::configure_capability_in_ambient_set(one, true)?;
    }
    Ok(())
}
