//! A gate in the middle of an item: the item says that it has begun and goes on when the gate opens.
//!
//! Both ways are pipes whose ends travel with the item, so a test knows what a worker is doing without sleeping, and
//! a test that fails opens its gates by ending.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use mh_runtime::Descriptor;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::support::PATIENCE;

/// Items `meet` wait here; each brings `descriptors()`.
pub struct Gate {
    begun: File,
    /// Kept open for items that are yet to be sent.
    say_begun: Arc<OwnedFd>,
    wait_open: Arc<OwnedFd>,
    open: Option<OwnedFd>,
}

impl Gate {
    pub fn new() -> Gate {
        let (begun, say_begun) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (wait_open, open) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        Gate {
            begun: begun.into(),
            say_begun: Arc::new(say_begun),
            wait_open: Arc::new(wait_open),
            open: Some(open),
        }
    }

    pub fn descriptors(&self) -> Vec<Descriptor> {
        vec![Descriptor::Owned(self.say_begun.clone()), Descriptor::Owned(self.wait_open.clone())]
    }

    /// Waits until one more item has begun; gives its worker's process.
    pub fn wait_begun(&mut self) -> u32 {
        let patience = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
        let mut fds = [PollFd::new(&self.begun, PollFlags::IN)];
        assert_ne!(poll(&mut fds, Some(&patience)).unwrap(), 0, "no item has begun");
        let mut pid = [0; 4];
        self.begun.read_exact(&mut pid).unwrap();
        u32::from_ne_bytes(pid)
    }

    /// Lets every item go on, those included that are yet to begin.
    pub fn open(&mut self) {
        self.open = None;
    }
}

/// The worker's side: says that the item has begun, then waits for the gate.
pub fn meet(descriptors: &[OwnedFd]) -> std::io::Result<()> {
    let mut say_begun = File::from(descriptors[0].try_clone()?);
    say_begun.write_all(&std::process::id().to_ne_bytes())?;
    let mut open = File::from(descriptors[1].try_clone()?);
    open.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// So many tokens in a pipe. An item may take them one at a time: it is how an item knows, across the deaths of its
/// workers, how often it has been tried; and how a test knows how often it was.
pub struct Tokens {
    take: Arc<OwnedFd>,
    put: Arc<OwnedFd>,
}

impl Tokens {
    pub fn new(count: usize) -> Tokens {
        let (take, put) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        rustix::io::write(&put, &vec![1; count]).unwrap();
        Tokens { take: Arc::new(take), put: Arc::new(put) }
    }

    /// For an item that takes tokens.
    pub fn taking(&self) -> Vec<Descriptor> {
        vec![Descriptor::Owned(self.take.clone())]
    }

    /// For an item that puts one more each time it runs.
    pub fn putting(&self) -> Vec<Descriptor> {
        vec![Descriptor::Owned(self.put.clone())]
    }

    /// How many there are; none is left.
    pub fn count(&self) -> usize {
        let mut tokens = [0; 4096];
        rustix::io::read(&self.take, &mut tokens).unwrap_or(0)
    }
}

/// The worker's side: takes a token if one is left.
pub fn take_token(descriptor: &OwnedFd) -> bool {
    matches!(rustix::io::read(descriptor, &mut [0; 1]), Ok(1))
}
