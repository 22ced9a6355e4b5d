//! The program that workers run in these tests: this very test binary, told by its environment to be a worker.
//!
//! Items are a word and its argument. What each does stands in `perform`; those that refer to shared memory name the
//! object as `segment:offset:len` (see `name`).

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

use mh_runtime::{Access, Batch, Incoming, Object, Program, SegmentId, SystemMemory, Use, WorkerLink};
use rustix::net::Shutdown;
use rustix::process::{Signal, getpid, kill_process};

use crate::gate::{meet, take_token};
use crate::memory_view::{digest, read, scribble};

const MARK: &str = "MH_TEST_WORKER";

/// Kinds of objects that these workers know.
pub const TOLD: u8 = 1;
/// Refers to shared memory, which the worker holds and each item `held` looks at.
pub const HELD: u8 = 2;
/// The initializer: `well`, `raise <failure>` or `exit <code>`.
pub const INITIALIZER: u8 = 3;

/// Starts such a worker.
pub fn program() -> Program {
    let exe = std::env::current_exe().unwrap();
    // The test harness reports to standard output, which is of no interest here.
    let shell = ["/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/null"].map(Into::into);
    let role = ["worker::worker_main", "--exact", "--nocapture", "--test-threads=1"].map(Into::into);
    let command = shell.into_iter().chain([exe.into_os_string()]).chain(role).collect();
    Program { command, environment: vec![(MARK.into(), "1".into())] }
}

/// How items name an object.
pub fn name(object: Object) -> String {
    format!("{}:{}:{}", object.segment.0, object.offset, object.len)
}

/// The object of that name.
pub fn parse(name: &str) -> Object {
    let numbers: Vec<u64> = name.split(':').map(|number| number.parse().unwrap()).collect();
    Object { segment: SegmentId(numbers[0]), offset: numbers[1], len: numbers[2] }
}

/// Not a test: the worker's whole life, in a process that a pool has started.
#[test]
fn worker_main() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    let code = match serve() {
        Ok(()) => 0,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
        Err(error) => {
            eprintln!("a worker of the tests: {error}");
            70
        }
    };
    std::process::exit(code);
}

struct Worker {
    link: WorkerLink,
    /// The connection once more, for items that misuse it.
    socket: OwnedFd,
    told: Vec<(u64, Vec<u8>)>,
    held: Vec<(u64, Arc<Use>)>,
    /// What items hold on to.
    kept: Vec<Arc<Use>>,
}

#[derive(Default)]
struct Answered {
    bytes: Vec<u8>,
    failed: bool,
    objects: Vec<Object>,
}

fn serve() -> io::Result<()> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let link = WorkerLink::connect(Box::new(SystemMemory::new()))?;
    let mut starting = link.has_initializer;
    if !starting {
        link.ready()?;
    }
    let mut worker = Worker { link, socket, told: Vec::new(), held: Vec::new(), kept: Vec::new() };
    loop {
        match worker.link.next()? {
            Incoming::Object { kind: INITIALIZER, bytes, .. } => {
                if !worker.initialize(&bytes)? {
                    return Ok(());
                }
                starting = false;
            }
            Incoming::Object { id, kind: HELD, bytes, .. } => {
                let object = parse(&String::from_utf8(bytes).unwrap());
                match worker.link.access(object, true)? {
                    Access::Shared(used) => worker.held.push((id, used)),
                    Access::Copied(_) => return Err(io::Error::other("what is held first is no copy")),
                }
            }
            Incoming::Object { id, bytes, .. } => worker.told.push((id, bytes)),
            Incoming::Batch(batch) => worker.run(&batch)?,
            Incoming::Forget(ids) => {
                worker.told.retain(|(id, _)| !ids.contains(id));
                worker.held.retain(|(id, _)| !ids.contains(id));
                worker.link.send_released()?;
            }
            Incoming::Shutdown if starting => {}
            Incoming::Shutdown | Incoming::Closed => return Ok(()),
            Incoming::Interrupted => {}
        }
    }
}

impl Worker {
    fn initialize(&self, bytes: &[u8]) -> io::Result<bool> {
        let (word, argument) = split(bytes);
        match word {
            "well" => self.link.ready()?,
            "raise" => {
                self.link.not_ready(argument.as_bytes())?;
                return Ok(false);
            }
            "exit" => std::process::exit(argument.parse().unwrap()),
            other => panic!("an initializer {other:?}"),
        }
        Ok(true)
    }

    fn run(&mut self, batch: &Batch) -> io::Result<()> {
        self.link.begin(batch);
        let mut done = 0;
        while let Some(position) = self.link.claim(batch) {
            self.link.restore_held()?;
            let answered = self.perform(batch, position)?;
            done += 1;
            self.link.answer(batch, position, done, answered.failed, &answered.objects, &answered.bytes)?;
        }
        self.link.flush()?;
        self.link.send_released()
    }

