//! Where the wall time went, on average over the workers. The shares add up to 1: what nothing measured explains is a part, too.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::memory::Estimate;

/// What a worker's second was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The function, as fast as in a plain loop.
    Function,
    /// Pickling, copying, unpickling.
    Transfer,
    /// An item was there, and not begun yet; of short items also that the caller had not given them out yet.
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
    /// Computing longer than alone, as far as the memory's limit explains it.
    Bandwidth,
    /// Seen from outside: computing as much as one worker does for the whole of the work.
    Computing,
    /// Seen from outside: no core was used, for whatever reason.
    Idle,
    Unexplained,
}

impl Part {
    pub const ALL: [Self; 12] = [
        Self::Function,
        Self::Transfer,
        Self::Dispatch,
        Self::Start,
        Self::Caller,
        Self::Imbalance,
        Self::Gil,
        Self::Waiting,
        Self::Bandwidth,
        Self::Computing,
        Self::Idle,
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
            Self::Computing => "computing",
            Self::Idle => "not computing",
            Self::Unexplained => "unexplained",
        }
    }
}

/// What was measured of one call. All in seconds; what is a worker's is summed over all workers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    pub workers: u32,
    /// How often the function was called.
    pub items: u64,
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
    /// What of that it computed or was ready to, had there been a core.
    pub alone_ready: f64,
    /// The workers are threads of one interpreter that has a lock.
    pub interpreter: bool,
    /// For want of memory bandwidth the function takes longer, as a share of `alone`: what a probe says of so many workers.
    pub memory: Option<Estimate>,
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
    /// By how much each share may be off, at 95%; infinite after a single run.
    margins: Vec<f64>,
    /// What it computed longer than alone, waiting left out: bandwidth and what is unexplained share it.
    pub slower: f64,
    /// By how much the share of bandwidth may be off because the probe may.
    probed: f64,
}

/// Items below so many seconds are short: what the caller takes to give one out is no small part of that.
const SHORT: f64 = 2e-5;
/// An interpreter of which all workers together want less than this has no queue at its lock.
const CROWDED: f64 = 0.7;
/// Clocks of several processes agree this well: that much more than the wall time is taken as the whole of it.
const AGREE: f64 = 0.02;

impl Account {
    pub fn of(seen: &Observed) -> Result<Self, AccountError> {
        let whole = seen.wall * f64::from(seen.workers);
        if !(whole > 0.0 && whole.is_finite()) {
            return Err(AccountError::Nothing);
        }
        let measured = [
            seen.run,
            seen.transfer,
            seen.dispatch,
            seen.start,
            seen.idle,
            seen.end,
            seen.alone,
            seen.alone_ready,
        ];
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
        let crowded = seen.interpreter && f64::from(seen.workers) * seen.alone_ready >= CROWDED * seen.alone;
        let (gil, waiting) = if crowded { (waited, 0.0) } else { (0.0, waited) };
        let short = seen.items > 0 && seen.alone / (seen.items as f64) < SHORT;
        let (dispatch, caller) =
            if short { (seen.dispatch + seen.idle, 0.0) } else { (seen.dispatch, seen.idle) };
        let within = |share: f64| (share * seen.alone).min(slower);
        let bandwidth = seen.memory.map_or(0.0, |longer| within(longer.value));
        let probed = seen
            .memory
            .map_or(0.0, |longer| (bandwidth - within(longer.low)).max(within(longer.high) - bandwidth));
        let scale = busy.max(whole);
        let seconds = |part: Part| match part {
            Part::Function => function,
            Part::Transfer => seen.transfer,
            Part::Dispatch => dispatch,
            Part::Start => seen.start,
            Part::Caller => caller,
            Part::Imbalance => seen.end,
            Part::Gil => gil,
            Part::Waiting => waiting,
            Part::Bandwidth => bandwidth,
            Part::Computing | Part::Idle => 0.0,
            Part::Unexplained => scale - busy + slower - bandwidth,
        };
        let shares = Part::ALL.into_iter().map(|part| (part, seconds(part) / scale)).collect();
        Ok(Self {
            workers: seen.workers,
            shares,
            margins: vec![f64::INFINITY; Part::ALL.len()],
            slower: slower / scale,
            probed: probed / scale,
        })
    }

