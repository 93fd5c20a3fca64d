//! Where the machine is, for local time.

use core::ffi::CStr;
use svbox::log::zone::Zone;
use svbox::sys::{args, file};
use svbox::text::Text;

/// The zone that TZ names, as a file or by its rule, or that of the machine; UTC if there is none. See tzset(3).
pub fn zone() -> Zone<'static> {
    let found = match args::variable(b"TZ") {
        None => read(c"/etc/localtime"),
        Some(name) => {
            let name = name.strip_prefix(b":").unwrap_or(name);
            let mut path = Text::<4096>::new();
            if !name.starts_with(b"/") {
                path.push(b"/usr/share/zoneinfo/");
            }
            let path = path.push(name).c_str().filter(|_| !name.is_empty());
            path.and_then(read).or_else(|| Zone::from_rule(name))
        }
    };
    found.unwrap_or_default()
}

/// Reads a file for good.
fn read(path: &CStr) -> Option<Zone<'static>> {
    const MOST: usize = 256 << 10;
    let fd = file::open_read(file::CWD, path).ok()?;
    let size = usize::try_from(file::stat_open(&fd).ok()?.st_size).ok().filter(|size| *size <= MOST)?;
    let mut data = vec![0; size];
    let len = file::read_full(&fd, &mut data).ok()?;
    Zone::from_file(data.leak().get(..len)?)
}
