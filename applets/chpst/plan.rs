//! The changes of process state that were asked for, and the one order in which they are made.

use super::inner::Inside;
use super::limits::Limit;
use super::who::Who;
use core::ffi::CStr;
use svbox::sys::namespace;
use svbox::sys::signal::Signal;

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
    /// A new session.
    NewSession,
    /// A file for a standard descriptor, opened as the caller of chpst would.
    Open(u8, &'static CStr),
    /// No variables.
    ClearVariables,
    /// Variables from a directory; whether a directory in it is an error.
    EnvDir(&'static CStr, bool),
    /// A variable, or none of that name.
    Variable(&'static [u8], Option<&'static [u8]>),
    /// A control group, made if need be.
    ControlGroup(&'static CStr),
    /// How soon the kernel ends the process when memory is short.
    OomScore(&'static CStr),
    /// Class and level of its turns at the disk.
    IoPriority(usize, usize),
    /// Policy and priority of its turns at the processor.
    Policy(usize, i32),
    /// The list of processors it may run on.
    Processors(&'static [u8]),
    /// A namespace of the kind with this place, any but that of processes.
    Namespace(usize),
    /// Another root. Accounts are looked up before it, and inside if there are none such.
    Root(&'static CStr),
    /// A tree that cannot be changed.
    ReadOnly(&'static CStr),
    /// Directories for temporary files of its own.
    PrivateTemporary,
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
    /// A limit as it is said, soft and hard.
    ExactLimit(usize, u64, Option<u64>),
    /// The capabilities that can be had at all.
    Bounding(u64),
    /// The ids of an account.
    Ids(Who),
    /// A lock on a file, and whether it is waited for.
    Lock(&'static CStr, bool),
    /// The permissions that new files do not get.
    Umask(u32),
    /// Another standard descriptor.
    Standard(u8),
    /// A soft limit, lowered to the hard one if need be.
    Limit(Limit),
    /// Capabilities that a program has though its file has none.
    Ambient(u64),
    /// A signal at the end of the parent.
    ParentDeath(Signal),
    /// No program gets more privileges.
    NoNewPrivileges,
    /// What may be read or, if true, changed as well; nothing else may.
    Landlock(&'static CStr, bool),
    /// That from here on.
    Restrict,
    /// No descriptors above the standard ones but these.
    CloseDescriptors(Vec<u32>),
}

impl Change {
    /// The order among those of one kind, of which there is one for each such number.
    fn within(&self) -> u8 {
        if let Self::Limit(limit) = self {
            return limit.order;
        }
        if let Self::Open(number, _) = self {
            return *number;
        }
        if let Self::Namespace(index) = self {
            // In one of users the others can be had without privileges.
            return if *index == namespace::USER { 0 } else { u8::try_from(*index).unwrap_or(0) + 1 };
        }
        if let Self::ExactLimit(index, ..) = self {
            return u8::try_from(*index).unwrap_or(0);
        }
        // Standard error first, as upstream has it.
        if let Self::Standard(number) = self { 2 - number } else { 0 }
    }

    fn key(&self) -> (Kind, u8) {
        (self.kind(), self.within())
    }

    /// Whether there may be any number of these, which are made in the order of the command line.
    fn repeats(&self) -> bool {
        matches!(self, Self::Variable(..) | Self::ReadOnly(_) | Self::Landlock(..))
    }
}

/// A change, and whether it may be passed over where the kernel does not know of such a thing.
pub struct Asked {
    pub change: Change,
    pub lenient: bool,
}

/// What was asked for.
#[derive(Default)]
pub struct Plan {
    asked: Vec<Asked>,
    /// Whether there was no memory for a change.
    pub too_many: bool,
    /// Whether what is asked for next may be passed over.
    pub lenient: bool,
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
    /// Asks for a change: in the place of an earlier one of its kind, unless there can be many.
    pub fn ask(&mut self, change: Change) {
        let key = Change::key;
        let (new, repeats) = (key(&change), change.repeats());
        let goes_before = |other: &Asked| key(&other.change) > new || key(&other.change) == new && !repeats;
        let at = self.asked.iter().position(goes_before).unwrap_or(self.asked.len());
        let asked = Asked { change, lenient: self.lenient };
        if self.asked.try_reserve(1).is_err() {
            self.too_many = true;
            return;
        }
        match self.asked.get_mut(at) {
            Some(other) if key(&other.change) == new => *other = asked,
            _ => self.asked.insert(at, asked),
        }
    }

    /// Asks for a change that other options ask for as well: it may be passed over only if that is true of all.
    pub fn need(&mut self, change: Change) {
        let key = Change::key;
        let lenient = self.lenient;
        if let Some(before) = self.asked.iter().find(|asked| key(&asked.change) == key(&change)) {
            self.lenient &= before.lenient;
        }
        self.ask(change);
        self.lenient = lenient;
    }

    /// The changes in their order.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// The same, without more.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.asked.iter().map(|asked| &asked.change)
    }
}
