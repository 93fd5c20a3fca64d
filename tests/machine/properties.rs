//! A supervisor that does what the machine says, in a world where anything can happen at any time.

use super::table::events;
use proptest::prelude::*;
use svbox::service::command::Command;
use svbox::service::machine::{Action, Event, Limit, Phase, State, Want, step};

/// What is really there.
struct World {
    state: State,
    /// How many `./run` and `./finish` live.
    live: usize,
    finish: bool,
    /// A start that has been ordered and not begun.
    prepared: bool,
    due: bool,
    /// The deadline that runs.
    limit: Option<Limit>,
    /// KILL has been sent to what lives.
    killed: bool,
    /// TERM has been sent to what lives.
    term: bool,
}

/// What the world does next.
#[derive(Clone, Debug)]
enum Turn {
    Command(Command),
    /// The process ends, if there is one.
    End {
        finish: bool,
        early: bool,
    },
    /// Control scripts have ended, a pause or a deadline is over, the service says that it is ready.
    Prepared,
    Due,
    Overdue,
    Ready,
    /// The policy or the supervisor interferes.
    Enough,
    GiveUp,
    Retire,
}

impl World {
    fn new(want: Want) -> Self {
        let state = State::new(want);
        let mut world = Self {
            state,
            live: 0,
            finish: false,
            prepared: false,
            due: false,
            limit: None,
            killed: false,
            term: false,
        };
        world.feed(Event::Begin, true);
        world
    }

    /// Lets the machine decide; `works`: a process that is to be made can be made.
    fn feed(&mut self, event: Event, works: bool) {
        let (state, actions) = step(self.state, event);
        self.state = state;
        for action in actions {
            self.act(*action, works);
        }
    }

    fn act(&mut self, action: Action, works: bool) {
        match action {
            Action::Run => self.start(false, works),
            Action::Finish => self.start(true, works),
            Action::Prepare => self.prepared = true,
            Action::Cancel => self.prepared = false,
            Action::Wait(_) => self.due = true,
            Action::Limit(limit) => self.limit = self.limit.or(Some(limit)),
            Action::Disarm => (self.due, self.limit) = (false, None),
            Action::Kill | Action::Signal(Command::Kill) => self.killed = self.live > 0,
            Action::Signal(Command::Term) if self.live > 0 && !self.finish => {
                self.term = true;
                self.feed(Event::TermSent, works);
            }
            Action::Publish | Action::Signal(_) | Action::Continue | Action::Tell(_) => {}
        }
    }

    fn start(&mut self, finish: bool, works: bool) {
        assert_eq!(self.live, 0, "a second process in {:?}", self.state);
        if !finish {
            let wanted = matches!(self.state.want, Want::Up | Want::Once);
            assert!(wanted, "a start although wanted {:?}", self.state.want);
        }
        (self.killed, self.term) = (false, false);
        if works {
            (self.live, self.finish) = (1, finish);
            self.feed(Event::Started { ready: false }, works);
        } else {
            self.feed(Event::NotStarted, works);
        }
    }

    fn turn(&mut self, turn: &Turn, works: bool) {
        match *turn {
            Turn::Command(command) => self.feed(Event::Command(command), works),
            Turn::End { finish, early } if self.live > 0 => {
                self.live = 0;
                let event =
                    if self.finish { Event::Finished { early } } else { Event::Ended { finish, early } };
                self.feed(event, works);
            }
            Turn::Prepared if core::mem::take(&mut self.prepared) => self.feed(Event::Prepared, works),
            Turn::Due if core::mem::take(&mut self.due) => self.feed(Event::Due, works),
            Turn::Overdue if self.limit.take().is_some() => self.feed(Event::Overdue, works),
            Turn::Ready if self.live > 0 && !self.finish => self.feed(Event::Ready, works),
            Turn::GiveUp if matches!(self.state.phase, Phase::Preparing | Phase::Waiting) => {
                self.feed(Event::GiveUp, works);
            }
            Turn::Enough => self.feed(Event::Enough, works),
            Turn::Retire => self.feed(Event::Retire, works),
            Turn::End { .. } | Turn::Prepared | Turn::Due | Turn::Overdue | Turn::Ready | Turn::GiveUp => {}
        }
        self.check();
    }

