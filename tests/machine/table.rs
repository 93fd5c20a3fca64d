//! `table.txt` says for every state and event what the machine decides. It is read by people: a change of the
//! machine shows there, row by row. `SVBOX_WRITE_TABLE=1` writes it anew.

use std::fmt::Write;
use std::path::Path;
use svbox::service::command::Command;
use svbox::service::machine::{Event, Phase, State, Want, step};

const PHASES: [Phase; 9] = [
    Phase::Down,
    Phase::Resting,
    Phase::Preparing,
    Phase::Starting,
    Phase::Up,
    Phase::Stopping,
    Phase::Finishing,
    Phase::Waiting,
    Phase::Failed,
];
pub const WANTS: [Want; 4] = [Want::Up, Want::Once, Want::Down, Want::Exit];

/// Every event there is.
pub fn events() -> Vec<Event> {
    let mut all = vec![Event::Begin];
    all.extend(Command::ALL.map(Event::Command));
    all.push(Event::Prepared);
    all.extend([true, false].map(|ready| Event::Started { ready }));
    all.extend([Event::NotStarted, Event::Ready, Event::Unready]);
    for finish in [false, true] {
        all.extend([false, true].map(|early| Event::Ended { finish, early }));
    }
    all.extend([false, true].map(|early| Event::Finished { early }));
    all.extend([Event::Due, Event::Overdue, Event::TermSent, Event::Enough, Event::GiveUp, Event::Retire]);
    all
}

fn shown(state: State) -> String {
    let flags = [(state.paused, " paused"), (state.term, " term")];
    let flags: String = flags.into_iter().filter_map(|(set, word)| set.then_some(word)).collect();
    format!("{:?} want {:?}{flags}", state.phase, state.want)
}

/// One row a state and event; those that change nothing and do nothing are summed up in one row a state.
fn table() -> String {
    let mut text = String::new();
    for phase in PHASES {
        for want in WANTS {
            // What the flags are changes none of the decisions, which the rows of one want show.
            let flags: &[(bool, bool)] =
                if want == Want::Up { &[(false, false), (true, true)] } else { &[(false, false)] };
            for &(paused, term) in flags {
                let state = State { phase, want, paused, term };
                writeln!(text, "{}", shown(state)).unwrap();
                let mut nothing = Vec::new();
                for event in events() {
                    match step(state, event) {
                        (next, []) if next == state => nothing.push(format!("{event:?}")),
                        (next, actions) => {
                            writeln!(text, "    {event:?} -> {}: {actions:?}", shown(next)).unwrap();
                        }
                    }
                }
                writeln!(text, "    nothing: {}", nothing.join(", ")).unwrap();
            }
        }
    }
    text
}

#[test]
fn every_state_and_event_is_decided_as_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machine/table.txt");
    let now = table();
    if std::env::var_os("SVBOX_WRITE_TABLE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    for (number, (now, known)) in now.lines().zip(known.lines()).enumerate() {
        assert_eq!(now, known, "line {}", number + 1);
    }
    assert_eq!(now.lines().count(), known.lines().count());
}
