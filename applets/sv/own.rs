//! What a service's own files say of its end, and of its being ready.

use super::super::output::Output;
use super::Place;
use svbox::service::settings::{KillScope, Setting, Settings};
use svbox::sys::time::Duration;
use svbox::sys::{AsFd, file};

/// Between the end of a process and what is told of it.
const MARGIN: Duration = Duration::from_secs(1);

/// The time that `timeout-kill` and `timeout-finish` leave; `None` if there is no limit or no such file.
pub fn deadline(place: &Place) -> Option<Duration> {
    settings(place, &[Setting::TimeoutKill, Setting::TimeoutFinish])
        .longest_stop()
        .map(|stop| stop.saturating_add(MARGIN))
}

fn settings(place: &Place, files: &[Setting]) -> Settings {
    place.open().map_or(Settings::NONE, |dir| Settings::of(dir.as_fd(), files))
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
