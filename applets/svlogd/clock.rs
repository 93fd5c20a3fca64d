//! What time it is, for stamps; and where.

use crate::applets::zone::zone;
use svbox::log::stamp::{Form, Stamp};
use svbox::log::zone::Zone;
use svbox::tai::Tai;

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
