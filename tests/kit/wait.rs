//! Waiting for events. Nothing here sleeps and hopes: it looks until it has happened or the deadline is over.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// So long that only something that will never happen misses it, on however busy a machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until the condition holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(()));
}

/// Waits until there is something, and gives it.
#[track_caller]
pub fn until_some<T: Debug>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    let end = begin + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {DEADLINE:?} in vain for: {what}");
        // A look costs something, so the longer it has been waited, the rarer they are.
        std::thread::sleep((begin.elapsed() / 32).clamp(Duration::from_millis(1), Duration::from_millis(8)));
    }
}
