//! Waiting for the moment, and for whoever wants it not to come.

use super::notice::Notice;
use super::time::{Moment, minutes};
use super::{fatal, reporter};
use core::ffi::CStr;
use svbox::report::Failure;
use svbox::sys::poll::{self, Direction};
use svbox::sys::signal::{Mask, Signal, Signals};
use svbox::sys::time::Duration;
use svbox::sys::timer::Timer;
use svbox::sys::{AsFd, Errno, file, heap};

/// How long before the moment nobody can log in any more.
const LAST: Duration = Duration::from_secs(300);
/// Keeps everybody but root from logging in.
const NO_LOGIN: &CStr = c"/etc/nologin";

/// Tells everybody, and waits; gives whether the time has come, and not a signal.
pub fn wait(moment: &Moment, notice: &Notice) -> Result<bool, Failure> {
    let signals = Signals::open(&Mask::of(&[Signal::INT, Signal::TERM])).map_err(unable)?;
    let timer = Timer::new(moment.clock).map_err(unable)?;
    notice.tell(minutes(moment.left()));
    heap::seal();
    let mut no_login = NoLogin { made: false };
    let mut is_last = moment.left() <= LAST;
    if is_last && !moment.left().is_zero() {
        no_login.make();
    }
    loop {
        let left = moment.left();
        if left.is_zero() {
            return Ok(true);
        }
        if !is_last && left <= LAST {
            is_last = true;
            notice.tell(minutes(left));
            no_login.make();
        }
        timer.set(if is_last { moment.at } else { moment.at.saturating_sub(LAST) }).map_err(unable)?;
        let fds = [signals.as_fd(), timer.as_fd()].map(|fd| Some((fd, Direction::In)));
        poll::either(fds, None);
        if signals.next().is_some() {
            return Ok(false);
        }
    }
}

fn unable(errno: Errno) -> Failure {
    fatal(b"unable to wait", errno)
}

/// The file that keeps everybody from logging in. One that was there before is somebody else's.
struct NoLogin {
    made: bool,
}

impl NoLogin {
    fn make(&mut self) {
        let made = file::open_first(file::CWD, NO_LOGIN, 0o644).and_then(|fd| {
            self.made = true;
            file::set_mode(&fd, 0o644).and_then(|()| file::write_all(&fd, b"The system is going down.\n"))
        });
        match made {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => reporter().warn_of(b"unable to create ", NO_LOGIN.to_bytes(), errno),
        }
    }
}

impl Drop for NoLogin {
    fn drop(&mut self) {
        // After the next start it would still keep them out.
        if self.made {
            let _ = file::remove(file::CWD, NO_LOGIN);
        }
    }
}
