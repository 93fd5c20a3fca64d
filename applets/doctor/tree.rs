//! The files that are looked at: this machine's, or those below a directory that would be the root of another.

use core::ffi::CStr;
use svbox::sys::file::{self, CWD};
use svbox::sys::{AsFd, BorrowedFd, Errno, OwnedFd, Result, dir};
use svbox::text::Text;

pub type Path = Text<4096>;

/// A root directory.
pub struct Tree(Option<OwnedFd>);

/// What tells a file from others.
pub type Identity = (u64, u64);

/// What is known of a file.
#[derive(Clone, Copy)]
pub struct Look {
    pub identity: Identity,
    pub is_directory: bool,
    pub is_regular: bool,
    pub is_fifo: bool,
    pub is_executable: bool,
}

/// Puts a path together.
#[inline(never)]
pub fn path(parts: &[&[u8]]) -> Path {
    let mut path = Path::new();
    for part in parts {
        path.push(part);
    }
    path
}

fn c_str(path: &Path) -> Result<&CStr> {
    path.c_str().ok_or(Errno::NAMETOOLONG)
}

impl Tree {
    /// This machine, or what is below a directory.
    pub fn new(root: Option<&CStr>) -> Result<Self> {
        let tree = Self(root.map(|root| file::open_place(CWD, root)).transpose()?);
        // Older kernels cannot keep links below a directory.
        tree.find(&path(&[b"/"]))?;
        Ok(tree)
    }

    /// Whether it is this machine, whose processes can be looked at, too.
    pub fn is_here(&self) -> bool {
        self.0.is_none()
    }

    fn root(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }

    /// What a path leads to. Finding it does nothing to it.
    #[inline(never)]
    pub fn find(&self, path: &Path) -> Result<OwnedFd> {
        file::find(self.root(), c_str(path)?, true)
    }

    /// What a path leads to, in short.
    #[inline(never)]
    pub fn look(&self, path: &Path) -> Result<Look> {
        let stat = file::stat_open(self.find(path)?)?;
        Ok(Look {
            identity: (stat.st_dev, stat.st_ino),
            is_directory: file::is_directory(&stat),
            is_regular: file::is_regular(&stat),
            is_fifo: file::is_fifo(&stat),
            is_executable: file::is_executable(&stat),
        })
    }

    #[inline(never)]
    pub fn is_directory(&self, name: &[u8]) -> bool {
        self.look(&path(&[name])).is_ok_and(|look| look.is_directory)
    }

    /// The text of a link.
    #[inline(never)]
    pub fn link<'b>(&self, path: &Path, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
        file::read_link(file::find(self.root(), c_str(path)?, false)?.as_fd(), c"", buffer)
    }

    /// The first bytes of a file that is known to have bytes.
    #[inline(never)]
    pub fn read<'b>(&self, path: &Path, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
        let fd = file::read_below(self.root(), c_str(path)?)?;
        let len = file::read_full(fd, buffer)?;
        Ok(buffer.get(..len).unwrap_or(&[]))
    }

    /// Calls `each` with the names in a directory, those with a leading dot left out.
    #[inline(never)]
    pub fn each_name(&self, name: &[u8], each: &mut dyn FnMut(&CStr)) -> Result<()> {
        let found = self.find(&path(&[name]))?;
        let dir = dir::open(found.as_fd(), c".")?;
        dir::each_name(&dir, |name, _| {
            if !name.to_bytes().starts_with(b".") {
                each(name);
            }
        })
    }
}
