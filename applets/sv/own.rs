//! What a service's own files say of its end, and of its being ready.

use super::super::output::Output;
use super::Place;
use super::order::Order;
use svbox::service::settings::{KillScope, Setting, Settings};
use svbox::sys::time::Duration;
use svbox::sys::{AsFd, file};
use svbox::text::{Cut, shown};

/// Between the end of a process and what is told of it; and before another start of a service that has not lived for a second.
const MARGIN: Duration = Duration::from_secs(2);

/// The time that the files leave until an order to end has been obeyed; `None` if there is no limit or no such file.
///
/// The supervisor kills what does not end so long after the order; after TERM, for which `control/t` may have as long, if that
/// is what was ordered. `control/d` or `control/x` comes behind it, and `control/u` before another start.
pub fn deadline(order: &Order, place: &Place) -> Option<Duration> {
    const FILES: [Setting; 3] = [Setting::TimeoutKill, Setting::TimeoutFinish, Setting::TimeoutReady];
    let settings = settings(place, &FILES);
    let (kill, mut all) = (settings.kill_after?, settings.longest_stop()?.saturating_add(MARGIN));
    if !matches!(place.look(c"control"), Ok(None)) {
        all = all.saturating_add(kill).saturating_add(kill);
    }
    if order.sends().starts_with(b"t") {
        all = all.saturating_add(settings.ready_within.unwrap_or_default());
    }
    Some(all)
}

/// What these files say; those of a log service mean nothing.
fn settings(place: &Place, files: &[Setting]) -> Settings {
    match place.open() {
        Ok(dir) if !place.is_log() => Settings::of(dir.as_fd(), files),
        _ => Settings::NONE,
    }
}

/// Whether its supervisor has found the service ready; `None` for a service that does not say.
pub fn is_ready(place: &Place) -> Option<bool> {
    let settings = settings(place, &[Setting::NotificationFd, Setting::NotifySocket, Setting::CheckInterval]);
    let says = settings.tells_ready() || is_one_shot(place);
    says.then(|| matches!(place.look(c"supervise/ready"), Ok(Some(_))))
}

/// Whether `./setup` is in the place of `./run`.
fn is_one_shot(place: &Place) -> bool {
    let is = |name| matches!(place.look(name), Ok(Some(stat)) if file::is_executable(&stat));
    matches!(place.look(c"run"), Ok(None)) && is(c"setup")
}

/// Which processes are to end with the service.
pub fn kill_scope(place: &Place) -> KillScope {
    settings(place, &[Setting::KillScope]).kill_scope
}

/// Adds what the service says that it is at.
pub fn put_message(place: &Place, output: &mut Output) {
    let mut text = [0; 256];
    let read = |text: &mut [u8]| file::read_full(&place.open_file(c"supervise/message")?, text);
    let len = read(&mut text).unwrap_or(0);
    let line = text.get(..len).unwrap_or(&[]).before(b'\n');
    if !line.is_empty() {
        output.put(b", \"");
        // Whoever may write there is not whoever looks.
        line.iter().for_each(|&byte| _ = output.put(&[shown(byte)]));
        output.put(b"\"");
    }
}
