//! The scan directory in which a service stands, and the services beside it: those that it depends on, with which it
//! leaves marks, and those that have left marks with it.

use super::unit::Place;
use super::{World, open};
use crate::service::names::{PUBLIC_MODE, SUPERVISE_MODE};
use crate::service::needs::{self, NEEDED, TIES, Tie, below};
use crate::service::template;
use crate::sys::dir::{self, Names};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, Result, file};
use crate::text::Text;
use core::ffi::CStr;

/// The scan directory that a supervisor of all its services has been told of last, and the one before: after a switch from
/// one set of services to another those of the old one end.
pub type Scans = [Option<OwnedFd>; 2];

/// Takes note of another scan directory, unless it is the same.
#[cfg(feature = "in-process")]
pub fn note(scans: &mut Scans, dir: impl AsFd) {
    let is_known = |known: &OwnedFd| file::are_same(known.as_fd(), dir.as_fd());
    let [last, before] = scans;
    if !last.as_ref().is_some_and(is_known)
        && let Ok(new) = file::duplicate(&dir)
    {
        *before = last.replace(new);
    }
}

/// A service in its scan directory.
pub struct Neighbours<'w> {
    scan: Scan<'w>,
    name: Text<256>,
    /// The service itself.
    pub place: &'w Place,
    /// Its supervisor.
    pub world: &'w World,
    is_told: bool,
}

enum Scan<'w> {
    Known(BorrowedFd<'w>),
    Opened(OwnedFd),
}

impl<'w> Neighbours<'w> {
    /// Where the supervisor was told to find the service, which is what its messages name. `None` if that is no name in a
    /// directory, or the directory has gone.
    pub fn open(place: &'w Place, world: &'w World) -> Result<Option<Self>> {
        let Some((dir, name)) = place.report.subject.and_then(needs::split) else { return Ok(None) };
        let mut text = Text::new();
        text.push(name);
        let [last, before] = &world.scans;
        let here = |scan: &&OwnedFd| is_in(scan.as_fd(), text.c_str().unwrap_or(c""), place);
        let known = [last, before].into_iter().flatten().find(here).or(last.as_ref());
        let scan = match known {
            Some(scan) => Scan::Known(scan.as_fd()),
            None if dir.is_empty() => Scan::Known(file::CWD),
            None => {
                let mut path = Text::<4096>::new();
                let path = path.push(dir).c_str().ok_or(Errno::NAMETOOLONG)?;
                match file::open_place(file::CWD, path) {
                    Ok(scan) => Scan::Opened(scan),
                    Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                    Err(errno) => return Err(errno),
                }
            }
        };
        Ok(Some(Self { scan, name: text, place, world, is_told: last.is_some() }))
    }

