//! Real shells, which are asked what they complete a command line to.

use crate::kit::*;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// A shell in a sandbox in which everything is installed, with the sandbox as current directory.
pub struct Completer<'s> {
    pub sandbox: &'s Sandbox,
    shell: Shell,
    share: PathBuf,
}

impl<'s> Completer<'s> {
    /// Installs everything.
    pub fn new(sandbox: &'s Sandbox, shell: Shell) -> Self {
        let share = installed(sandbox).join("usr/share");
        Self { sandbox, shell, share }
    }

    /// What each of the lines is completed to, with the scan directory `scan` of the sandbox as `SVDIR`.
    pub fn complete(&self, lines: &[String]) -> Vec<BTreeSet<String>> {
        let mut command = self.command();
        command.env("SVDIR", self.sandbox.join("scan")).env("HOME", self.sandbox.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        for line in lines {
            writeln!(input, "{line}").unwrap();
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{:?}", self.shell);
        let mut answers = vec![BTreeSet::new()];
        for line in text.lines() {
            if line == "END" {
                answers.push(BTreeSet::new());
            } else if !line.is_empty() {
                answers.last_mut().unwrap().insert(line.to_owned());
            }
        }
        answers.pop();
        assert_eq!(answers.len(), lines.len(), "{:?}: {text}", self.shell);
        answers
    }

    /// What one line is completed to.
    pub fn one(&self, line: &str) -> BTreeSet<String> {
        self.complete(&[line.to_owned()]).remove(0)
    }

    fn command(&self) -> Command {
        let drivers = project().join("tests/completions");
        let data = format!("{}:/usr/share", self.share.display());
        let mut command = match self.shell {
            Shell::Bash => {
                let mut command = self.sandbox.command("bash");
                command.arg("--norc").arg(drivers.join("drive.bash"));
                command
            }
            Shell::Zsh => {
                let home = self.sandbox.join("zsh");
                fs::create_dir_all(&home).unwrap();
                fs::copy(drivers.join("zshrc"), home.join(".zshrc")).unwrap();
                let mut command = self.sandbox.command("zsh");
                command.arg("-f").arg(drivers.join("drive.zsh")).env("ZDOTDIR", home).env("TERM", "dumb");
                command.env("SITE_FUNCTIONS", self.share.join("zsh/site-functions"));
                command
            }
            Shell::Fish => {
                let mut command = self.sandbox.command("fish");
                command.arg(drivers.join("drive.fish"));
                command
            }
        };
        command.env("XDG_DATA_DIRS", data);
        command
    }
}
