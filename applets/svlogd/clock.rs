//! What time it is, for stamps; and where.

use core::ffi::CStr;
use svbox::log::stamp::{Form, Stamp};
use svbox::log::zone::Zone;
use svbox::sys::{args, file};
use svbox::tai::Tai;
use svbox::text::Text;

/// The form of stamps, and the zone for local time.
pub struct Clock {
    form: Form,
    zone: Zone<'static>,
}

impl Clock {
    /// The zone is looked up if the form needs one.
    pub fn new(form: Form) -> Self {
        let zone = if form == Form::Local { zone() } else { Zone::default() };
        Self { form, zone }
    }

    /// Whether there are no stamps.
    pub fn is_silent(&self) -> bool {
        self.form == Form::None
    }

    /// The stamp of this moment.
    pub fn stamp(&self) -> Stamp {
        if self.is_silent() {
            return Stamp::new();
        }
        self.form.write(Tai::now().in_microseconds(), &self.zone)
    }
}

/// The zone that TZ names, as a file or by its rule, or that of the machine; UTC if there is none. See tzset(3).
fn zone() -> Zone<'static> {
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