    /// The scan directory.
    pub fn scan(&self) -> BorrowedFd<'_> {
        match &self.scan {
            Scan::Known(scan) => *scan,
            Scan::Opened(scan) => scan.as_fd(),
        }
    }

    /// Whether its changes are told by whoever has told of it.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// The service's own name there.
    pub fn name(&self) -> &CStr {
        self.name.c_str().unwrap_or(c"")
    }

    /// Whether its name still leads to it. Otherwise nobody can see how it stands.
    pub fn is_there(&self) -> bool {
        is_in(self.scan(), self.name(), self.place)
    }

    /// Those that it depends on in one way.
    pub fn others(&self, dir: &CStr) -> Names {
        needs::names(self.place.dir.as_fd(), dir)
    }

    /// Those that have left a mark, which [`Neighbours::tie`] has to be asked about.
    pub fn marks(&self) -> Names {
        needs::marks(self.place.state().as_fd(), NEEDED)
    }

    /// How the one that has left a mark depends on this one. Otherwise it is told a last time, for it may be waiting since it
    /// did, and the mark is removed; who has come to do so again since then shows at a second look, for the mark is made after
    /// `needs/NAME`.
    pub fn tie(&self, name: &CStr) -> Result<Option<Tie>> {
        if let Some(tie) = self.tie_of(name)? {
            return Ok(Some(tie));
        }
        needs::tell(self.scan(), name)?;
        let marks = dir::open_itself(self.place.state().as_fd(), NEEDED)?;
        let _ = file::remove(marks.as_fd(), name);
        let again = self.tie_of(name)?;
        if again.is_some() {
            let _ = file::open_first(marks.as_fd(), name, PUBLIC_MODE);
        }
        Ok(again)
    }

    fn tie_of(&self, name: &CStr) -> Result<Option<Tie>> {
        needs::tie(self.scan(), name, self.name(), self.place.dir.as_fd())
    }

    /// Has each that depends on it look again. Kept apart for its large buffers.
    #[inline(never)]
    pub fn tell_dependents(&self) -> Result<()> {
        let (mut marks, mut result) = (self.marks(), Ok(()));
        while let Some(name) = marks.next_name() {
            match self.tie(name) {
                Ok(Some(_)) => result = needs::tell(self.scan(), name).and(result),
                Ok(None) => {}
                Err(errno) => result = Err(errno),
            }
        }
        marks.end().and(result)
    }

    /// Has each that it depends on look again.
    pub fn tell_others(&self) -> Result<()> {
        self.each_other(&mut |other| needs::tell(self.scan(), other))
    }

    /// Leaves marks with all that it depends on, and has those look, if the mark is new or `tells`.
    pub fn announce_all(&self, tells: bool) -> Result<()> {
        self.each_other(&mut |other| self.announce(other, tells))
    }

    /// Does something with each that it depends on; what cannot be done with one does not keep it from the others.
    fn each_other(&self, act: &mut dyn FnMut(&CStr) -> Result<()>) -> Result<()> {
        let mut result = Ok(());
        for (dir, _) in &TIES {
            let mut others = self.others(dir);
            while let Some(other) = others.next_name() {
                result = act(other).and(result);
            }
            result = others.end().and(result);
        }
        result
    }

    /// Where there is no such service there is nobody to know; one with the mark knows.
    fn announce(&self, other: &CStr, tells: bool) -> Result<()> {
        let is_marked = || needs::is_there(self.scan(), other, below(NEEDED, self.name()).path());
        if !tells && is_marked() == Ok(true) || !needs::is_service(self.scan(), other) {
            return Ok(());
        }
        match self.mark(other)? {
            is_new if is_new || tells => needs::tell(self.scan(), other),
            _ => Ok(()),
        }
    }

    /// Gives whether the mark is new. Where the other has never had a supervisor, what that makes is made for it.
    fn mark(&self, other: &CStr) -> Result<bool> {
        let marks = needs::state(self.scan(), other, NEEDED);
        let leave = || {
            let marks = dir::open_itself(self.scan(), marks.path())?;
            file::open_first(marks.as_fd(), self.name(), PUBLIC_MODE).map(drop)
        };
        let left = match leave() {
            Err(Errno::NOENT) => {
                self.make_marks(other)?;
                leave()
            }
            left => left,
        };
        match left {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Makes the directory of marks, and `supervise` if need be.
    fn make_marks(&self, other: &CStr) -> Result<()> {
        let dir = file::open_place(self.scan(), other)?;
        let argument = template::argument(self.scan(), other.to_bytes());
        let state = open::state(&dir, argument, &self.place.report).map_err(|_| Errno::NOENT)?;
        let dir = state.unwrap_or(dir);
        let make = || file::make_directory(dir.as_fd(), NEEDED, SUPERVISE_MODE);
        let made = match make() {
            Err(Errno::NOENT) => {
                if file::make_directory(dir.as_fd(), c"supervise", SUPERVISE_MODE).is_err() {
                    let _ = open::make_link_target(dir.as_fd(), c"supervise");
                }
                make()
            }
            made => made,
        };
        if made == Err(Errno::EXIST) { Ok(()) } else { made }
    }
}

/// A service has another directory now: the marks of those that depend on it come along from the one that was its own.
pub fn take_marks(old: &OwnedFd, place: &Place) {
    let mut marks = needs::marks(old.as_fd(), NEEDED);
    let mut taken = None;
    while let Some(name) = marks.next_name() {
        let at = place.state().as_fd();
        if taken.is_none() {
            let _ = file::make_directory(at, NEEDED, SUPERVISE_MODE);
            taken = dir::open_itself(at, NEEDED).ok();
        }
        if let Some(taken) = &taken {
            let _ = file::open_first(taken.as_fd(), name, PUBLIC_MODE);
        }
    }
}

fn is_in(scan: BorrowedFd<'_>, name: &CStr, place: &Place) -> bool {
    file::leads_to(scan, name, place.dir.as_fd())
}
