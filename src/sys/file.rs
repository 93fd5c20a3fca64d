//! Files, each reached from an open directory; the current directory plays no part.

use super::time::Duration;
use super::{AsFd, BorrowedFd, Errno, OwnedFd, Result, again};
use core::ffi::CStr;
pub use rustix::fs::Stat;
#[cfg(not(all(target_arch = "mips", target_env = "musl")))]
use rustix::fs::Timestamps;
use rustix::fs::{self, Access, AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags, Timespec};

/// The current directory, as the place a relative path starts from.
pub use rustix::fs::CWD;

/// Opens a directory as a place to start from; nothing can be read through it.
pub fn open_place(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    open(at, path, OFlags::PATH | OFlags::DIRECTORY, 0)
}

/// Finds what a path leads to, or is if it is not to be followed, without opening it: nothing happens to it, and nothing
/// has to be allowed. Below a root, absolute paths and links begin there, and `..` ends there.
#[inline(never)]
pub fn find(root: Option<BorrowedFd<'_>>, path: &CStr, follow: bool) -> Result<OwnedFd> {
    open_below(root, path, if follow { OFlags::PATH } else { OFlags::PATH | OFlags::NOFOLLOW })
}

/// Opens for reading, in the same way.
pub fn read_below(root: Option<BorrowedFd<'_>>, path: &CStr) -> Result<OwnedFd> {
    open_below(root, path, OFlags::RDONLY | OFlags::NONBLOCK)
}

#[inline(never)]
fn open_below(root: Option<BorrowedFd<'_>>, path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    let Some(root) = root else { return open(CWD, path, flags, 0) };
    // Which takes no flag that means nothing for the others.
    again(|| fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT))
}

/// Whether the directory may be entered.
pub fn may_enter(dir: BorrowedFd<'_>) -> Result<()> {
    again(|| fs::accessat(dir, c".", Access::EXEC_OK, AtFlags::EACCESS))
}

/// Opens `/dev/null` for reading and writing, to stand in for a standard descriptor; open over exec as well or not.
pub fn open_null(over_exec: bool) -> Result<OwnedFd> {
    let more = if over_exec { OFlags::empty() } else { OFlags::CLOEXEC };
    again(|| fs::openat(CWD, c"/dev/null", OFlags::RDWR | more, Mode::empty()))
}

/// Opens for reading and writing.
pub fn open_read_write(path: &CStr) -> Result<OwnedFd> {
    open(CWD, path, OFlags::RDWR, 0)
}

/// Opens for reading; never waits for a fifo's writer.
pub fn open_read(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    open(at, path, OFlags::RDONLY | OFlags::NONBLOCK, 0)
}

/// The same, but not where a link leads.
pub fn open_read_itself(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    open(at, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW, 0)
}

/// Opens for appending, making it if need be.
pub fn open_append(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<OwnedFd> {
    open(at, path, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK, mode)
}

/// The same, but not where a link leads.
pub fn open_append_itself(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    open(at, path, flags, mode)
}

/// Whether two looks have seen the same file.
pub fn is_same(one: Result<Stat>, other: Result<Stat>) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// Makes an empty file if there is none, whose name is what it tells; not where a link leads.
pub fn show(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    open(at, path, flags, mode).map(drop)
}

/// The same as [`open_append`] for a file that is there.
pub fn open_end(path: &CStr) -> Result<OwnedFd> {
    open(CWD, path, OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK, 0)
}

pub(super) fn open(at: BorrowedFd<'_>, path: &CStr, flags: OFlags, mode: u32) -> Result<OwnedFd> {
    again(|| fs::openat(at, path, flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::from_raw_mode(mode)))
}

/// What a path leads to, symbolic links followed.
pub fn stat(at: BorrowedFd<'_>, path: &CStr) -> Result<Stat> {
    again(|| fs::statat(at, path, AtFlags::empty()))
}

/// Whether a path leads to something; what cannot be found out is not so.
#[inline(never)]
pub fn is_there(at: BorrowedFd<'_>, path: &CStr) -> bool {
    stat(at, path).is_ok()
}

/// Whether a path leads to a directory; what cannot be found out is not so.
#[inline(never)]
pub fn is_directory_at(at: BorrowedFd<'_>, path: &CStr) -> bool {
    stat(at, path).is_ok_and(|stat| is_directory(&stat))
}

/// Whether a path leads to what is open; what cannot be found out is not so.
#[inline(never)]
pub fn leads_to(at: BorrowedFd<'_>, path: &CStr, open: BorrowedFd<'_>) -> bool {
    is_same(stat(at, path), stat_open(open))
}

/// Whether two are the same; what cannot be found out is not so.
#[inline(never)]
pub fn are_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    is_same(stat_open(one), stat_open(other))
}

