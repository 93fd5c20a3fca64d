//! The changes of process state that were asked for, and the one order in which they are made.

use super::inner::Inside;
use super::limits::Limit;
use super::who::Who;
use core::ffi::CStr;
use svbox::sys::namespace::Kinds;

/// Defines the changes. They are made in the order in which they stand here.
macro_rules! changes {
    ($($(#[$meta:meta])* $name:ident $(($($field:ty),*))?,)*) => {
        /// A change of the state of the process.
        pub enum Change {
            $($(#[$meta])* $name $(($($field),*))?,)*
        }

        /// Which one it is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        enum Kind {
            $($name,)*
        }

        impl Change {
            fn kind(&self) -> Kind {
                match self {
                    $(Self::$name { .. } => Kind::$name,)*
                }
            }
        }
    };
}

changes! {
    /// A new session, if it can be had.
    Session,
    /// Variables from a directory; whether a directory in it is an error.
    EnvDir(&'static CStr, bool),
    /// Namespaces, all but that of processes.
    Namespaces(Kinds),
    /// Another root. Accounts are looked up before it, and inside if there are none such.
    Root(&'static CStr),
    /// Another current directory.
    Directory(&'static CStr),
    /// More of niceness.
    Nice(i32),
    /// The signal ALRM, later.
    Alarm(u32),
    /// A process namespace. From here on it is a child that goes on.
    Inside(Inside),
    /// The ids of an account as variables.
    IdVariables(Who),
    /// The ids of an account.
    Ids(Who),
    /// A lock on a file, and whether it is waited for.
    Lock(&'static CStr, bool),
    /// Another standard descriptor.
    Standard(u8),
    /// A soft limit, lowered to the hard one if need be.
    Limit(Limit),
}

impl Change {
    /// The order among those of one kind, of which there is one for each such number.
    fn within(&self) -> u8 {
        if let Self::Limit(limit) = self {
            return limit.order;
        }
        // Standard error first, as upstream has it.
        if let Self::Standard(number) = self { 2 - number } else { 0 }
    }
}

/// What was asked for.
#[derive(Default)]
pub struct Plan {
    changes: Vec<Change>,
    /// What the program is called, if not by its own name.
    pub argv0: Option<&'static CStr>,
    /// Whether less important things are told, too.
    pub verbose: bool,
    /// Whether standard descriptors become the null device instead of being closed.
    pub null: bool,
    /// Whether failure is no failure, and not told.
    pub quiet: bool,
}

impl Plan {
    /// Asks for a change: in the place of an earlier one of its kind.
    pub fn ask(&mut self, change: Change) {
        let key = |change: &Change| (change.kind(), change.within());
        let at = self.changes.iter().position(|other| key(other) >= key(&change));
        match at.and_then(|at| self.changes.get_mut(at)).filter(|other| key(other) == key(&change)) {
            Some(same) => *same = change,
            None => self.changes.insert(at.unwrap_or(self.changes.len()), change),
        }
    }

    /// The changes in their order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether to go on until all processes inside have ended.
    pub fn follows(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Inside(Inside::Group)))
    }

    /// Whether another root was asked for.
    pub fn has_root(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Root(_)))
    }

    /// Whether a lock was asked for.
    pub fn has_lock(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Lock(..)))
    }
}
