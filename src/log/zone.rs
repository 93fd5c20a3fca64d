//! Local time: how far a place is from UTC, from a compiled zone file (RFC 9636, "TZif") or from a rule as POSIX
//! writes it in the variable TZ.

use super::stamp::civil;
use memchr::memchr;

/// A zone; its data is kept as it was read.
#[derive(Clone, Copy, Default, Debug)]
pub struct Zone<'a> {
    /// Moments at which something changes: 8 bytes each, big-endian, in order.
    moments: &'a [[u8; 8]],
    /// For each of them which of the `kinds` begins.
    begins: &'a [u8],
    /// Kinds of time: 4 bytes that say how many seconds it is ahead of UTC, and 2 that do not matter here.
    kinds: &'a [[u8; 6]],
    /// What holds after the last of the moments.
    rule: Option<Rule>,
}

impl<'a> Zone<'a> {
    /// The zone of a file. Version 1, which ends in 2038, is not read.
    pub fn from_file(data: &'a [u8]) -> Option<Self> {
        let (first, counts) = header(data)?;
        let [.., leaps, moments, kinds, letters] = counts;
        let skip = moments * 5 + kinds * 6 + letters + leaps * 8 + counts[0] + counts[1];
        let (data, counts) = header(first.get(skip..)?)?;
        let [utc, standard, leaps, moments, kinds, letters] = counts;
        let (times, rest) = data.split_at_checked(moments.checked_mul(8)?)?;
        let (begins, rest) = rest.split_at_checked(moments)?;
        let (types, rest) = rest.split_at_checked(kinds.checked_mul(6)?)?;
        let footer = rest.get(letters + leaps.checked_mul(12)? + standard + utc..)?;
        let rule = footer.strip_prefix(b"\n").and_then(|text| text.get(..memchr(b'\n', text)?));
        Some(Self {
            moments: times.as_chunks().0,
            begins,
            kinds: types.as_chunks().0,
            rule: rule.and_then(Rule::read),
        })
    }

    /// The zone of a rule.
    pub fn from_rule(text: &[u8]) -> Option<Self> {
        Rule::read(text).map(|rule| Self { rule: Some(rule), ..Self::default() })
    }

    /// How many seconds the place is ahead of UTC at a moment, in seconds since 1970.
    pub fn east(&self, at: i64) -> i32 {
        let passed = self.moments.partition_point(|moment| i64::from_be_bytes(*moment) <= at);
        if passed == self.moments.len()
            && let Some(rule) = self.rule
        {
            return rule.east(at);
        }
        // Before the first moment the first kind holds.
        let begun = passed.checked_sub(1).and_then(|last| self.begins.get(last)).copied().unwrap_or(0);
        match self.kinds.get(usize::from(begun)) {
            Some([a, b, c, d, ..]) => i32::from_be_bytes([*a, *b, *c, *d]),
            None => 0,
        }
    }
}

/// The six counts of a header, and what follows it.
fn header(data: &[u8]) -> Option<(&[u8], [usize; 6])> {
    let (header, rest) = data.split_at_checked(44)?;
    let (numbers, _) = header.strip_prefix(b"TZif")?.get(16..)?.as_chunks::<4>();
    let mut counts = [0; 6];
    for (count, number) in counts.iter_mut().zip(numbers) {
        // A byte for each of very many things would not be in the data anyway.
        *count = usize::try_from(u32::from_be_bytes(*number)).ok().filter(|count| *count < 1 << 20)?;
    }
    Some((rest, counts))
}

/// `CET-1CEST,M3.5.0,M10.5.0/3` and the like.
#[derive(Clone, Copy, Debug)]
struct Rule {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Clone, Copy, Debug)]
struct Summer {
    east: i32,
    begins: Change,
    ends: Change,
}

/// A day of each year, and the second of it by the clock of the place before the change.
#[derive(Clone, Copy, Debug)]
struct Change {
    day: Day,
    second: i64,
}

#[derive(Clone, Copy, Debug)]
enum Day {
    /// The n-th day of the year from 1 on, leap days not counted.
    Julian(i64),
    /// The n-th day of the year from 0 on.
    OfYear(i64),
    /// Month, week from 1 to 5 for the last one, day of the week from Sunday on.
    OfWeek(i64, i64, i64),
}