/// What tells a file from every other one that there is or was: device, inode, and when it was made, since the
/// numbers of removed files are given out again. File systems that do not know when have 0 there.
pub type Identity = (u64, u64, i64, u32);

/// What a scan has to know of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Which file it is.
    pub identity: Identity,
    /// Whether it is a directory.
    pub directory: bool,
    /// When its content was changed last, on the wall clock.
    pub changed: Duration,
}

/// Looks at what a path leads to, symbolic links followed.
pub fn look(at: BorrowedFd<'_>, path: &CStr) -> Result<Look> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let found = match again(|| fs::statx(at, path, AtFlags::empty(), wanted)) {
        Ok(found) => found,
        // A kernel before 4.11, or a filter that does not know it.
        Err(Errno::NOSYS | Errno::PERM) => return stat(at, path).map(|stat| old_look(&stat)),
        Err(errno) => return Err(errno),
    };
    let device = u64::from(found.stx_dev_major) << 32 | u64::from(found.stx_dev_minor);
    Ok(Look {
        identity: (device, found.stx_ino, found.stx_btime.tv_sec, found.stx_btime.tv_nsec),
        directory: FileType::from_raw_mode(u32::from(found.stx_mode)) == FileType::Directory,
        changed: Duration::new(found.stx_mtime.tv_sec.max(0).unsigned_abs(), found.stx_mtime.tv_nsec),
    })
}

fn old_look(stat: &Stat) -> Look {
    let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Look {
        identity: (stat.st_dev, stat.st_ino, 0, 0),
        directory: is_directory(stat),
        changed: Duration::new(stat.st_mtime.max(0).unsigned_abs(), nanoseconds),
    }
}

/// What a path is, a symbolic link not followed.
pub fn link_stat(at: BorrowedFd<'_>, path: &CStr) -> Result<Stat> {
    again(|| fs::statat(at, path, AtFlags::SYMLINK_NOFOLLOW))
}

/// What an open file is.
pub fn stat_open(fd: impl AsFd) -> Result<Stat> {
    fs::fstat(fd)
}

/// Whether it is a directory.
pub fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Whether it is a file with bytes of its own.
pub fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Whether it is a symbolic link.
pub fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

/// Whether it is a fifo.
pub fn is_fifo(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Fifo
}

/// Whether it is a socket.
pub fn is_socket(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Socket
}

/// Whether its owner may execute it.
pub fn is_executable(stat: &Stat) -> bool {
    stat.st_mode & 0o100 != 0
}

/// Whether the program at a path could be run by us.
pub fn may_run(at: BorrowedFd<'_>, path: &CStr) -> bool {
    check_run(at, path).is_ok()
}

/// The same, with what running it would fail for.
pub fn check_run(at: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    if FileType::from_raw_mode(stat(at, path)?.st_mode) != FileType::RegularFile {
        return Err(Errno::ACCESS);
    }
    again(|| fs::accessat(at, path, Access::EXEC_OK, AtFlags::EACCESS))
}

/// Whether a file is there and we may write to it.
#[cfg(feature = "policy")]
pub fn is_writable(at: BorrowedFd<'_>, path: &CStr) -> bool {
    again(|| fs::accessat(at, path, Access::WRITE_OK, AtFlags::EACCESS)).is_ok()
}

/// Whether a directory can be written to, in which entries can be found.
pub fn may_write(at: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    again(|| fs::accessat(at, path, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS))
}

/// Whether the path exists, links followed.
pub fn exists(at: BorrowedFd<'_>, path: &CStr) -> Result<bool> {
    match stat(at, path) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Makes a directory.
pub fn make_directory(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<()> {
    again(|| fs::mkdirat(at, path, Mode::from_raw_mode(mode)))
}

/// The text of a symbolic link, in `buffer`; `ENAMETOOLONG` if it does not fit.
pub fn read_link<'b>(at: BorrowedFd<'_>, path: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
    let room = buffer.len();
    let len = again(|| fs::readlinkat_raw(at, path, &mut *buffer))?;
    if len >= room {
        return Err(Errno::NAMETOOLONG);
    }
    Ok(buffer.get(..len).unwrap_or(&[]))
}

/// What is in the file at a path, as much of it as there is room for.
#[inline(never)]
pub fn read_text<'t>(at: BorrowedFd<'_>, path: &CStr, text: &'t mut [u8]) -> Result<&'t [u8]> {
    let len = read_full(&open_read(at, path)?, text)?;
    Ok(text.get(..len).unwrap_or(&[]))
}

/// Reads until the buffer is full or the file ends; gives the number of bytes.
pub fn read_full(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match again(|| rustix::io::read(&fd, &mut *rest))? {
            0 => break,
            count => done += count,
        }
    }
    Ok(done)
}

