//! The stamps of lines (svlogd's spec, section 6).

use super::zone::Zone;
use crate::tai::Tai;
use crate::text::{Text, decimal};

/// The form of a stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// No stamp.
    None,
    /// `-t`: a TAI64N label.
    Label,
    /// `-tt`: the date and time in UTC.
    Date,
    /// `-ttt`: the same with a `T` between the two.
    DateT,
    /// `-tttt`: the date and time of the place, and how far that is from UTC.
    Local,
}

/// Room for the longest stamp.
pub type Stamp = Text<ROOM>;
/// How long a stamp is at most.
pub const ROOM: usize = 40;

impl Form {
    /// The form that an option given so many times asks for.
    pub fn of(times: usize) -> Self {
        match times {
            0 => Self::None,
            1 => Self::Label,
            2 => Self::Date,
            3 => Self::DateT,
            _ => Self::Local,
        }
    }

    /// The stamp of a moment, with a blank behind it; empty if there is none.
    pub fn write(self, at: Tai, zone: &Zone) -> Stamp {
        let mut stamp = Stamp::new();
        match self {
            Self::None => return stamp,
            Self::Label => _ = stamp.push(&at.to_text()),
            Self::Date => date(&mut stamp, at.unix(), b'_', at.nanoseconds),
            Self::DateT => date(&mut stamp, at.unix(), b'T', at.nanoseconds),
            Self::Local => {
                let east = zone.east(at.unix());
                date(&mut stamp, at.unix() + i64::from(east), b'_', at.nanoseconds);
                stamp.push(if east < 0 { b"-" } else { b"+" });
                let minutes = u64::from(east.unsigned_abs()) / 60;
                padded(&mut stamp, minutes / 60, 2);
                padded(&mut stamp, minutes % 60, 2);
            }
        }
        stamp.push(b" ");
        stamp
    }
}

const DAY: i64 = 86_400;

fn date(stamp: &mut Stamp, seconds: i64, between: u8, nanoseconds: u32) {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY).unsigned_abs();
    padded(stamp, year.max(0).unsigned_abs(), 4);
    stamp.push(b"-");
    padded(stamp, month, 2);
    stamp.push(b"-");
    padded(stamp, day, 2);
    stamp.push(&[between]);
    for (part, behind) in [(second / 3600, b":"), (second / 60 % 60, b":"), (second % 60, b".")] {
        padded(stamp, part, 2);
        stamp.push(behind);
    }
    padded(stamp, u64::from(nanoseconds / 10_000), 5);
}

/// Adds a number with zeros before it.
fn padded(stamp: &mut Stamp, number: u64, width: usize) {
    let mut digits = [0; 20];
    let digits = decimal(number, &mut digits);
    for _ in digits.len()..width {
        stamp.push(b"0");
    }
    stamp.push(digits);
}

/// Year, month and day of a number of days since 1970, in the calendar of today.
///
/// Years are counted from March, so that a leap day is the last of its year; months then have 153 days in five.
pub fn civil(days: i64) -> (i64, u64, u64) {
    const FOUR_CENTURIES: i64 = 146_097;
    const TO_MARCH_OF_YEAR_0: i64 = 719_468;
    let days = days + TO_MARCH_OF_YEAR_0;
    let (era, day) = (days.div_euclid(FOUR_CENTURIES), days.rem_euclid(FOUR_CENTURIES).unsigned_abs());
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + i64::try_from(year).unwrap_or(0) + later, month, day)
}
