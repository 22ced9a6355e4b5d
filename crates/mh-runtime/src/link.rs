//! One end of the socket between the parent and a worker: whole frames in, whole frames out, file descriptors along.
//!
//! The parent's end never blocks: what the socket does not take now is queued and goes out when it can. The worker's
//! end may block: the parent always reads.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use mh_store::Segment;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::wire::{HEADER, Header, Kind, Writer};

/// Most file descriptors that travel with one frame (the kernel's limit is 253).
pub const MOST_DESCRIPTORS: usize = 200;
const READ_SIZE: usize = 256 * 1024;
/// A worker whose memory the user's code has overwritten must not make its parent allocate without end.
const LONGEST_FRAME: u64 = 1 << 36;

/// A file descriptor on its way, kept open until it has gone out.
#[derive(Clone, Debug)]
pub enum Descriptor {
    Segment(Arc<Segment>),
    Owned(Arc<OwnedFd>),
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Descriptor::Segment(segment) => segment.fd(),
            Descriptor::Owned(fd) => fd.as_fd(),
        }
    }
}

struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    descriptors: Vec<Descriptor>,
}

/// A frame that has arrived.
pub struct Frame {
    pub kind: Kind,
    pub body: Vec<u8>,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// There may be more now.
    Some,
    /// Nothing more for the moment.
    Drained,
    /// The other end is gone.
    Closed,
}

/// One end of a connection.
pub struct Link {
    socket: OwnedFd,
    outgoing: VecDeque<Outgoing>,
    /// Where small frames arrive; `filled` bytes of it are not yet split into frames.
    buffer: Vec<u8>,
    filled: usize,
    /// A large frame of which the body is still arriving, and how much of it has.
    partial: Option<(Header, Vec<u8>, usize)>,
    arrived: VecDeque<Frame>,
    descriptors: VecDeque<OwnedFd>,
}

impl Link {
    pub fn new(socket: OwnedFd) -> Link {
        Link {
            socket,
            outgoing: VecDeque::new(),
            buffer: vec![0; READ_SIZE],
            filled: 0,
            partial: None,
            arrived: VecDeque::new(),
            descriptors: VecDeque::new(),
        }
    }

    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Frames that wait for the socket to take more.
    pub fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Queues a frame; sends at once what the socket takes. An error means that the other end is gone.
    pub fn send(&mut self, frame: Vec<u8>, mut descriptors: Vec<Descriptor>) -> io::Result<()> {
        while descriptors.len() > MOST_DESCRIPTORS {
            let rest = descriptors.split_off(MOST_DESCRIPTORS);
            let carrier = Writer::new(Kind::Descriptors, MOST_DESCRIPTORS).finish();
            self.outgoing.push_back(Outgoing { bytes: carrier, sent: 0, descriptors });
            descriptors = rest;
        }
        self.outgoing.push_back(Outgoing { bytes: frame, sent: 0, descriptors });
        self.flush()
    }

    /// Sends what the socket takes.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(front) = self.outgoing.front_mut() {
            match send_some(
                self.socket.as_fd(),
                &front.bytes[front.sent..],
                &front.descriptors,
                SendFlags::DONTWAIT,
            ) {
                Ok(count) => {
                    front.sent += count;
                    front.descriptors.clear();
                    if front.sent == front.bytes.len() {
                        self.outgoing.pop_front();
                    }
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads once; complete frames are then to be had from `next_frame`. With `wait`, blocks until something comes;
    /// `Err(Interrupted)` when a signal came first.
    pub fn receive(&mut self, wait: bool) -> io::Result<Received> {
        let flags = RecvFlags::CMSG_CLOEXEC | if wait { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        let descriptors = self.descriptors.len();
        let outcome = if let Some((header, mut body, have)) = self.partial.take() {
            // The body of a large frame goes straight to where it will stay.
            let room = body.len() - have;
            let outcome = receive_some(self.socket.as_fd(), &mut body[have..], &mut self.descriptors, flags);
            let have = have + outcome.as_ref().map_or(0, |count| *count);
            if have == body.len() {
                self.arrived.push_back(Frame { kind: header.kind, body });
            } else {
                self.partial = Some((header, body, have));
            }
            outcome.map(|count| (count, room))
        } else {
            let room = READ_SIZE - self.filled;
            let into = &mut self.buffer[self.filled..];
            let outcome = receive_some(self.socket.as_fd(), into, &mut self.descriptors, flags);
            self.filled += outcome.as_ref().map_or(0, |count| *count);
            self.split_buffer()?;
            outcome.map(|count| (count, room))
        };
        match outcome {
            Ok((0, _)) => Ok(Received::Closed),
            // A read ends behind bytes that brought descriptors along, however much more there is.
            Ok((count, room)) if count < room && self.descriptors.len() == descriptors => {
                Ok(Received::Drained)
            }
            Ok(_) => Ok(Received::Some),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::Drained),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Received::Closed),
            Err(error) => Err(error),
        }
    }

    fn split_buffer(&mut self) -> io::Result<()> {
        let mut start = 0;
        while self.filled - start >= HEADER {
            let header = Header::decode(&self.buffer[start..start + HEADER])
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a frame that is none"))?;
            let body = start + HEADER;
            if header.length > LONGEST_FRAME {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame that is too long to be one"));
            }
            let length = header.length as usize;
            if self.filled - body >= length {
                let body_bytes = self.buffer[body..body + length].to_vec();
                self.arrived.push_back(Frame { kind: header.kind, body: body_bytes });
                start = body + length;
            } else if length > READ_SIZE - HEADER {
                let mut large = vec![0; length];
                let have = self.filled - body;
                large[..have].copy_from_slice(&self.buffer[body..self.filled]);
                self.partial = Some((header, large, have));
                start = self.filled;
            } else {
                break;
            }
        }
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(())
    }

    /// The next complete frame.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.arrived.pop_front()
    }

    /// The next file descriptor that arrived; they come in the order in which they were sent.
    pub fn next_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }
}

/// Sends a whole frame, waiting where the socket is full (the worker's side). `parent` becomes readable when whoever
/// reads has ended: the socket alone does not tell where a forked child of its holds it open.
pub fn send_all(
    socket: BorrowedFd<'_>,
    parent: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[Descriptor],
) -> io::Result<()> {
    let mut sent = 0;
    while sent < bytes.len() {
        let along = if sent == 0 { descriptors } else { &[] };
        match send_some(socket, &bytes[sent..], along, SendFlags::DONTWAIT) {
            Ok(count) => sent += count,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut fds = [
                    PollFd::from_borrowed_fd(socket, PollFlags::OUT),
                    PollFd::from_borrowed_fd(parent, PollFlags::IN),
                ];
                match poll(&mut fds, None) {
                    Ok(_) if !fds[1].revents().is_empty() => return Err(io::ErrorKind::BrokenPipe.into()),
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn send_some(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[Descriptor],
    flags: SendFlags,
) -> Result<usize, Errno> {
    let flags = flags | SendFlags::NOSIGNAL;
    if descriptors.is_empty() {
        return rustix::net::send(socket, bytes, flags);
    }
    let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&borrowed)) {
        return Err(Errno::TOOBIG);
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags)
}

fn receive_some(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    descriptors: &mut VecDeque<OwnedFd>,
    flags: RecvFlags,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS + 50))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(socket, &mut [IoSliceMut::new(into)], &mut ancillary, flags)?;
    for item in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = item {
            descriptors.extend(received);
        }
    }
    if message.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other(
            "no file descriptor is left to receive shared memory (see `ulimit -n`)",
        ));
    }
    Ok(message.bytes)
}

#[cfg(test)]
mod tests;
