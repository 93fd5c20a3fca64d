//! Command lines by getopt's rules, in front of argh.
//!
//! Flags can be joined (`-vw5`), a value is the rest of the word or the next word, the last of several values
//! wins, and the first operand, `--` or a lone `-` ends the options. Arguments are bytes; argh takes text, so a
//! value travels through it with each byte as one character and comes out as [`Raw`]. A program to which the order of
//! its options matters goes through them itself.

use crate::report::Failure;
use crate::sys::args::Args;
use crate::text::{Cut, parse, place};
use argh::{FromArgValue, TopLevelCommand};
use core::ffi::CStr;

/// Which options a program takes, in words with spaces between them: the letters of those without a value; of those with
/// one; the letters that long names stand for, which need not be among the ones before; and these names in the same
/// order, for `--name`, `--name value` and `--name=value`.
#[derive(Clone, Copy)]
pub struct Spec(pub &'static [u8]);

/// Which word the first long name is.
const NAMES: usize = 3;

impl Spec {
    fn word(self, at: usize) -> &'static [u8] {
        self.0.parts(b' ').nth(at).unwrap_or(b"")
    }

    fn has_flag(self, letter: u8) -> bool {
        has(self.word(0), letter)
    }

    fn has_value(self, letter: u8) -> bool {
        has(self.word(1), letter)
    }

    /// The letter that a long name stands for.
    fn letter(self, name: &[u8]) -> Option<u8> {
        let at = place(self.0, name)?.checked_sub(NAMES)?;
        self.word(2).get(at).copied()
    }

    /// The long name at this place among them.
    pub fn name(self, at: usize) -> &'static [u8] {
        self.word(NAMES + at)
    }
}

/// Whether the letter is one of these.
// Not `contains`, which is made for long texts, and twenty times as large.
#[inline(never)]
pub fn has(letters: &[u8], letter: u8) -> bool {
    letters.iter().position(|&known| known == letter).is_some()
}

/// Why options are not to be acted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Complaint {
    /// The help text was asked for.
    Help,
    /// No such option.
    Illegal(&'static [u8]),
    /// The value is missing.
    NoValue(&'static [u8]),
}

/// One call of a program.
pub struct Call {
    /// The name it was called by, path included.
    pub argv0: &'static CStr,
    spec: Option<Spec>,
    args: Args,
    operands: Args,
}

impl Call {
    /// Takes a command line apart; without a `spec` all of it is operands.
    pub fn read(argv0: &'static CStr, args: Args, spec: Option<Spec>) -> Result<Self, Complaint> {
        let used = spec.map_or(Ok(0), |spec| each(spec, args, &mut |_, _| {}))?;
        Ok(Self { argv0, spec, args, operands: args.skip(used) })
    }

    /// The last part of the name it was called by.
    pub fn base(&self) -> &'static [u8] {
        base_name(self.argv0)
    }

    /// Calls `found` for each option in turn.
    pub fn each(&self, found: Found<'_>) {
        if let Some(spec) = self.spec {
            // There has been no complaint before.
            let _ = each(spec, self.args, found);
        }
    }

    /// The options as the program has declared them for argh.
    pub fn options<T: TopLevelCommand>(&self) -> Result<T, Failure> {
        let mut words = Vec::new();
        self.each(&mut |letter, value| match value {
            Some(value) => set(&mut words, option(letter), value),
            None => words.push(option(letter)),
        });
        T::from_args(&["svbox"], &words).map_err(|_| Failure::Usage)
    }

    /// What comes after the options.
    pub fn operands(&self) -> Args {
        self.operands
    }
}

/// The digits at the beginning of a value, as runit's programs read numbers; `None` for 0.
// Made where it is called: a build without those programs has none of it, nor what it changes elsewhere.
#[inline]
pub fn number(value: &[u8]) -> Option<usize> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    let number = value.get(..end).and_then(parse)?;
    Some(usize::try_from(number).unwrap_or(usize::MAX)).filter(|number| *number > 0)
}

/// The last part of a path.
pub fn base_name(path: &CStr) -> &[u8] {
    last_part(path.to_bytes())
}

/// All behind the last slash.
pub fn last_part(path: &[u8]) -> &[u8] {
    path.behind(b'/')
}

