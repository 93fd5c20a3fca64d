//! What the kernel hands a new program: its arguments and environment, as they lie in memory.

use super::ffi;
use core::ffi::{CStr, c_char, c_int};

/// The arguments of the program: C strings that live as long as the process.
#[derive(Clone, Copy)]
pub struct Args(&'static [*const c_char]);

impl Args {
    /// Takes what the C start-up code gave to `main`.
    ///
    /// # Safety
    /// `argv` points to `argc` pointers to NUL-terminated strings and a null pointer behind them, all of which stay for
    /// the life of the process.
    pub unsafe fn from_main(argc: c_int, argv: *const *const c_char) -> Self {
        let len = usize::try_from(argc).unwrap_or(0);
        if argv.is_null() || len == 0 {
            return Self(&[]);
        }
        // SAFETY: the caller promises `argc` valid pointers that are never moved or freed.
        Self(unsafe { core::slice::from_raw_parts(argv, len) })
    }

    /// The first argument and the others.
    pub fn split_first(self) -> Option<(&'static CStr, Self)> {
        Some((self.get(0)?, self.skip(1)))
    }

    /// The argument at `index`.
    pub fn get(self, index: usize) -> Option<&'static CStr> {
        let at = *self.0.get(index)?;
        // SAFETY: `from_main` was promised that every pointer is to a NUL-terminated string that stays.
        Some(unsafe { CStr::from_ptr(at) })
    }

    /// The memory of the argument at `index`, to be written over.
    pub fn title(self, index: usize) -> Option<Title> {
        let len = self.get(index)?.count_bytes();
        Some(Title { start: self.0.get(index)?.cast_mut().cast(), len })
    }

    /// The arguments from `from` on.
    pub fn skip(self, from: usize) -> Self {
        Self(self.0.get(from..).unwrap_or(&[]))
    }

    /// The arguments as the kernel has laid them down, with a null pointer last, if there are any.
    pub(super) fn pointer(self) -> *const *const c_char {
        self.0.as_ptr()
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Each in turn.
    pub fn iter(self) -> impl Iterator<Item = &'static CStr> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

/// The memory of one argument, to be written over so that `ps` shows something else. What the argument says is no
/// longer to be relied on.
pub struct Title {
    start: *mut u8,
    len: usize,
}

impl Title {
    /// How many bytes there are; never another number.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The byte at `index`; 0 past the end.
    pub fn get(&self, index: usize) -> u8 {
        if index >= self.len {
            return 0;
        }
        // SAFETY: `start` and `len` are a NUL-terminated argument that the kernel laid on the stack, where it stays
        // for the life of the process, and `index` is inside it.
        unsafe { self.start.wrapping_add(index).read_volatile() }
    }

    /// Puts a byte at `index`; nothing happens past the end.
    pub fn set(&mut self, index: usize, byte: u8) {
        if index >= self.len {
            return;
        }
        // SAFETY: as above; the pointer is the kernel's, to memory that is ours to write to. The access is volatile
        // because `ps` reads it. Nobody looks at the argument itself once there is a title.
        unsafe { self.start.wrapping_add(index).write_volatile(byte) };
    }
}

/// The value of a variable of the environment.
pub fn variable(name: &[u8]) -> Option<&'static [u8]> {
    let mut index = 0;
    while let Some(entry) = environment_entry(index) {
        if let Some(value) = entry.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"=")) {
            return Some(value);
        }
        index += 1;
    }
    None
}

/// Each entry of the environment, `NAME=VALUE`.
pub fn environment() -> impl Iterator<Item = &'static CStr> {
    (0..).map_while(environment_string)
}

fn environment_entry(index: usize) -> Option<&'static [u8]> {
    environment_string(index).map(CStr::to_bytes)
}

/// The entry at `index` of the environment, `NAME=VALUE`; `None` is its end, behind which the caller does not look.
pub(super) fn environment_string(index: usize) -> Option<&'static CStr> {
    let list = ffi::environment();
    if list.is_null() {
        return None;
    }
    // SAFETY: the list ends in a null pointer and the caller stops there, so `index` is never past its end.
    let at = unsafe { list.add(index) };
    // SAFETY: as above; the entry is an initialised pointer.
    let entry = unsafe { *at };
    if entry.is_null() {
        return None;
    }
    // SAFETY: an entry that is not null is a NUL-terminated string; svbox never changes its own environment.
    Some(unsafe { CStr::from_ptr(entry) })
}

/// The path that the kernel ran to start this process; its last part is the command name that `ps` shows.
pub fn executed() -> Option<&'static CStr> {
    const AT_EXECFN: usize = 31;
    let at = ffi::auxiliary(AT_EXECFN);
    if at == 0 {
        return None;
    }
    // SAFETY: the kernel put a NUL-terminated string there, on the stack, and nothing moves it.
    Some(unsafe { CStr::from_ptr(at as *const c_char) })
}

/// Defines the C `main` of a program that has one function from [`Args`] to an exit code.
///
/// The ordinary start-up of Rust's library would ignore SIGPIPE, and every service would inherit that.
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        #[global_allocator]
        static HEAP: $crate::sys::heap::Heap = $crate::sys::heap::Heap;

        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main(
            argc: core::ffi::c_int,
            argv: *const *const core::ffi::c_char,
        ) -> core::ffi::c_int {
            // SAFETY: the C start-up code calls this once with the kernel's argument list, which lies on the
            // stack above everything else and is never freed.
            let args = unsafe { $crate::sys::args::Args::from_main(argc, argv) };
            $run(args)
        }
    };
}