    /// What must hold after each turn.
    fn check(&self) {
        let phase = self.state.phase;
        let has = matches!(phase, Phase::Starting | Phase::Up | Phase::Stopping);
        assert_eq!(has, self.live > 0 && !self.finish, "run in {:?}", self.state);
        assert!(!self.finish || self.live == 0 || phase == Phase::Finishing, "finish in {:?}", self.state);
        // Nothing may be waited for that will never come.
        match phase {
            Phase::Preparing => assert!(self.prepared, "nothing is on its way in {:?}", self.state),
            Phase::Waiting => assert!(self.due, "no pause runs in {:?}", self.state),
            Phase::Finishing => assert!(self.live > 0 || self.due, "nothing goes on in {:?}", self.state),
            Phase::Down => {
                let idle = !matches!(self.state.want, Want::Up | Want::Once);
                assert!(idle, "down although wanted {:?}", self.state.want);
                assert!(!self.prepared && !self.due, "something is on its way in {:?}", self.state);
            }
            Phase::Resting => assert!(self.due && !self.prepared, "no pause runs in {:?}", self.state),
            Phase::Starting | Phase::Up | Phase::Stopping | Phase::Failed => {}
        }
        assert_eq!(self.state.term, self.term && self.live > 0 && !self.finish, "TERM in {:?}", self.state);
    }

    /// Lets everything that is on its way come, with processes that end by KILL only.
    fn run_out(&mut self) {
        for _ in 0..20 {
            for turn in [Turn::Prepared, Turn::Ready, Turn::Due, Turn::Overdue] {
                self.turn(&turn, true);
            }
            if self.killed {
                self.turn(&Turn::End { finish: true, early: false }, true);
            }
        }
    }
}

fn turns() -> impl Strategy<Value = Vec<(Turn, bool)>> {
    let command = prop::sample::select(Command::ALL.to_vec());
    let turn = prop_oneof![
        6 => command.prop_map(Turn::Command),
        4 => any::<(bool, bool)>().prop_map(|(finish, early)| Turn::End { finish, early }),
        4 => Just(Turn::Prepared),
        2 => Just(Turn::Due),
        1 => Just(Turn::Overdue),
        1 => Just(Turn::Ready),
        1 => Just(Turn::Enough),
        1 => Just(Turn::GiveUp),
        1 => Just(Turn::Retire),
    ];
    prop::collection::vec((turn, prop::bool::weighted(0.8)), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_service_ever_has_two_processes_or_is_started_unwanted(turns in turns(), down in any::<bool>()) {
        let mut world = World::new(if down { Want::Down } else { Want::Up });
        for (turn, works) in &turns {
            world.turn(turn, *works);
        }
    }

    #[test]
    fn whatever_has_happened_a_service_told_to_exit_is_gone_when_its_deadlines_are_over(turns in turns()) {
        let mut world = World::new(Want::Up);
        for (turn, works) in &turns {
            world.turn(turn, *works);
        }
        world.turn(&Turn::Command(Command::Exit), true);
        world.run_out();
        prop_assert!(world.state.is_gone(), "{:?}", world.state);
        prop_assert_eq!(world.live, 0);
    }

    #[test]
    fn whatever_has_happened_a_service_told_to_go_down_ends_within_its_deadlines(turns in turns()) {
        let mut world = World::new(Want::Up);
        for (turn, works) in &turns {
            world.turn(turn, *works);
        }
        world.turn(&Turn::Command(Command::Down), true);
        world.run_out();
        prop_assert_eq!(world.live, 0, "{:?}", world.state);
    }

    #[test]
    fn whatever_has_happened_a_service_told_to_be_up_comes_up(turns in turns()) {
        let mut world = World::new(Want::Up);
        for (turn, works) in &turns {
            world.turn(turn, *works);
        }
        // What is ending ends first.
        world.turn(&Turn::Command(Command::Down), true);
        world.run_out();
        world.turn(&Turn::Command(Command::Up), true);
        world.run_out();
        prop_assert!(world.live > 0 && !world.finish, "{:?}", world.state);
    }

    #[test]
    fn late_and_impossible_news_do_no_harm(news in prop::collection::vec(prop::sample::select(events()), 0..100)) {
        let mut state = State::new(Want::Up);
        for event in news {
            let (next, actions) = step(state, event);
            let starts = actions.iter().filter(|action| matches!(action, Action::Run | Action::Finish)).count();
            let may = !state.has_process() || matches!(event, Event::Ended { .. } | Event::Due);
            prop_assert!(starts == 0 || may, "{:?} in {:?}", event, state);
            state = next;
        }
    }
}