    /// Of a call that was only seen from outside: it took `wall` and computed for `cpu` on all cores, where with one worker that was
    /// `alone_cpu`. Whether a worker waited or had nothing to do cannot be told, nor what it computed beyond that.
    pub fn outside(
        workers: u32,
        wall: f64,
        cpu: f64,
        alone_cpu: f64,
        memory: Option<Estimate>,
    ) -> Result<Self, AccountError> {
        let computing = cpu.min(alone_cpu);
        let seen = Observed {
            workers,
            items: 0,
            wall,
            run: cpu,
            cpu: None,
            transfer: 0.0,
            dispatch: 0.0,
            start: 0.0,
            idle: 0.0,
            end: 0.0,
            alone: alone_cpu,
            alone_cpu: None,
            alone_ready: 0.0,
            interpreter: false,
            memory,
        };
        let mut account = Self::of(&seen)?;
        let whole = (wall * f64::from(workers)).max(cpu);
        let share_of = |part: Part, share: f64| match part {
            Part::Function => 0.0,
            Part::Computing => computing / whole,
            Part::Idle => (whole - cpu) / whole,
            // What is left of what was computed.
            Part::Unexplained => (share - (whole - cpu) / whole).max(0.0),
            _ => share,
        };
        account.shares.iter_mut().for_each(|(part, share)| *share = share_of(*part, *share));
        Ok(account)
    }

    /// The mean of several runs, with margins by Student's distribution. None for no runs.
    pub fn together(runs: &[Self]) -> Option<Self> {
        let count = runs.len() as f64;
        let student = match runs.len() {
            0 | 1 => return runs.first().cloned(),
            _ => StudentsT::new(0.0, 1.0, count - 1.0)
                .map_or(f64::INFINITY, |student| student.inverse_cdf(0.975)),
        };
        let share_of = |place: usize| runs.iter().map(move |run| run.shares[place].1);
        let mean = |place: usize| share_of(place).sum::<f64>() / count;
        let margin = |place: usize| {
            let squares: f64 = share_of(place).map(|share| (share - mean(place)).powi(2)).sum();
            student * (squares / (count - 1.0) / count).sqrt()
        };
        let mean_of = |of: fn(&Self) -> f64| runs.iter().map(of).sum::<f64>() / count;
        let (slower, probed) = (mean_of(|run| run.slower), mean_of(|run| run.probed));
        let probed_in = |place: usize| match Part::ALL[place] {
            Part::Bandwidth | Part::Unexplained => probed,
            _ => 0.0,
        };
        let places = 0..Part::ALL.len();
        Some(Self {
            workers: runs[0].workers,
            shares: places.clone().map(|place| (Part::ALL[place], mean(place))).collect(),
            margins: places.map(|place| margin(place).hypot(probed_in(place))).collect(),
            slower,
            probed,
        })
    }

    /// Between which bounds a part's share lies, at 95%.
    pub fn interval(&self, part: Part) -> (f64, f64) {
        let margin = self
            .shares
            .iter()
            .position(|(other, _)| *other == part)
            .map_or(f64::INFINITY, |place| self.margins[place]);
        let share = self.share(part);
        ((share - margin).max(0.0), (share + margin).min(1.0))
    }

    pub fn share(&self, part: Part) -> f64 {
        self.shares.iter().find(|(other, _)| *other == part).map_or(0.0, |(_, share)| *share)
    }

    /// What is not the function, nor seen to be as good, largest first.
    pub fn losses(&self) -> Vec<(Part, f64)> {
        let mut losses: Vec<(Part, f64)> = self
            .shares
            .iter()
            .copied()
            .filter(|(part, _)| !matches!(part, Part::Function | Part::Computing))
            .collect();
        losses.sort_by(|one, other| other.1.total_cmp(&one.1));
        losses
    }
}
