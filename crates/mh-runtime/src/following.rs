//! A process that ends with its parent, whatever the user's code is doing.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};

/// From now on this process ends when the one behind `parent` (a pidfd) has ended, and is the first of the two that the
/// kernel takes when memory runs out.
pub fn follow(parent: OwnedFd) -> io::Result<()> {
    prefer_to_be_killed();
    std::thread::Builder::new().name("manyhands-watch".into()).stack_size(128 * 1024).spawn(move || {
        loop {
            match poll(&mut [PollFd::from_borrowed_fd(parent.as_fd(), PollFlags::IN)], None) {
                Ok(_) => end_with_parent(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    })?;
    Ok(())
}

/// The kernel should take a worker before its parent when memory runs out.
pub(crate) fn prefer_to_be_killed() {
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").ok();
    let own: i32 = own.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let _ = std::fs::write("/proc/self/oom_score_adj", (own + 500).min(1000).to_string());
}

/// The parent has ended. Nobody wants an answer; nothing of ours may stay, the children of the user's code included. The
/// kernel closes the parent's sockets before it tells the watcher, so the main thread may be the first to know: it must
/// not just leave.
pub(crate) fn end_with_parent() {
    // The group is ours to kill only while it is the one that we were started with.
    if getpgrp() == getpid() {
        let _ = kill_current_process_group(Signal::KILL);
    }
    let _ = kill_process(getpid(), Signal::KILL);
}
