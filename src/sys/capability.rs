//! Capabilities, see capabilities(7): sets of them are bits, capability 0 the lowest.

use super::{Errno, Result};
use rustix::process::DumpableBehavior;
use rustix::thread::{self, CapabilitySet, CapabilitySets};

/// The names, in the order of their numbers.
pub const NAMES: &[u8] = b"chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable \
    net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace \
    sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control \
    setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore";

/// The set of those that the kernel has.
fn known() -> Result<CapabilitySet> {
    let mut known = CapabilitySet::empty();
    for one in (0..64).map(|number| CapabilitySet::from_bits_retain(1 << number)) {
        match thread::capability_is_in_bounding_set(one) {
            Ok(_) => known |= one,
            // Behind the last one. There are some in every kernel.
            Err(Errno::INVAL) if !known.is_empty() => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(known)
}

/// Each of a set.
fn each(set: CapabilitySet) -> impl Iterator<Item = CapabilitySet> {
    (0..64).map(|number| CapabilitySet::from_bits_retain(1 << number)).filter(move |one| set.contains(*one))
}

/// Leaves only these in the bounding set, for good, and in the set that is inherited.
pub fn bound(kept: u64) -> Result<()> {
    let kept = CapabilitySet::from_bits_retain(kept);
    for one in each(known()?.difference(kept)) {
        if thread::capability_is_in_bounding_set(one)? {
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
/// `only`, all others are given up. What the kernel does not know of counts for nothing.
pub fn set_ambient(wanted: u64, only: bool) -> Result<()> {
    let wanted = known()? & CapabilitySet::from_bits_retain(wanted);
    let mut sets = thread::capabilities(None)?;
    if !sets.permitted.contains(wanted) {
        return Err(Errno::PERM);
    }
    if only {
        sets = CapabilitySets { effective: wanted, permitted: wanted, inheritable: wanted };
    }
    sets.inheritable |= wanted;
    thread::set_capabilities(None, sets)?;
    thread::clear_ambient_capability_set()?;
    each(wanted).try_for_each(|one| thread::configure_capability_in_ambient_set(one, true))
}

/// Whether we may take any user or group.
pub fn may_change_ids() -> Result<bool> {
    let ids = CapabilitySet::SETUID | CapabilitySet::SETGID;
    Ok(thread::capabilities(None)?.effective.intersects(ids))
}

/// Gives up, for good, as much as we can and do not need to send signals to everybody, and keeps others from looking
/// into this process or leading it.
pub fn disarm() {
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = thread::set_no_new_privs(true);
    let _ = bound(0);
    if let Ok(mut sets) = thread::capabilities(None) {
        sets.permitted &= CapabilitySet::KILL;
        sets.effective &= CapabilitySet::KILL;
        let _ = thread::set_capabilities(None, sets);
    }
}
