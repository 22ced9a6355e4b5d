//! Frames over a real socket pair, cut into pieces in every way.

use proptest::prelude::*;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};

use super::*;

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a socket pair")
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = Writer::new(Kind::Print, 0);
    frame.raw(body);
    frame.finish()
}

/// Files that can be told apart, and the numbers by which.
fn files(count: usize) -> Vec<(Descriptor, u64)> {
    let file = |_| {
        let fd = rustix::fs::memfd_create("told-apart", rustix::fs::MemfdFlags::CLOEXEC).expect("a file");
        let inode = inode(&fd);
        (Descriptor::Owned(Arc::new(fd)), inode)
    };
    (0..count).map(file).collect()
}

fn inode(fd: &impl AsFd) -> u64 {
    rustix::fs::fstat(fd).expect("a file has a status").st_ino
}

fn bodies(link: &mut Link) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| link.next_frame())
        .filter(|frame| frame.kind == Kind::Print)
        .map(|frame| frame.body)
        .collect()
}

/// Bodies of all sizes: empty, small, about as large as the buffer, larger.
fn any_bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let length = prop_oneof![
        4 => 0usize..40,
        2 => 0usize..5000,
        1 => READ_SIZE - HEADER - 2..READ_SIZE + 3,
        1 => READ_SIZE..3 * READ_SIZE,
    ];
    let body = (any::<u8>(), length).prop_map(|(seed, length)| {
        (0..length).map(|at| seed.wrapping_add((at / 7) as u8)).collect::<Vec<u8>>()
    });
    prop::collection::vec(body, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the stream is cut when it is written and read, the same frames come out.
    #[test]
    fn frames_survive_any_splitting(
        sent in any_bodies(),
        pieces in prop::collection::vec(prop_oneof![1usize..30, 1usize..3000, 1usize..300_000], 1..20),
    ) {
        let (ours, theirs) = pair();
        let mut link = Link::new(theirs);
        let stream: Vec<u8> = sent.iter().flat_map(|body| frame(body)).collect();
        let (mut written, mut arrived) = (0, Vec::new());
        // One large piece in each round, so that a long stream does not take for ever.
        for most in pieces.iter().chain([&50_000]).cycle() {
            let end = (written + most).min(stream.len());
            match rustix::net::send(&ours, &stream[written..end], SendFlags::DONTWAIT) {
                Ok(count) => written += count,
                Err(error) => prop_assert_eq!(error, Errno::AGAIN),
            }
            // Now and then a good deal waits before it is read.
            if most % 3 != 0 || written < end || written == stream.len() {
                while link.receive(false).expect("nothing is wrong with the frames") == Received::Some {}
                arrived.extend(bodies(&mut link));
            }
            if written == stream.len() && arrived.len() == sent.len() {
                break;
            }
        }
        prop_assert!(arrived == sent);
        drop(ours);
        prop_assert_eq!(link.receive(false).expect("an end is no error"), Received::Closed);
        prop_assert!(link.next_frame().is_none());
    }

    /// What a socket with little room does not take at once goes out later, in order, with its descriptors.
    #[test]
    fn queued_frames_arrive_in_order_with_their_descriptors(
        sent in any_bodies(),
        counts in prop::collection::vec(prop_oneof![3 => Just(0usize), 3 => 1usize..4, 1 => 195usize..420], 12),
    ) {
        let (ours, theirs) = pair();
        sockopt::set_socket_send_buffer_size(&ours, 4096).expect("a small buffer");
        let (mut ours, mut theirs) = (Link::new(ours), Link::new(theirs));
        let (mut along, mut arrived, mut inodes) = (Vec::new(), Vec::new(), Vec::new());
        let mut read = |theirs: &mut Link| {
            while theirs.receive(false).expect("nothing is wrong with the frames") == Received::Some {}
            inodes.extend(std::iter::from_fn(|| theirs.next_descriptor()).map(|fd| inode(&fd)));
            arrived.extend(bodies(theirs));
        };
        for (body, count) in sent.iter().zip(&counts) {
            let (descriptors, numbers): (Vec<_>, Vec<_>) = files(*count).into_iter().unzip();
            along.extend(numbers);
            ours.send(frame(body), descriptors).expect("the other end is there");
            if count % 2 == 1 {
                read(&mut theirs);
            }
        }
        while ours.has_outgoing() {
            ours.flush().expect("the other end is there");
            read(&mut theirs);
        }
        read(&mut theirs);
        prop_assert!(arrived == sent);
        prop_assert_eq!(inodes, along);
    }
}

