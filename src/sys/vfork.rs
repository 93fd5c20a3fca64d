//! A child that borrows our memory until it runs a program or ends: vfork(2), which Rust has no word for, since it
//! comes back twice. Here it comes back once: the child goes into a function that does not return.

#[cfg(target_arch = "x86_64")]
use super::Errno;
use super::Result;
use core::ffi::{c_int, c_void};

/// What the child does. It runs a program or ends the process.
pub type Child = extern "C" fn(*mut c_void) -> !;

/// Starts a child that does `child(arg)`; gives its process number when that has run a program or ended.
///
/// The child lives on our stack, below what is in use: a stack of its own would be a page more, for good, in
/// each supervisor.
///
/// # Safety
/// The process has one thread, and `child` does nothing to our memory that we could not bear.
#[cfg(target_arch = "x86_64")]
pub unsafe fn start(child: Child, arg: *mut c_void) -> Result<c_int> {
    const VFORK: isize = 58;
    let pid: isize;
    // SAFETY: the kernel holds us until the child is done, and changes no register but rax, rcx and r11. The child
    // pushes only below our stack pointer, where nothing of ours is: without `nostack` the compiler has left it
    // aligned for a call, with no red zone in use.
    unsafe {
        core::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "call {child}",
            "2:",
            in("rdi") arg,
            child = in(reg) child,
            inlateout("rax") VFORK => pid,
            out("rcx") _,
            out("r11") _,
        );
    }
    match c_int::try_from(pid) {
        Ok(pid) if pid > 0 => Ok(pid),
        Ok(negative) => Err(Errno::from_raw_os_error(-negative)),
        Err(_) => Err(Errno::CHILD),
    }
}

/// The same through the C library, on a stack that is part of this frame.
///
/// # Safety
/// As above.
#[cfg(not(target_arch = "x86_64"))]
pub unsafe fn start(child: Child, arg: *mut c_void) -> Result<c_int> {
    use super::ffi;
    use core::mem::MaybeUninit;

    /// Room for the few calls between clone and execve, a message, and a path that is put together: of a release build that
    /// was at most 5328 bytes on powerpc64le and 4944 on mips. What is not used is not touched.
    const STACK: usize = if cfg!(debug_assertions) { 64 << 10 } else { 16 << 10 };
    #[repr(align(16))]
    struct Stack(#[allow(dead_code)] MaybeUninit<[u8; STACK]>);

    const CLONE_VM: c_int = 0x100;
    const CLONE_VFORK: c_int = 0x4000;
    const SIGCHLD: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 18 } else { 17 };
    let mut stack = Stack(MaybeUninit::uninit());
    let top = (&raw mut stack).wrapping_add(1).cast::<c_void>();
    // SAFETY: CLONE_VFORK holds us until the child is done, so `stack` outlives its use; `top` is its aligned end.
    unsafe { ffi::clone(child, top, CLONE_VM | CLONE_VFORK | SIGCHLD, arg) }
}
