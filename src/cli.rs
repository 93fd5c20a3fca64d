//! Command lines by getopt's rules, in front of argh.
//!
//! Flags can be joined (`-vw5`), a value is the rest of the word or the next word, the last of several values
//! wins, and the first operand, `--` or a lone `-` ends the options. Arguments are bytes; argh takes text, so a
//! value travels through it with each byte as one character and comes out as [`Raw`].

use crate::report::Failure;
use crate::sys::args::Args;
use crate::sys::{file, stdio};
use argh::{FromArgValue, TopLevelCommand};
use core::ffi::CStr;

/// Which letters a program takes.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Options without a value.
    pub flags: &'static [u8],
    /// Options with a value.
    pub values: &'static [u8],
}

/// What is wrong with the options of a command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Complaint {
    /// No such option.
    Illegal(u8),
    /// The value is missing.
    NoValue(u8),
}

/// One call of a program.
pub struct Call {
    /// The name it was called by, path included.
    pub argv0: &'static CStr,
    name: &'static str,
    options: Vec<String>,
    operands: Vec<&'static CStr>,
}

impl Call {
    /// Takes the command line of the program `name` apart; without a `spec` all of it is operands.
    pub fn read(name: &'static str, argv0: &'static CStr, args: Args, spec: Option<Spec>) -> Result<Self, Complaint> {
        let mut options = Vec::new();
        let used = spec.map_or(Ok(0), |spec| scan(spec, args, &mut options))?;
        Ok(Self { argv0, name, options, operands: args.skip(used).iter().collect() })
    }

    /// The last part of the name it was called by.
    pub fn base(&self) -> &'static [u8] {
        base_name(self.argv0)
    }

    /// The options as the program has declared them. `--help` prints the help text and ends the program.
    pub fn options<T: TopLevelCommand>(&self) -> Result<T, Failure> {
        let words: Vec<&str> = self.options.iter().map(String::as_str).collect();
        T::from_args(&[self.name], &words).map_err(|exit| {
            if exit.status.is_err() {
                return Failure::Usage;
            }
            let printed = file::write_all(stdio::stdout(), exit.output.as_bytes());
            Failure::Said(u8::from(printed.is_err()))
        })
    }

    /// What comes after the options.
    pub fn operands(&self) -> &[&'static CStr] {
        &self.operands
    }
}

/// The last part of a path.
pub fn base_name(path: &CStr) -> &[u8] {
    let path = path.to_bytes();
    memchr::memrchr(b'/', path).and_then(|at| path.get(at + 1..)).unwrap_or(path)
}

/// Puts the options into `words`, one option or value each; gives the number of arguments they took.
fn scan(spec: Spec, args: Args, words: &mut Vec<String>) -> Result<usize, Complaint> {
    let mut index = 0;
    while let Some(word) = args.get(index).map(CStr::to_bytes) {
        match word {
            b"--" => return Ok(index + 1),
            b"--help" => words.push("--help".into()),
            [b'-', letters @ ..] if !letters.is_empty() => {
                let next = args.get(index + 1).map(CStr::to_bytes);
                index += usize::from(cluster(spec, letters, next, words)?);
            }
            _ => break,
        }
        index += 1;
    }
    Ok(index)
}

/// Takes one word of letters apart; gives whether the next word was the value of its last letter.
fn cluster(spec: Spec, mut letters: &[u8], next: Option<&'static [u8]>, words: &mut Vec<String>) -> Result<bool, Complaint> {
    while let [letter, rest @ ..] = letters {
        let option: String = ['-', char::from(*letter)].iter().collect();
        if spec.values.contains(letter) {
            let value = if rest.is_empty() { next.ok_or(Complaint::NoValue(*letter))? } else { rest };
            set(words, option, value);
            return Ok(rest.is_empty());
        }
        if !spec.flags.contains(letter) {
            return Err(Complaint::Illegal(*letter));
        }
        words.push(option);
        letters = rest;
    }
    Ok(false)
}

/// The last value wins, and argh takes an option once only.
fn set(words: &mut Vec<String>, option: String, value: &[u8]) {
    if let Some(before) = words.iter().position(|word| *word == option) {
        words.drain(before..before + 2);
    }
    words.push(option);
    words.push(value.iter().map(|&byte| char::from(byte)).collect());
}

/// A value as it was on the command line: any bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raw(pub Vec<u8>);

impl FromArgValue for Raw {
    fn from_arg_value(value: &str) -> Result<Self, String> {
        Ok(Self(value.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?')).collect()))
    }
}