#[test]
fn what_follows_descriptors_is_not_taken_for_the_end() {
    // The kernel ends a read behind bytes that carry descriptors: there may be more, and it must be asked for.
    let (ours, theirs) = pair();
    let (mut ours, mut theirs) = (Link::new(ours), Link::new(theirs));
    let (descriptors, _): (Vec<_>, Vec<_>) = files(1).into_iter().unzip();
    ours.send(frame(b"first"), descriptors).expect("the other end is there");
    ours.send(frame(b"second"), Vec::new()).expect("the other end is there");
    while theirs.receive(false).expect("frames") == Received::Some {}
    assert_eq!(bodies(&mut theirs), [b"first".to_vec(), b"second".to_vec()]);
}

#[test]
fn a_stream_that_ends_within_a_frame_gives_none() {
    for length in [10, 2 * READ_SIZE] {
        let (ours, theirs) = pair();
        let mut link = Link::new(theirs);
        let whole = frame(&vec![1; length]);
        assert_eq!(rustix::net::send(&ours, &whole[..HEADER + 5], SendFlags::empty()), Ok(HEADER + 5));
        assert_eq!(link.receive(false).expect("part of a frame"), Received::Drained);
        drop(ours);
        assert_eq!(link.receive(false).expect("an end is no error"), Received::Closed);
        assert!(link.next_frame().is_none());
    }
}

#[test]
fn what_is_no_frame_is_an_error() {
    let mut endless = frame(b"");
    endless[8..16].fill(0xff);
    let mut unknown = frame(b"");
    unknown[0] = 99;
    for nonsense in [endless, unknown, vec![0; HEADER]] {
        let (ours, theirs) = pair();
        assert_eq!(rustix::net::send(&ours, &nonsense, SendFlags::empty()), Ok(nonsense.len()));
        let error = Link::new(theirs).receive(false).expect_err("this is no frame");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn an_end_that_is_gone_is_an_error_to_send_to() {
    let (ours, theirs) = pair();
    drop(theirs);
    let error = Link::new(ours).send(frame(b"to nobody"), Vec::new()).expect_err("nobody is there");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn nobody_waits_for_room_when_the_reader_has_ended() {
    // The other end is open but not read, as a forked child of the parent's leaves it.
    let (ours, _theirs) = pair();
    let (ended, end) = rustix::pipe::pipe().expect("a pipe, to stand for the reader's pidfd");
    let sending = std::thread::spawn(move || send_all(ours.as_fd(), ended.as_fd(), &vec![1; 64 << 20], &[]));
    rustix::io::write(&end, &[1]).expect("the pipe is read");
    let error = sending.join().expect("no panic").expect_err("nobody reads it");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_long_frame_is_sent_as_room_comes() {
    let (ours, theirs) = pair();
    let (alive, _end) = rustix::pipe::pipe().expect("a pipe, to stand for the reader's pidfd");
    let body = vec![7; 8 << 20];
    let whole = frame(&body);
    let sending = std::thread::spawn(move || send_all(ours.as_fd(), alive.as_fd(), &whole, &[]));
    let mut link = Link::new(theirs);
    while link.receive(true).expect("frames") != Received::Closed {}
    sending.join().expect("no panic").expect("all of it was read");
    assert!(bodies(&mut link) == [body]);
}
