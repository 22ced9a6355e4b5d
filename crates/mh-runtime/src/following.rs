//! A process that ends with its parent, whatever the user's code is doing.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, Signal, WaitOptions, getpgrp, getpid, kill_current_process_group, kill_process, waitpid,
};

/// From now on this process ends when the one behind `parent` (a pidfd) has ended, and is the first of the two that the
/// kernel takes when memory runs out.
pub fn follow(parent: OwnedFd) -> io::Result<()> {
    prefer_to_be_killed();
    std::thread::Builder::new().name("manyhands-watch".into()).stack_size(128 * 1024).spawn(move || {
        loop {
            match poll(&mut [PollFd::from_borrowed_fd(parent.as_fd(), PollFlags::IN)], None) {
                Ok(_) => {
                    // It is in the group that the parent was in, which is not ours to kill.
                    kill_descendants();
                    end_with_parent();
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    })?;
    Ok(())
}

/// Kills the processes that this one has started, and theirs. Once more where something came in between: what is killed
/// starts nothing any more, so that it ends.
fn kill_descendants() {
    for _ in 0..100 {
        let mut found = Vec::new();
        let mut looked = 0;
        children_of(getpid(), &mut found);
        while looked < found.len() {
            let child = found[looked];
            children_of(child, &mut found);
            looked += 1;
        }
        if found.is_empty() {
            return;
        }
        for child in &found {
            let _ = kill_process(*child, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(1));
        // Only our own can be reaped; the others go to who takes orphans. None is waited for: our own end must come.
        while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
    }
}

/// Adds the living children of a process, whichever of its threads has started them.
pub(crate) fn children_of(process: Pid, found: &mut Vec<Pid>) {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero())) else { return };
    for thread in threads.flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)));
    }
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
