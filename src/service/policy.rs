//! What a supervisor waits for, and how long. With none of svbox's own files in the service directory it is
//! [`Policy::RUNIT`].

use crate::sys::time::Duration;

/// The times that govern one service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// A run that ends sooner than this after its start is followed by a pause before the next one.
    pub early: Duration,
    /// That pause.
    pub pace: Duration,
    /// The pause after the system refused a new process.
    pub fork_pause: Duration,
    /// How long a service that is up counts as starting; `None`: it is ready at once.
    pub ready_within: Option<Duration>,
    /// How long after TERM comes KILL; `None`: never by itself.
    pub kill_after: Option<Duration>,
    /// How long `./finish` may take; `None`: as long as it likes.
    pub finish_within: Option<Duration>,
    /// How long a log service may take to see the end of its input when the supervisor leaves. Then it gets
    /// TERM, and after the same time again it is left to itself. runit waits for ever.
    pub log_drain: Duration,
}

impl Policy {
    /// runit's times.
    pub const RUNIT: Self = Self {
        early: Duration::from_secs(1),
        pace: Duration::from_secs(1),
        fork_pause: Duration::from_secs(5),
        ready_within: None,
        kill_after: None,
        finish_within: None,
        log_drain: Duration::from_secs(10),
    };
}