/// What is called for an option: its letter, and its value if it has one.
pub type Found<'a> = &'a mut dyn FnMut(u8, Option<&'static [u8]>);

/// Calls `found` for each option in turn; gives the number of arguments they took.
pub fn each(spec: Spec, args: Args, found: Found<'_>) -> Result<usize, Complaint> {
    let mut index = 0;
    while let Some(word) = args.get(index).map(CStr::to_bytes) {
        match word {
            b"--" => return Ok(index + 1),
            help if help == b"--help" => return Err(Complaint::Help),
            [b'-', b'-', long @ ..] => {
                let next = args.get(index + 1).map(CStr::to_bytes);
                index += usize::from(long_option(spec, long, next, found)?);
            }
            [b'-', letters @ ..] if !letters.is_empty() => {
                let next = args.get(index + 1).map(CStr::to_bytes);
                index += usize::from(cluster(spec, letters, next, found)?);
            }
            _ => break,
        }
        index += 1;
    }
    Ok(index)
}

/// Takes one word of letters apart; gives whether the next word was the value of its last letter.
fn cluster(
    spec: Spec,
    mut letters: &'static [u8],
    next: Option<&'static [u8]>,
    found: Found<'_>,
) -> Result<bool, Complaint> {
    while let [letter, rest @ ..] = letters {
        let shown = letters.get(..1).unwrap_or(letters);
        // The others stand for long names.
        if !letter.is_ascii() {
            return Err(Complaint::Illegal(shown));
        }
        if spec.has_value(*letter) {
            let value = if rest.is_empty() { next.ok_or(Complaint::NoValue(shown))? } else { rest };
            found(*letter, Some(value));
            return Ok(rest.is_empty());
        }
        if !spec.has_flag(*letter) {
            return Err(Complaint::Illegal(shown));
        }
        found(*letter, None);
        letters = rest;
    }
    Ok(false)
}

/// Takes `name` or `name=value`; gives whether the next word was the value.
fn long_option(
    spec: Spec,
    word: &'static [u8],
    next: Option<&'static [u8]>,
    found: Found<'_>,
) -> Result<bool, Complaint> {
    let (name, value) =
        match word.iter().position(|&byte| byte == b'=').and_then(|at| word.split_at_checked(at)) {
            Some((name, value)) => (name, value.get(1..)),
            None => (word, None),
        };
    let letter = spec.letter(name).ok_or(Complaint::Illegal(name))?;
    match (spec.has_value(letter), value) {
        // With the value, for the name by itself is none.
        (false, Some(_)) => return Err(Complaint::Illegal(word)),
        (true, None) => found(letter, Some(next.ok_or(Complaint::NoValue(name))?)),
        (_, value) => found(letter, value),
    }
    Ok(spec.has_value(letter) && value.is_none())
}

/// The last value wins, and argh takes an option once only.
fn set(words: &mut Vec<&'static str>, option: &'static str, value: &[u8]) {
    let text = value.iter().map(|&byte| char::from(byte)).collect::<String>().leak();
    match words.iter().position(|word| *word == option).and_then(|at| words.get_mut(at + 1)) {
        Some(before) => *before = text,
        None => words.extend([option, text]),
    }
}

/// A letter as argh knows it, with a dash.
fn option(letter: u8) -> &'static str {
    const OPTIONS: &str = "-0-1-2-3-4-5-6-7-8-9-A-B-C-D-E-F-G-H-I-J-K-L-M-N-O-P-Q-R-S-T-U-V-W-X-Y-Z\
        -a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z";
    let at = OPTIONS.bytes().position(|byte| byte == letter).unwrap_or(1);
    OPTIONS.get(at - 1..=at).unwrap_or(OPTIONS)
}

/// A value as it was on the command line: any bytes. Options are read once, so it is kept for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raw(pub &'static [u8]);

impl FromArgValue for Raw {
    fn from_arg_value(value: &str) -> Result<Self, String> {
        let mut bytes = Vec::with_capacity(value.len());
        for char in value.chars() {
            bytes.push(u8::try_from(u32::from(char)).unwrap_or(b'?'));
        }
        Ok(Self(bytes.leak()))
    }
}
