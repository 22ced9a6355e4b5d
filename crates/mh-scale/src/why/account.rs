//! Where the wall time went, on average over the workers. The shares add up to 1: what nothing measured explains is a part, too.

/// What a worker's second was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The function, as fast as in a plain loop.
    Function,
    /// Pickling, copying, unpickling.
    Transfer,
    /// An item was there, and not begun yet.
    Dispatch,
    /// There was no worker yet.
    Start,
    /// There was nothing to do: the caller had not given it out yet.
    Caller,
    /// There was nothing left to do, while others were still busy.
    Imbalance,
    /// Waiting for the interpreter's lock.
    Gil,
    /// Waiting within the function, longer than alone: for a core, a lock, a disk.
    Waiting,
    /// Computing longer than alone, where the memory was seen to be at its limit.
    Bandwidth,
    Unexplained,
}

impl Part {
    pub const ALL: [Self; 10] = [
        Self::Function,
        Self::Transfer,
        Self::Dispatch,
        Self::Start,
        Self::Caller,
        Self::Imbalance,
        Self::Gil,
        Self::Waiting,
        Self::Bandwidth,
        Self::Unexplained,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Transfer => "transfer",
            Self::Dispatch => "dispatch",
            Self::Start => "waiting for a worker",
            Self::Caller => "waiting for the caller",
            Self::Imbalance => "imbalance at the end",
            Self::Gil => "waiting for the GIL",
            Self::Waiting => "waiting within the function",
            Self::Bandwidth => "memory bandwidth",
            Self::Unexplained => "unexplained",
        }
    }
}

/// What was measured of one call. All in seconds; what is a worker's is summed over all workers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    pub workers: u32,
    pub wall: f64,
    /// The function ran.
    pub run: f64,
    /// And computed so long meanwhile, where that is known.
    pub cpu: Option<f64>,
    pub transfer: f64,
    pub dispatch: f64,
    pub start: f64,
    pub idle: f64,
    pub end: f64,
    /// The same calls in a plain loop.
    pub alone: f64,
    pub alone_cpu: Option<f64>,
    /// The workers are threads of one interpreter that has a lock.
    pub interpreter: bool,
    /// The machine's memory was seen to be at its limit.
    pub roof: bool,
}

/// Why measurements make no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("a call has a wall time of more than 0 seconds and at least one worker")]
    Nothing,
    #[error("a measured time must be a finite number of seconds, not negative")]
    NotATime,
    #[error("the workers cannot have been busy for longer than the call took")]
    TooMuch,
}

/// Shares of the wall time, in the order of `Part::ALL`; together 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub workers: u32,
    pub shares: Vec<(Part, f64)>,
}

/// Clocks of several processes agree this well: that much more than the wall time is taken as the whole of it.
const AGREE: f64 = 0.02;

impl Account {
    pub fn of(seen: &Observed) -> Result<Self, AccountError> {
        let whole = seen.wall * f64::from(seen.workers);
        if !(whole > 0.0 && whole.is_finite()) {
            return Err(AccountError::Nothing);
        }
        let measured = [seen.run, seen.transfer, seen.dispatch, seen.start, seen.idle, seen.end, seen.alone];
        let known = [seen.cpu, seen.alone_cpu].into_iter().flatten();
        if measured.into_iter().chain(known).any(|seconds| !(seconds.is_finite() && seconds >= 0.0)) {
            return Err(AccountError::NotATime);
        }
        let busy = seen.run + seen.transfer + seen.dispatch + seen.start + seen.idle + seen.end;
        if busy > whole * (1.0 + AGREE) {
            return Err(AccountError::TooMuch);
        }
        let function = seen.run.min(seen.alone);
        let longer = seen.run - function;
        // What the function waits longer than alone is told from what it computes longer by the time on the cores.
        let waited = match (seen.cpu, seen.alone_cpu) {
            (Some(cpu), Some(alone)) => ((seen.run - cpu) - (seen.alone - alone).max(0.0)).clamp(0.0, longer),
            _ => 0.0,
        };
        let slower = longer - waited;
        let (gil, waiting) = if seen.interpreter { (waited, 0.0) } else { (0.0, waited) };
        let bandwidth = if seen.roof { slower } else { 0.0 };
        let scale = busy.max(whole);
        let seconds = |part: Part| match part {
            Part::Function => function,
            Part::Transfer => seen.transfer,
            Part::Dispatch => seen.dispatch,
            Part::Start => seen.start,
            Part::Caller => seen.idle,
            Part::Imbalance => seen.end,
            Part::Gil => gil,
            Part::Waiting => waiting,
            Part::Bandwidth => bandwidth,
            Part::Unexplained => scale - busy + slower - bandwidth,
        };
        let shares = Part::ALL.into_iter().map(|part| (part, seconds(part) / scale)).collect();
        Ok(Self { workers: seen.workers, shares })
    }

    pub fn share(&self, part: Part) -> f64 {
        self.shares.iter().find(|(other, _)| *other == part).map_or(0.0, |(_, share)| *share)
    }

    /// What is not the function, largest first.
    pub fn losses(&self) -> Vec<(Part, f64)> {
        let mut losses: Vec<(Part, f64)> =
            self.shares.iter().copied().filter(|(part, _)| *part != Part::Function).collect();
        losses.sort_by(|one, other| other.1.total_cmp(&one.1));
        losses
    }
}