impl Rule {
    fn read(text: &[u8]) -> Option<Self> {
        let mut text = Reader(text);
        text.name()?;
        let standard = -text.time()?;
        if text.0.is_empty() {
            return Some(Self { standard: i32::try_from(standard).ok()?, summer: None });
        }
        text.name()?;
        let east = if matches!(text.0, [b',', ..] | []) { standard + 3600 } else { -text.time()? };
        let begins = text.change()?;
        let ends = text.change()?;
        let summer = Summer { east: i32::try_from(east).ok()?, begins, ends };
        text.0.is_empty().then_some(Self { standard: i32::try_from(standard).ok()?, summer: Some(summer) })
    }

    fn east(&self, at: i64) -> i32 {
        let Some(summer) = self.summer else { return self.standard };
        let (year, _, _) = civil((at + i64::from(self.standard)).div_euclid(86_400));
        let begin = summer.begins.moment(year) - i64::from(self.standard);
        let end = summer.ends.moment(year) - i64::from(summer.east);
        // In the south summer lies over the turn of the year.
        let is_summer = if begin < end { (begin..end).contains(&at) } else { !(end..begin).contains(&at) };
        if is_summer { summer.east } else { self.standard }
    }
}

impl Change {
    /// The moment of a year, on the clock of the place.
    fn moment(&self, year: i64) -> i64 {
        let leap = days(year, 3, 1) - days(year, 2, 1) == 29;
        let day = match self.day {
            Day::Julian(day) => days(year, 1, 1) + day - 1 + i64::from(leap && day >= 60),
            Day::OfYear(day) => days(year, 1, 1) + day,
            Day::OfWeek(month, week, weekday) => {
                let (first, next) = (days(year, month, 1), days(year, month + 1, 1));
                // 1970 began on a Thursday.
                let to_weekday = (weekday - (first + 4)).rem_euclid(7);
                let day = first + to_weekday + (week - 1) * 7;
                if day >= next { day - 7 } else { day }
            }
        };
        day * 86_400 + self.second
    }
}

/// The days from 1970 to a date; the month may be 13.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, see `civil`.
    let (year, month) = match month {
        13 => (year, 10),
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// What is left of a rule.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn accept(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// Letters, or anything between angle brackets.
    fn name(&mut self) -> Option<()> {
        let end = match self.0 {
            [b'<', ..] => memchr(b'>', self.0)? + 1,
            text => text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len()),
        };
        self.0 = self.0.get(end..).filter(|_| end >= 3)?;
        Some(())
    }

    fn number(&mut self) -> Option<i64> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end.min(4))?;
        self.0 = rest;
        i64::try_from(crate::text::parse(digits)?).ok()
    }

    /// `[+-]H[:M[:S]]`, in seconds.
    fn time(&mut self) -> Option<i64> {
        let sign = match self.0 {
            [b'-', rest @ ..] => {
                self.0 = rest;
                -1
            }
            [b'+', rest @ ..] => {
                self.0 = rest;
                1
            }
            _ => 1,
        };
        let mut seconds = self.number()? * 3600;
        for unit in [60, 1] {
            if self.accept(b':').is_none() {
                break;
            }
            seconds += self.number()? * unit;
        }
        Some(sign * seconds)
    }

    /// `,DAY[/TIME]`
    fn change(&mut self) -> Option<Change> {
        self.accept(b',')?;
        let day = match self.0 {
            [b'J', ..] => {
                self.accept(b'J')?;
                Day::Julian(self.number()?)
            }
            [b'M', ..] => {
                self.accept(b'M')?;
                let month = self.number().filter(|month| (1..=12).contains(month))?;
                self.accept(b'.')?;
                let week = self.number().filter(|week| (1..=5).contains(week))?;
                self.accept(b'.')?;
                Day::OfWeek(month, week, self.number().filter(|day| *day <= 6)?)
            }
            _ => Day::OfYear(self.number()?),
        };
        let second = if self.accept(b'/').is_some() { self.time()? } else { 2 * 3600 };
        Some(Change { day, second })
    }
}
