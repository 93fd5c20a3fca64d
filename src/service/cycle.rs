//! Services that depend on each other in a circle: none of them could be the first to start.

use super::needs::{TIES, below, names};
use crate::sys::table::Table;
use crate::sys::{BorrowedFd, Errno, Result};
use crate::text::Text;
use core::ffi::CStr;

/// The most services that a walk sees; memory is taken for those that there are.
const MOST: usize = 1 << 14;
/// The longest name of a file, with a NUL.
const NAME: usize = 256;
/// The beginnings of so many lists in which a name is looked for.
const LISTS: usize = 256;

/// A service that has been reached.
struct Reached {
    name: Text<NAME>,
    /// From which one.
    from: usize,
    /// Another one in the same list.
    next: Option<usize>,
}

/// All that have been reached, each once.
struct Walk {
    reached: Table<Reached>,
    lists: [Option<u16>; LISTS],
}

/// The names of a circle, with arrows between them; what is too long for it has no end.
pub type Circle = Text<1024>;

/// The circle of needs and wants in which the service `name` stands, if there is one: the shortest.
// Kept apart for its tables: pages of the stack that start-up touches stay with the process.
#[inline(never)]
pub fn of(scan: BorrowedFd<'_>, name: &CStr) -> Result<Option<Circle>> {
    let mut walk = Walk { reached: Table::new(MOST)?, lists: [None; LISTS] };
    walk.reach(name, 0)?;
    let mut at = 0;
    while let Some(here) = walk.reached.list().get(at).map(|reached| reached.name) {
        let here = here.c_str().unwrap_or(c"");
        for (ties, _) in &TIES {
            let mut names = names(scan, below(here, ties).path());
            while let Some(next) = names.next_name() {
                if next == name {
                    return Ok(Some(walk.circle(at, name)));
                }
                walk.reach(next, at)?;
            }
            match names.end() {
                Err(errno) if is_for_want_of_room(errno) => return Err(errno),
                _ => {}
            }
        }
        at += 1;
    }
    Ok(None)
}

/// Otherwise what cannot be listed leads nowhere.
pub fn is_for_want_of_room(errno: Errno) -> bool {
    matches!(errno, Errno::MFILE | Errno::NFILE | Errno::NOMEM)
}

impl Walk {
    /// Takes a name down, unless that has been done.
    fn reach(&mut self, name: &CStr, from: usize) -> Result<()> {
        // FNV-1a, of which any eight bits will do.
        let spread = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        let [list, ..] = name.to_bytes().iter().fold(0x811c_9dc5, spread).to_be_bytes();
        let list = self.lists.get_mut(usize::from(list)).ok_or(Errno::NOMEM)?;
        let first = list.map(usize::from);
        let mut next = first;
        while let Some(known) = next.and_then(|at| self.reached.list().get(at)) {
            if known.name.bytes() == name.to_bytes() {
                return Ok(());
            }
            next = known.next;
        }
        let number = u16::try_from(self.reached.list().len()).map_err(|_| Errno::NOMEM)?;
        let mut text = Text::new();
        text.push(name.to_bytes());
        let reached = Reached { name: text, from, next: first };
        self.reached.push(reached).map_err(|_| Errno::NOMEM)?;
        *list = Some(number);
        Ok(())
    }

    /// The names from the first one to that at `last`, and the first one again.
    fn circle(&self, last: usize, name: &CStr) -> Circle {
        let mut text = Circle::new();
        let list = self.reached.list();
        let back = |at: usize| list.get(at).map_or(0, |reached| reached.from);
        let mut len = 1;
        let mut at = last;
        while at != 0 {
            at = back(at);
            len += 1;
        }
        // Each is found from the end: circles are short.
        for behind in (0..len).rev() {
            let at = (0..behind).fold(last, |at, _| back(at));
            if let Some(reached) = list.get(at) {
                text.push(reached.name.bytes()).push(b" -> ");
            }
        }
        text.push(name.to_bytes());
        text
    }
}
