//! Semaphores that processes share: many to a file, the file without a name, so that none is left whoever is killed.
//!
//! A semaphore is a count in shared memory; who finds it at 0 sleeps on it (futex). A process that is killed while it holds
//! one keeps it, as with any semaphore; one that is killed in the very moment in which it is woken loses a wake-up that was
//! meant for somebody: therefore nobody sleeps for longer than [`LOOK_AGAIN`] without looking.

#![allow(unsafe_code)] // Makes references to memory that several processes map.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::thread::futex;

use crate::pages::PAGE_SIZE;

/// How long a lost wake-up may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Semaphores in one file. They are not used again, so that none is mistaken for another that somebody still has.
const IN_A_FILE: usize = 1024;
const SIZE: usize = IN_A_FILE * size_of::<Cell>();

const _: () = assert!(SIZE % PAGE_SIZE as usize == 0);

/// One semaphore. Each has a cache line of its own.
#[repr(C, align(64))]
struct Cell {
    value: AtomicU32,
    /// How many sleep, or more where one was killed in its sleep: whether there is anybody to wake.
    sleepers: AtomicU32,
}

/// A file of semaphores, mapped.
struct File {
    cells: NonNull<Cell>,
    fd: OwnedFd,
}

// SAFETY: the file is mapped for the process, not for a thread, and all access to it is atomic.
unsafe impl Send for File {}
// SAFETY: as above.
unsafe impl Sync for File {}

impl File {
    fn create() -> io::Result<File> {
        let fd = rustix::fs::memfd_create(
            "manyhands-semaphores",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        rustix::fs::ftruncate(&fd, SIZE as u64)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        File::map(fd)
    }

    fn map(fd: OwnedFd) -> io::Result<File> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choosing replaces nothing.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), SIZE, protection, MapFlags::SHARED, &fd, 0) }?;
        let cells =
            NonNull::new(start.cast()).ok_or_else(|| io::Error::other("the kernel mapped a page at 0"))?;
        Ok(File { cells, fd })
    }

    fn cell(&self, place: usize) -> &Cell {
        assert!(place < IN_A_FILE);
        // SAFETY: the mapping holds `IN_A_FILE` cells, is aligned to a page, and lives as long as `self`; its size is
        // sealed. Every bit pattern is a valid `Cell`, and it consists of atomics only.
        unsafe { self.cells.add(place).as_ref() }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length; no reference to it outlives `self`.
        let _ = unsafe { rustix::mm::munmap(self.cells.as_ptr().cast(), SIZE) };
    }
}

/// The files that this process has mapped, by inode, and the one in which it makes its next semaphore.
#[derive(Default)]
struct Files {
    known: Option<HashMap<u64, Weak<File>>>,
    /// (the process that it belongs to, the file, semaphores made in it): a forked child has a file of its own.
    current: Option<(u32, Arc<File>, usize)>,
}

static FILES: Mutex<Files> = Mutex::new(Files { known: None, current: None });

/// What became of an attempt to take a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Yes,
    /// Not within the time.
    No,
    /// A signal came: its handlers should be run before the next attempt.
    Interrupted,
}

/// A count that several processes wait for.
pub struct Semaphore {
    file: Arc<File>,
    place: usize,
}

impl Semaphore {
    pub fn create(value: u32) -> io::Result<Semaphore> {
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        let me = std::process::id();
        if !matches!(&files.current, Some((owner, _, used)) if *owner == me && *used < IN_A_FILE) {
            let file = Arc::new(File::create()?);
            files.remember(&file)?;
            files.current = Some((me, file, 0));
        }
        let Some((_, file, used)) = &mut files.current else { unreachable!("set above") };
        let semaphore = Semaphore { file: file.clone(), place: *used };
        *used += 1;
        semaphore.cell().value.store(value, SeqCst);
        Ok(semaphore)
    }

    /// The semaphore that another process made, by what its `fd` and `place` said.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no such semaphore.
    pub fn open(fd: OwnedFd, place: usize) -> io::Result<Semaphore> {
        let status = rustix::fs::fstat(&fd)?;
        if status.st_size != SIZE as i64 || place >= IN_A_FILE {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this descriptor has no such semaphore"));
        }
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        let known = files.known.get_or_insert_default().get(&status.st_ino).and_then(Weak::upgrade);
        let file = match known {
            Some(file) => file,
            None => {
                let file = Arc::new(File::map(fd)?);
                files.remember(&file)?;
                file
            }
        };
        Ok(Semaphore { file, place })
    }

    /// By what another process opens it, together with its `place`.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.fd.as_fd()
    }

    pub fn place(&self) -> usize {
        self.place
    }

    pub fn value(&self) -> u32 {
        self.cell().value.load(SeqCst)
    }

    /// Takes one, waiting for up to `timeout`, or for ever.
    pub fn take(&self, timeout: Option<Duration>) -> Taken {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let cell = self.cell();
        loop {
            if cell.value.fetch_update(SeqCst, SeqCst, |value| value.checked_sub(1)).is_ok() {
                return Taken::Yes;
            }
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => LOOK_AGAIN,
            };
            if left.is_zero() {
                return Taken::No;
            }
            let sleep = left.min(LOOK_AGAIN);
            let sleep = futex::Timespec { tv_sec: 0, tv_nsec: i64::from(sleep.subsec_nanos()) };
            cell.sleepers.fetch_add(1, SeqCst);
            // The kernel looks at the value once more: a release between our look and our sleep is not missed.
            let woken = futex::wait(&cell.value, futex::Flags::empty(), 0, Some(&sleep));
            cell.sleepers.fetch_sub(1, SeqCst);
            if woken == Err(Errno::INTR) {
                return Taken::Interrupted;
            }
        }
    }

    /// Gives one back and wakes who waits for it; false where there are `most` already.
    pub fn release(&self, most: u32) -> bool {
        let cell = self.cell();
        let up = |value: u32| if value < most { value.checked_add(1) } else { None };
        if cell.value.fetch_update(SeqCst, SeqCst, up).is_err() {
            return false;
        }
        if cell.sleepers.load(SeqCst) > 0 {
            let _ = futex::wake(&cell.value, futex::Flags::empty(), 1);
        }
        true
    }

    fn cell(&self) -> &Cell {
        self.file.cell(self.place)
    }
}

impl Files {
    fn remember(&mut self, file: &Arc<File>) -> io::Result<()> {
        let inode = rustix::fs::fstat(&file.fd)?.st_ino;
        let known = self.known.get_or_insert_default();
        known.retain(|_, file| file.strong_count() > 0);
        known.insert(inode, Arc::downgrade(file));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