/// Reads what is there now: `None` if nothing is and more may come, 0 bytes at the end.
pub fn read_some(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<usize>> {
    match again(|| rustix::io::read(&fd, &mut *buffer)) {
        Ok(count) => Ok(Some(count)),
        Err(Errno::AGAIN) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Reads from a place of a file until the buffer is full or the file ends; gives the number of bytes.
pub fn read_at(fd: impl AsFd, buffer: &mut [u8], at: u64) -> Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match again(|| rustix::io::pread(&fd, &mut *rest, at + done as u64))? {
            0 => break,
            count => done += count,
        }
    }
    Ok(done)
}

/// Writes at a place of a file, all of it.
pub fn write_at(fd: impl AsFd, mut bytes: &[u8], mut at: u64) -> Result<()> {
    while !bytes.is_empty() {
        let count = again(|| rustix::io::pwrite(&fd, bytes, at))?;
        bytes = bytes.get(count..).unwrap_or(&[]);
        at += count as u64;
    }
    Ok(())
}

/// Lets reads and writes of an open descriptor come back at once.
pub fn set_nonblocking(fd: impl AsFd) -> Result<()> {
    fs::fcntl_setfl(&fd, fs::fcntl_getfl(&fd)? | OFlags::NONBLOCK)
}

/// Writes to a file that is there, by one call: those below `/proc` and of control groups take what it says.
pub fn put(path: &CStr, bytes: &[u8]) -> Result<()> {
    put_at(CWD, path, bytes)
}

/// The same from a directory.
pub fn put_at(at: BorrowedFd<'_>, path: &CStr, bytes: &[u8]) -> Result<()> {
    write_all(open(at, path, OFlags::WRONLY, 0)?, bytes)
}

/// Opens for reading as a shell would for a program: waiting for a fifo's writer.
pub fn open_input(path: &CStr) -> Result<OwnedFd> {
    again(|| fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))
}

/// Opens for appending, in the same way, making it if need be.
pub fn open_output(path: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
    again(|| fs::openat(CWD, path, flags, Mode::from_raw_mode(0o666)))
}

/// The same open file under the lowest number that is free.
pub fn duplicate(fd: impl AsFd) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, 0)
}

/// Leaves a descriptor open for the program that is run in our place.
pub fn keep_over_exec(fd: impl AsFd) -> Result<()> {
    rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())
}

/// Goes to a place of an open file; `ESPIPE` if it has none.
pub fn go_to(fd: impl AsFd, at: u64) -> Result<()> {
    fs::seek(fd, fs::SeekFrom::Start(at)).map(drop)
}

/// The place of an open file where the next byte is read or written.
pub fn position(fd: impl AsFd) -> Result<u64> {
    fs::tell(fd)
}

/// Sees to it that what was written survives a loss of power.
pub fn sync(fd: impl AsFd) -> Result<()> {
    again(|| fs::fsync(&fd))
}

/// Sets the mode of an open file.
pub fn set_mode(fd: impl AsFd, mode: u32) -> Result<()> {
    again(|| fs::fchmod(&fd, Mode::from_raw_mode(mode)))
}

/// Sets the mode of the file that a path leads to.
pub fn set_mode_at(path: &CStr, mode: u32) -> Result<()> {
    again(|| fs::chmodat(CWD, path, Mode::from_raw_mode(mode), AtFlags::empty()))
}

/// Takes everything behind the first `len` bytes away.
pub fn truncate(fd: impl AsFd, len: u64) -> Result<()> {
    again(|| fs::ftruncate(&fd, len))
}

/// Opens for writing, emptied, making it if need be.
pub fn open_new(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<OwnedFd> {
    open(at, path, OFlags::WRONLY | OFlags::TRUNC | OFlags::CREATE | OFlags::NONBLOCK, mode)
}

/// The same where no link is followed.
pub fn open_emptied(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    open(at, path, flags, mode)
}

/// Makes a file and opens it for writing; `EEXIST` if there is anything of that name.
pub fn open_first(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<OwnedFd> {
    open(at, path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode)
}

/// A second descriptor for the same open file, with a number not below `least`.
pub fn above(fd: impl AsFd, least: i32) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, least)
}

/// Writes all of it.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let count = write_once(&fd, bytes)?;
        bytes = bytes.get(count..).unwrap_or(&[]);
    }
    Ok(())
}

