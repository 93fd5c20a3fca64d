//! How long a supervisor waits where runit has fixed times.

use crate::sys::time::Duration;

/// A run that ends sooner than this after its start is followed by a pause before the next one.
pub const EARLY: Duration = Duration::from_secs(1);
/// That pause.
pub const PACE: Duration = Duration::from_secs(1);
/// A service that has died as often as is remembered within this time waits at least for [`STORM_PACE`] before it is started
/// again, whatever `restart` says: one that cannot live does not take the processor.
pub const STORM: Duration = Duration::from_secs(8);
/// See [`STORM`].
pub const STORM_PACE: Duration = Duration::from_millis(250);
/// How soon what could not be done is tried again, at first and at last.
pub const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Each time that fails doubles the distance, up to this.
pub const LAST_RETRY: Duration = Duration::from_secs(64);
/// The pause after the system refused a new process.
pub const FORK_PAUSE: Duration = Duration::from_secs(5);
/// How long a log service may take to see the end of its input when the supervisor leaves. Then it gets TERM, and after
/// the same time again it is left to itself. runit waits for ever.
pub const LOG_DRAIN: Duration = Duration::from_secs(5);
