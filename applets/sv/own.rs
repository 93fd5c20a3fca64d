//! What a service's own files say of its end, and of its being ready.

use super::super::output::Output;
use super::Place;
use super::order::Order;
use svbox::service::policy;
use svbox::service::settings::{KillScope, Setting, Settings};
use svbox::sys::time::Duration;
use svbox::sys::{AsFd, file};
use svbox::text::Text;

/// Between the end of a process and what is told of it.
const MARGIN: Duration = Duration::from_secs(1);

/// The time that the files leave until an order to end has been obeyed; `None` if there is no limit or no such file.
///
/// The supervisor kills what does not end so long after the order, or after TERM where that is all that was ordered, which
/// `control/t` delays; then come `control/d` or `control/x`, `finish`, and for a restart the pause of a service that has not
/// lived for a second, `control/u`, and becoming ready. A control program may take as long as the service.
pub fn deadline(order: &Order, place: &Place) -> Option<Duration> {
    const FILES: [Setting; 3] = [Setting::TimeoutKill, Setting::TimeoutFinish, Setting::TimeoutReady];
    let settings = settings(place, &FILES);
    let (kill, stop) = (settings.kill_after?, settings.longest_stop()?);
    let (programs, then): (&[u8], _) = match order.sends() {
        [b't', ..] => (b"tu", policy::PACE.saturating_add(settings.ready_within.unwrap_or_default())),
        other => (other, Duration::ZERO),
    };
    let all = stop.saturating_add(then).saturating_add(MARGIN);
    let programs = programs.iter().filter(|letter| has_program(place, **letter));
    Some(programs.fold(all, |all, _| all.saturating_add(kill)))
}

fn has_program(place: &Place, letter: u8) -> bool {
    let mut path = Text::<16>::new();
    path.push(b"control/").push(&[letter]);
    path.c_str().is_some_and(|path| matches!(place.look(path), Ok(Some(_))))
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
    let line = text.get(..len).and_then(|text| text.split(|&byte| byte == b'\n').next()).unwrap_or(&[]);
    if !line.is_empty() {
        output.put(b", \"").put(line).put(b"\"");
    }
}
