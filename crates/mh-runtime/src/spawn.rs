//! Starting, watching and ending one worker process.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use mh_engine::Death;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, pidfd_send_signal, waitid,
};

/// How a worker process is started.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The executable and its arguments.
    pub command: Vec<OsString>,
    /// Environment variables set for workers over the parent's own.
    pub environment: Vec<(OsString, OsString)>,
}

/// A worker process of ours. Dropping it does not end it: see `kill` and `reap`.
pub struct Process {
    child: Child,
    pid: Pid,
    pidfd: OwnedFd,
}

impl Process {
    /// Starts the program in a process group of its own, with one end of a socket pair as its standard input.
    pub fn start(program: &Program) -> io::Result<(Process, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        for end in [&ours, &theirs] {
            // A few messages should fit; less than asked for is no harm.
            let _ = rustix::net::sockopt::set_socket_send_buffer_size(end, 1 << 20);
        }
        let Some((executable, arguments)) = program.command.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program to start workers with"));
        };
        let child = Command::new(executable)
            .args(arguments)
            .envs(program.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(theirs))
            .process_group(0)
            .spawn()?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok((Process { child, pid, pidfd }, ours))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Becomes readable when the process has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Kills the worker and its own children, which are one process group. Only before `reap`: until then the number
    /// cannot belong to anybody else.
    pub fn kill(&self) {
        // The user's code may have moved the worker to another group: its own descriptor finds it there.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// What became of the process, without waiting; `None` while it lives. Its group is killed with it.
    pub fn reap(&mut self) -> Option<Death> {
        self.wait(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    /// The same, waiting for the end.
    pub fn reap_waiting(&mut self) -> Death {
        self.wait(WaitIdOptions::EXITED).unwrap_or(Death::Unknown)
    }

    fn wait(&mut self, options: WaitIdOptions) -> Option<Death> {
        // First look without reaping: the number is still ours, so that killing what is left of its group hits nobody
        // else's.
        match waitid(WaitId::PidFd(self.pidfd.as_fd()), options | WaitIdOptions::NOWAIT) {
            Ok(None) => return None,
            Ok(Some(_)) => self.kill(),
            Err(rustix::io::Errno::INTR) => return self.wait(options),
            // Somebody else reaped it (a handler of SIGCHLD, os.waitpid(-1)).
            Err(_) => return Some(Death::Unknown),
        }
        Some(match waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Death::Exit { code },
                (None, Some(number)) => Death::Signal { number, out_of_memory: false },
                (None, None) => Death::Unknown,
            },
            _ => Death::Unknown,
        })
    }
}
