//! What is noted while something runs.

/// Nanoseconds of the monotonic clock.
pub type Nanos = u64;

/// One job of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKey {
    /// The pools of a process are numbered.
    pub pool: u64,
    pub job: u64,
}

/// What runs items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A worker process.
    Process,
    /// A thread of the caller's process.
    Thread,
    /// The caller itself, in a plain loop.
    Caller,
    /// One of somebody else's engine, perhaps on another machine.
    Elsewhere,
}

/// One that runs items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    pub kind: Kind,
    pub pool: u64,
    /// Its number in its pool; of a caller, its thread.
    pub id: u64,
    /// The process that it is, or is in.
    pub pid: u32,
}

impl Worker {
    /// What its row is called.
    pub fn label(&self) -> String {
        match self.kind {
            Kind::Process => format!("worker {}", self.id),
            Kind::Thread => format!("thread {}", self.id),
            Kind::Caller => "caller".into(),
            Kind::Elsewhere => format!("elsewhere {}", self.id),
        }
    }
}

/// One item as it was run, or several that followed on each other and were too short to be noted one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Run {
    pub first: u64,
    pub count: u64,
    /// The message that brought it had been read. Threads get no messages: then as `begun`.
    pub arrived: Nanos,
    /// Taken on; its arguments are rebuilt from here on.
    pub begun: Nanos,
    /// The function is called. Of several items, the first.
    pub called: Nanos,
    /// It has returned. Of several items, the last.
    pub returned: Nanos,
    /// Its answer lies ready to be sent.
    pub ended: Nanos,
    /// What the worker's thread computed from `begun` to `ended`.
    pub cpu: Nanos,
    /// The encoded arguments, and the encoded answer with what of it lies in shared memory.
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// It raised. (Of several items, none did.)
    pub failed: bool,
}

impl Run {
    /// One item that no message brought: between `begun` and `ended` is nothing but the function.
    #[must_use]
    pub fn one(index: u64, begun: Nanos, ended: Nanos, cpu: Nanos, failed: bool) -> Run {
        let (arrived, called, returned) = (begun, begun, ended);
        Run { first: index, count: 1, arrived, begun, called, returned, ended, cpu, failed, ..Run::default() }
    }

    /// Sets the times of one message's runs, which another machine's clock may have told: where they do not lie between its being sent and its
    /// answers' being received, they are moved so that as much time is before them as behind.
    pub fn fit(runs: &mut [Run], sent: Nanos, received: Nanos) {
        let first = runs.iter().map(|run| run.arrived).min();
        let (Some(first), Some(last)) = (first, runs.iter().map(|run| run.ended).max()) else { return };
        if first >= sent && last <= received {
            return;
        }
        let before = (i128::from(sent) - i128::from(first) + i128::from(received) - i128::from(last)) / 2;
        let moved = |at: &mut Nanos| *at = Nanos::try_from(i128::from(*at) + before).unwrap_or_default();
        for run in runs {
            for at in [&mut run.arrived, &mut run.begun, &mut run.called, &mut run.returned, &mut run.ended] {
                moved(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Run;

    #[test]
    fn another_machines_times_are_set_between_ours() {
        let told = [Run::one(0, 1_000_100, 1_000_130, 9, false), Run::one(1, 1_000_130, 1_000_180, 9, false)];
        let mut runs = told;
        Run::fit(&mut runs, 500, 600);
        assert_eq!((runs[0].arrived, runs[0].ended, runs[1].begun, runs[1].ended), (510, 540, 540, 590));
        assert_eq!((runs[0].cpu, runs[1].first), (9, 1));
        // Our own clock's are left as they are, and so is what is longer than all that it should lie in.
        let mut own = told;
        Run::fit(&mut own, 1_000_000, 1_000_180);
        assert_eq!(own, told);
        Run::fit(&mut own, 10, 20);
        assert_eq!((own[0].begun, own[1].ended), (0, 55));
        Run::fit(&mut [], 1, 2);
    }
}

/// What a caller's thread does for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Takes items from their source and pickles them; large buffers are copied.
    Encode,
    /// Rebuilds answers.
    Decode,
    /// Waits for answers.
    Wait,
}

/// One thread's part in a parallel loop of a compiled function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stint {
    pub thread: u64,
    /// The same for all threads of a loop.
    pub number: u64,
    pub from: Nanos,
    pub to: Nanos,
    /// What the thread computed meanwhile.
    pub cpu: Nanos,
    pub blocks: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A worker has started.
    Ready { worker: Worker, at: Nanos },
    /// Items were given by the caller.
    Fed { job: JobKey, first: u64, count: u64, at: Nanos },
    /// What the job is called, or (with `index`) one item of it.
    Named { job: JobKey, index: Option<u64>, text: String },
    /// Items went to a worker in one message of `bytes`, with these objects in shared memory: (index, bytes).
    Sent {
        job: JobKey,
        worker: Worker,
        first: u64,
        count: u64,
        bytes: u64,
        shared: Vec<(u64, u64)>,
        at: Nanos,
    },
    /// A worker's answers were received, at `at`, with the times that it noted.
    Ran { job: JobKey, worker: Worker, runs: Vec<Run>, at: Nanos },
    /// An item has no answer: its worker died or was killed, it was taken back, its time was up. `worker`: that ran it,
    /// and since when, where that is known.
    Lost { job: JobKey, index: u64, worker: Option<(Worker, Nanos)>, at: Nanos },
    /// Answers were taken by the caller.
    Taken { job: JobKey, first: u64, count: u64, at: Nanos },
    /// What the caller's thread `thread` was doing.
    Spent { job: JobKey, activity: Activity, thread: u64, from: Nanos, to: Nanos, items: u64 },
    /// One call of a compiled function.
    Kernel {
        name: String,
        thread: u64,
        from: Nanos,
        to: Nanos,
        /// Threads that ran blocks of parallel loops, the caller's included; 1 where nothing was shared out.
        threads: u32,
        /// Blocks of parallel loops that were run.
        blocks: u64,
        /// Which thread ran blocks of these loops when.
        stints: Vec<Stint>,
    },
}
