//! How long the services of a container may take to stop if nothing is said: as long as their own files say, if that is more
//! than usual. Those that need others stop one after the other.

use core::ffi::CStr;
use svbox::service::settings::{Setting, Settings};
use svbox::sys::time::Duration;
use svbox::sys::{AsFd, dir, file};

/// How long all may take to stop at least.
const USUAL: Duration = Duration::from_secs(10);
/// Between the end of a process and what follows from it.
const MARGIN: Duration = Duration::from_secs(1);

/// The time for the services of this scan directory.
pub fn patience(scan: &CStr) -> Duration {
    if !cfg!(feature = "policy") {
        return USUAL;
    }
    let (mut longest, mut in_row) = (Duration::ZERO, Duration::ZERO);
    // What was seen before it could not be read any more counts.
    let _ = dir::open(file::CWD, scan).and_then(|scan| {
        dir::each_name(&scan, |name, _| {
            let Ok(service) = file::open_place(scan.as_fd(), name) else { return };
            let settings = Settings::of(service.as_fd(), &[Setting::TimeoutKill, Setting::TimeoutFinish]);
            let stop = settings.longest_stop().unwrap_or_default();
            match [c"needs", c"wants"].iter().any(|dir| file::is_there(service.as_fd(), dir)) {
                true => in_row = in_row.saturating_add(stop),
                false => longest = longest.max(stop),
            }
        })
    });
    USUAL.max(longest.saturating_add(in_row).saturating_add(MARGIN))
}