    fn perform(&mut self, batch: &Batch, position: u32) -> io::Result<Answered> {
        let item = batch.items.part(position as usize);
        let descriptors = batch.descriptors.get(&position).map_or(&[][..], Vec::as_slice);
        if let Some(bytes) = item.strip_prefix(b"echo ") {
            return Ok(plain(bytes));
        }
        let (word, argument) = split(item);
        let answered = match word {
            "index" => plain((batch.head.first + u64::from(position)).to_string()),
            "pid" => plain(std::process::id().to_string()),
            "fail" => Answered { failed: true, ..plain(argument) },
            // What the job's function says, and what this process has been told in all.
            "told" => {
                let function = self.told.iter().find(|(id, _)| *id == batch.head.function);
                let function = String::from_utf8_lossy(function.map_or(b"nothing", |(_, bytes)| bytes));
                plain(format!("{function} of {}", self.told.len()))
            }
            "long" => plain(vec![b'x'; argument.parse().unwrap()]),
            "print" => {
                self.link.printer().print(1, argument.as_bytes())?;
                plain("")
            }
            // Answers the inodes of the descriptors that came along, in their order.
            "inodes" => {
                let inode = |fd: &OwnedFd| Ok(rustix::fs::fstat(fd)?.st_ino.to_string());
                plain(descriptors.iter().map(inode).collect::<io::Result<Vec<_>>>()?.join(" "))
            }
            "meet" => {
                meet(descriptors)?;
                plain("met")
            }
            "note" => {
                rustix::io::write(&descriptors[0], &[1])?;
                plain("noted")
            }
            "spawn" => {
                let child =
                    Command::new("/bin/sleep").arg("1000").stdin(std::process::Stdio::null()).spawn()?;
                plain(child.id().to_string())
            }

            // Ends.
            "exit" => std::process::exit(argument.parse().unwrap()),
            "abort" => std::process::abort(),
            "kill" => die(),
            "die_for_token" if take_token(&descriptors[0]) => die(),
            "hang_for_token" if take_token(&descriptors[0]) => hang(),
            "die_for_token" | "hang_for_token" => plain("at last"),
            // Becomes another program, which keeps nothing of the connection open.
            "become" => return Err(Command::new(argument).arg("1000").exec()),
            "hang_up" => {
                rustix::net::shutdown(&self.socket, Shutdown::Both)?;
                hang()
            }
            "nonsense" => {
                std::fs::File::from(self.socket.try_clone()?).write_all(&[0xff; 64])?;
                hang()
            }
            // Dies half way through a frame (something printed, of 1 MB).
            "half" => {
                let header = [13u64.to_le_bytes(), (1u64 << 20).to_le_bytes()].concat();
                let mut socket = std::fs::File::from(self.socket.try_clone()?);
                socket.write_all(&header)?;
                socket.write_all(&[1; 1000])?;
                die()
            }

            // Shared memory. Every use but those kept ends with its item.
            "make" => {
                let (byte, len) = argument.split_once(' ').unwrap();
                let object = self
                    .link
                    .store(&vec![byte.as_bytes()[0]; len.parse().unwrap()])
                    .map_err(io::Error::other)?;
                Answered { objects: vec![object], ..plain(name(object)) }
            }
            "read" => self.look(parse(argument), |_, _| {})?,
            "scribble" => self.look(parse(argument), |_, used| scribble(used.mapping(), used.object()))?,
            "keep" => self.look(parse(argument), |kept, used| kept.push(used.clone()))?,
            "let_go" => {
                self.kept.clear();
                plain("gone")
            }
            "held" => {
                let used = &self.held[0].1;
                let answer = digest(&read(used.mapping(), used.object()));
                scribble(used.mapping(), used.object());
                plain(answer.to_string())
            }
            other => panic!("an item {other:?}"),
        };
        Ok(answered)
    }

    /// Answers how the object is seen, and what is in it; `then` does something to it where it is shared.
    fn look(
        &mut self,
        object: Object,
        then: impl FnOnce(&mut Vec<Arc<Use>>, &Arc<Use>),
    ) -> io::Result<Answered> {
        Ok(match self.link.access(object, false)? {
            Access::Shared(used) => {
                let answer = format!("shared {}", digest(&read(used.mapping(), object)));
                then(&mut self.kept, &used);
                plain(answer)
            }
            Access::Copied(bytes) => plain(format!("copied {}", digest(&bytes))),
        })
    }
}

fn split(bytes: &[u8]) -> (&str, &str) {
    let text = std::str::from_utf8(bytes).unwrap();
    text.split_once(' ').unwrap_or((text, ""))
}

fn plain(bytes: impl Into<Vec<u8>>) -> Answered {
    Answered { bytes: bytes.into(), ..Answered::default() }
}

fn die() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    hang()
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}
