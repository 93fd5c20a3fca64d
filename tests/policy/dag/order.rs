//! What the services tell of themselves in the file `log` of the sandbox, a line for each event of all of them, and whether
//! it is in order.

use super::*;
use std::collections::BTreeMap;
use std::io::Write;

/// What holds from a line on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// What is needed is ready when a service is started, and stays until it has ended.
    Needs,
    /// The same for what is wanted: whoever wants it is started, and stopped, after that was told the same.
    Wants,
    /// Services and supervisors are killed. What was ready when a start was prepared, or since then, may have died.
    Deaths,
    /// All are down. What is wanted counts, too.
    Down,
}

impl Rule {
    /// Has it hold from now on.
    pub fn begin(self, sandbox: &Sandbox) {
        let mut log = fs::OpenOptions::new().append(true).open(sandbox.join("log")).unwrap();
        writeln!(log, "{self:?}").unwrap();
    }
}

/// What `run` says, when it does this before it is ready. By the number of its supervisor the start shows that was prepared.
pub fn run(name: &str, until_ready: &str) -> String {
    let ready = format!("{until_ready}\necho ready {name} >>../../log\necho >&3");
    format!("echo start {name} $PPID >>../../log\n{ready}\nexec sleep 1000000")
}

/// How often something has been started.
pub fn starts(sandbox: &Sandbox) -> usize {
    sandbox.read("log").lines().filter(|line| line.starts_with("start ")).count()
}

/// What `control/u` says last. What a service needs is looked at once more after that.
pub fn prepare(name: &str) -> String {
    format!("echo prepare {name} $PPID >>../../log")
}

/// What `control/t` says; then TERM is sent.
pub fn stop(name: &str) -> String {
    format!("echo stop {name} >>../../log\nexit 1")
}

/// What `finish` says.
pub fn end(name: &str) -> String {
    format!("echo end {name} >>../../log")
}

/// What is known of a service.
#[derive(Default)]
struct One {
    needs: Vec<String>,
    wants: Vec<String>,
    runs: bool,
    is_ready: bool,
    /// The line before which it was ready last.
    was_ready: usize,
    /// The lines at which starts were prepared, by the supervisor.
    prepared: BTreeMap<String, usize>,
}

impl One {
    fn ties(&self, rule: Rule) -> impl Iterator<Item = &String> {
        let wants: &[String] = if matches!(rule, Rule::Wants | Rule::Down) { &self.wants } else { &[] };
        self.needs.iter().chain(wants)
    }

    fn ends(&mut self, line: usize) {
        if std::mem::take(&mut self.is_ready) {
            self.was_ready = line;
        }
        self.runs = false;
    }
}

/// How often something could have been out of order.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Looked {
    /// When something was started.
    pub starts: usize,
    /// When something was stopped.
    pub stops: usize,
    /// When something was started while others were killed.
    pub deaths: usize,
}

/// Goes through it all.
#[track_caller]
pub fn check(services: &[Service<'_>]) -> Looked {
    let Some(first) = services.first() else { return Looked::default() };
    let mut ones: BTreeMap<String, One> = services.iter().map(|one| (name(one).into(), known(one))).collect();
    let (mut rule, mut looked) = (Rule::Needs, Looked::default());
    let log = first.sandbox.read("log");
    for (number, line) in log.lines().enumerate() {
        let wrong = |what: &str| panic!("{rule:?}, line {number}, {line}: {what}\n{log}");
        match *line.split(' ').collect::<Vec<_>>() {
            ["prepare", me, by] => _ = ones.get_mut(me).unwrap().prepared.insert(by.into(), number),
            ["start", me, by] => {
                // If it does not show by whom it was started, its supervisor was killed at that moment.
                let since = if rule == Rule::Deaths { ones[me].prepared.get(by) } else { Some(&number) };
                for (other, since) in ones[me].ties(rule).zip(std::iter::repeat(since)) {
                    let Some(&since) = since else { continue };
                    match ones[other].is_ready || ones[other].was_ready > since {
                        true if rule == Rule::Deaths => looked.deaths += 1,
                        true => looked.starts += 1,
                        false => wrong(&format!("{other} is not ready")),
                    }
                }
                let one = ones.get_mut(me).unwrap();
                one.ends(number);
                one.runs = true;
            }
            ["ready", me] => ones.get_mut(me).unwrap().is_ready = true,
            ["stop", me] if rule != Rule::Deaths => {
                for (name, one) in ones.iter().filter(|(_, one)| one.ties(rule).any(|other| other == me)) {
                    match one.runs {
                        true => wrong(&format!("{name} runs")),
                        false => looked.stops += 1,
                    }
                }
            }
            ["stop", _] => {}
            ["end", me] => ones.get_mut(me).unwrap().ends(number),
            ["Wants"] => rule = Rule::Wants,
            ["Deaths"] => rule = Rule::Deaths,
            ["Down"] => {
                // Who was killed together with its supervisor has not told.
                ones.values_mut().for_each(|one| one.ends(number));
                rule = Rule::Down;
            }
            _ => wrong("what is that"),
        }
    }
    looked
}

/// The name of a service in the scan directory.
pub fn name<'s>(service: &'s Service<'_>) -> &'s str {
    service.name.trim_start_matches("scan/")
}

fn known(service: &Service<'_>) -> One {
    let names = |dir: &str| {
        let entries = fs::read_dir(service.join(dir)).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    One { needs: names("needs"), wants: names("wants"), ..One::default() }
}
