//! shutdown: the end of the machine at a time that everybody is told of.

use super::grammar::{Job, Options, SPEC, When};
use super::notice::Notice;
use super::time::{Moment, minutes};
use super::{ask, only_root, pending, wait::wait};
use crate::applets::zone::zone;
use crate::applets::{Applet, complain};
use core::ffi::CStr;
use svbox::cli::{self, Call, Complaint};
use svbox::report::{Failure, Reporter};
use svbox::sys::args::Args;
use svbox::sys::power::End;
use svbox::sys::signal::Mask;
use svbox::sys::spawn::{More, replace};
use svbox::sys::{Errno, file};

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
pub fn reporter() -> Reporter<'static> {
    Reporter { program: b"shutdown", subject: None, waits: true }
}

pub fn shutdown() -> Applet {
    Applet {
        text: b"\
shutdown [-rhHPkfF] [time] [message ...] | -c [message ...]

Tell everybody, wait, and end: by power off, or for a single user where there is
a set of services for one.

  -h, -P    power off; -H: halt; -r: reboot; the time can be left out then
  time      now, +MINUTES, or HH:MM
  -k        only tell everybody
  -c        cancel the shutdown that waits
  -f, -F    make /fastboot, /forcefsck
  -t sec    for compatibility",
        usage_path: false,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run,
    }
}

pub fn fatal(what: &[u8], errno: Errno) -> Failure {
    reporter().fatal(&[what], Some(errno));
    Failure::Said(1)
}

fn run(call: &Call) -> Result<u8, Failure> {
    let mut options = Options::default();
    let (time, message) = match read(call.operands(), &mut options) {
        Ok(read) => read,
        Err(complaint) => return complain(call.argv0, complaint),
    };
    let job = options.job(time.map(CStr::to_bytes)).ok_or(Failure::Usage)?;
    only_root(&reporter())?;
    match job {
        Job::Cancel => {
            pending::cancel()?;
            Notice { end: None, message }.message();
            Ok(0)
        }
        Job::Shutdown(end, when) => {
            let end = match end {
                None if !has_single() => Some(End::PowerOff),
                end => end,
            };
            at(when, &Notice { end, message }, &options)
        }
    }
}

/// Takes the command line apart: options, the time, more options, as Debian's has them there, and the message.
fn read(args: Args, options: &mut Options) -> Result<(Option<&'static CStr>, Args), Complaint> {
    let used = cli::each(SPEC, args, &mut |letter, _| options.take(letter))?;
    if options.is_cancel() {
        return Ok((None, args.skip(used)));
    }
    let (time, rest) = (args.get(used), args.skip(used + 1));
    let is_over = used.checked_sub(1).and_then(|last| args.get(last)) == Some(c"--");
    let used = if is_over { 0 } else { cli::each(SPEC, rest, &mut |letter, _| options.take(letter))? };
    Ok((time, rest.skip(used)))
}

/// Whether there is a set of services for a single user.
fn has_single() -> bool {
    file::is_directory_at(file::CWD, c"/etc/runit/runsvdir/single")
}

fn at(when: When, notice: &Notice, options: &Options) -> Result<u8, Failure> {
    let moment = Moment::of(when, &zone());
    if options.message_only {
        notice.tell(minutes(moment.left()));
        return Ok(0);
    }
    if notice.end.is_none() && !cfg!(feature = "runsvchdir") {
        reporter().fatal(&[b"this svbox has no runsvchdir"], None);
        return Err(Failure::Said(1));
    }
    // Whoever has asked for it may log out.
    let before = Mask::all().block();
    pending::claim(moment.left().is_zero())?;
    let waited = wait(&moment, notice);
    pending::release();
    if !waited? {
        notice.take_back();
        reporter().warn_that(b"cancelled");
        return Err(Failure::Said(1));
    }
    for (wanted, path) in [(options.fast_boot, c"/fastboot"), (options.force_check, c"/forcefsck")] {
        if wanted && let Err(errno) = file::open_new(file::CWD, path, 0o644) {
            reporter().warn_of(b"unable to create ", path.to_bytes(), errno);
        }
    }
    match notice.end {
        Some(end) => ask(end, true, true, &reporter()),
        None => {
            before.set();
            let errno = replace(c"/proc/self/exe", &[c"runsvchdir", c"single"], &More::NONE);
            Err(fatal(b"unable to run runsvchdir", errno))
        }
    }
}