/// Writes what the descriptor takes in one call.
pub fn write_once(fd: impl AsFd, bytes: &[u8]) -> Result<usize> {
    again(|| rustix::io::write(&fd, bytes))
}

/// Where replacing a file failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replacing {
    /// The new file could not be opened.
    Open(Errno),
    /// It could not be written.
    Write(Errno),
    /// It took only a part.
    Short,
    /// It could not take the old one's name.
    Rename(Errno),
}

/// Puts `bytes` in the place of `path`: readers see the old file or the whole new one. What fails leaves the
/// old file as it is and no new one behind. If there can be no readers yet, and no old file, it is made in its place.
/// What has the name of the new one is removed before: a link would lead us somewhere.
pub fn replace(
    at: BorrowedFd<'_>,
    path: &CStr,
    new: &CStr,
    mode: u32,
    bytes: &[u8],
    no_readers: bool,
) -> core::result::Result<(), Replacing> {
    if no_readers && let Ok(fd) = open_first(at, path, mode) {
        if write_once(&fd, bytes) == Ok(bytes.len()) {
            return Ok(());
        }
        let _ = remove(at, path);
    }
    let opened = match open_first(at, new, mode) {
        Err(Errno::EXIST) => remove(at, new).and_then(|()| open_first(at, new, mode)),
        opened => opened,
    };
    let fd = opened.map_err(Replacing::Open)?;
    let written = match bytes {
        [] => Ok(()),
        _ => match write_once(&fd, bytes) {
            Ok(count) if count == bytes.len() => Ok(()),
            Ok(_) => Err(Replacing::Short),
            Err(errno) => Err(Replacing::Write(errno)),
        },
    };
    drop(fd);
    let done = written.and_then(|()| again(|| fs::renameat(at, new, at, path)).map_err(Replacing::Rename));
    if done.is_err() {
        let _ = remove(at, new);
    }
    done
}

/// Removes a name that is not a directory.
pub fn remove(at: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    again(|| fs::unlinkat(at, path, AtFlags::empty()))
}

/// Removes a directory, which has to be empty.
pub fn remove_directory(at: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    again(|| fs::unlinkat(at, path, AtFlags::REMOVEDIR))
}

/// Gives a file a second name.
pub fn link(at: BorrowedFd<'_>, old: &CStr, new: &CStr) -> Result<()> {
    again(|| fs::linkat(at, old, at, new, AtFlags::empty()))
}

/// Makes a symbolic link.
pub fn symlink(at: BorrowedFd<'_>, text: &CStr, new: &CStr) -> Result<()> {
    again(|| fs::symlinkat(text, at, new))
}

/// Renames, replacing what has the new name.
pub fn rename(at: BorrowedFd<'_>, old: &CStr, new: &CStr) -> Result<()> {
    again(|| fs::renameat(at, old, at, new))
}

/// The same from one directory to another.
pub fn rename_to(from: BorrowedFd<'_>, old: &CStr, to: BorrowedFd<'_>, new: &CStr) -> Result<()> {
    again(|| fs::renameat(from, old, to, new))
}

/// A time of a file: seconds and nanoseconds.
pub type FileTime = (i64, u32);

/// Sets both times of an open file: of the last access, and of the last change.
pub fn set_times(fd: impl AsFd, accessed: FileTime, modified: FileTime) -> Result<()> {
    let time =
        |(seconds, nanoseconds): FileTime| Timespec { tv_sec: seconds, tv_nsec: i64::from(nanoseconds) };
    let (last_access, last_modification) = (time(accessed), time(modified));
    #[cfg(all(target_arch = "mips", target_env = "musl"))]
    return super::ffi::set_times(super::AsRawFd::as_raw_fd(&fd.as_fd()), &[last_access, last_modification]);
    #[cfg(not(all(target_arch = "mips", target_env = "musl")))]
    fs::futimens(fd, &Timestamps { last_access, last_modification })
}

/// Whether changes of a directory can come from another machine, unseen by this kernel.
pub fn is_remote(dir: impl AsFd) -> bool {
    const NFS: i64 = 0x6969;
    const CIFS: i64 = 0xff53_4d42;
    const SMB2: i64 = 0xfe53_4d42;
    const NINE_P: i64 = 0x0102_1997;
    const FUSE: i64 = 0x6573_5546;
    // The number is a word on some targets and 32 bits on others, signed or not.
    #[allow(clippy::unnecessary_cast)]
    let kind = fs::fstatfs(dir).map_or(0, |stat| stat.f_type as i64);
    [NFS, CIFS, SMB2, NINE_P, FUSE].contains(&(kind & 0xffff_ffff))
}
