//! The cause in words.

use super::account::{Account, Part};
use super::memory::Memory;
use crate::fit::Fit;
use crate::law::Law;

/// Efficiency from here on is as good as it gets.
const GOOD: f64 = 0.9;
/// Of what the cores can do: near enough to say that it is they.
const MOSTLY: f64 = 0.8;
/// A gain below this is none.
const GAIN: f64 = 1.05;
/// The largest loss is named as the cause from this share of all that is lost on; a further one is told beside it.
const MOST: f64 = 0.25;
/// The memory is spoken of from this share on.
const TOLD: f64 = 0.05;

/// What keeps the work from scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nothing does.
    Nothing,
    /// There is one core.
    OneCore,
    /// More workers than cores.
    Cores,
    Transfer,
    Dispatch,
    Start,
    Imbalance,
    Gil,
    Bandwidth,
    /// A part of the work is done by one alone.
    Serial,
    /// Workers wait for something that they share.
    Contention,
    /// Each worker has to agree with each other one.
    Coherence,
    Unexplained,
}

impl Cause {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::OneCore => "one core",
            Self::Cores => "cores",
            Self::Transfer => "transfer",
            Self::Dispatch => "dispatch",
            Self::Start => "start",
            Self::Imbalance => "imbalance",
            Self::Gil => "GIL",
            Self::Bandwidth => "memory bandwidth",
            Self::Serial => "serial part",
            Self::Contention => "contention",
            Self::Coherence => "coherence",
            Self::Unexplained => "unexplained",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::OneCore => "Other machines may have more.",
            Self::Cores => "Take as many workers as there are cores.",
            Self::Transfer => {
                "Send less: paths or indices in place of data, the big argument once (in a closure or functools.partial), \
                 small results."
            }
            Self::Dispatch => "Give each item more to do: a block of many, not one.",
            Self::Start => "Give the workers more to do, or keep them: mh.map does between calls.",
            Self::Imbalance => "Make the longest items shorter, or give them first.",
            Self::Gil => "The function holds the interpreter's lock: take processes, or compile it (mh.jit).",
            Self::Bandwidth => {
                "The memory is as fast as it gets: work on blocks that fit into the caches, or on smaller types."
            }
            Self::Serial => "What one does alone decides: share out more of it.",
            Self::Contention => {
                "Look for what they share: a lock, a file, a disk, the cores with other programs."
            }
            Self::Coherence => "Look for what they all write: past the peak each further worker costs.",
            Self::Unexplained => "mh.trace shows each item on its worker.",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Transfer => "moving items and results between processes",
            Self::Dispatch => "handing out items, which are short for that",
            Self::Start => "waiting for workers that were still starting",
            Self::Imbalance => "waiting at the end, for the last items of others",
            Self::Gil => "waiting for the interpreter's lock",
            Self::Bandwidth => "waiting for the memory, which was at its limit",
            Self::Serial => "waiting for the caller, who worked alone",
            Self::Contention => "waiting within the function for something that is shared",
            Self::Cores => "waiting for a core",
            _ => "unexplained",
        }
    }
}

/// What there is to judge.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// Cores that may be used.
    pub cores: u32,
    /// The largest number of workers that was tried.
    pub workers: u32,
    /// There is a plain loop to compare with; else the fewest workers are what is compared with.
    pub plain: bool,
    /// How many times as fast as that it was; with more work for more workers, the scaled speed-up.
    pub speedup: f64,
    /// The best of all, and its number of workers.
    pub best: (u32, f64),
    /// The function mostly waits, so that more workers than cores are no loss.
    pub waits: bool,
    pub fit: Option<&'a Fit>,
    pub account: Option<&'a Account>,
    /// What a probe says of the memory.
    pub memory: Option<&'a Memory>,
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub cause: Cause,
    pub text: String,
}

/// The cause of what is lost with the largest number of workers, in words.
pub fn verdict(seen: &Measured<'_>) -> Verdict {
    let cause = cause_of(seen);
    let mut text = opening(seen);
    let efficiency = seen.speedup / f64::from(seen.workers);
    match cause {
        Cause::Nothing => text += " Nothing keeps it from scaling so far.",
        Cause::OneCore => text += " There is one core to work on: nothing can be gained here.",
        Cause::Cores => {
            text += &format!(" There are {} cores, and more workers than cores only take turns.", seen.cores);
        }
        Cause::Unexplained => {
            text += &format!(
                " {} of each worker's time is lost, and what was measured does not explain it.",
                percent(1.0 - efficiency)
            );
            let idle = seen.account.map_or(0.0, |account| account.share(Part::Idle));
            if idle > TOLD {
                text += &format!(" Workers did not compute for {} of the time.", percent(idle));
            }
        }
        _ => {
            if let Some((part, share)) = account_of(seen, cause) {
                text +=
                    &format!(" The largest loss: {} of the time is spent {}", percent(share), cause.words());
                let further = seen.account.and_then(|account| {
                    let near = |(other, lost): &(Part, f64)| *other != part && *lost > share / 2.0;
                    account.losses().into_iter().find(near)
                });
                text += &further.map_or(".".into(), |(other, lost)| {
                    format!("; then {} ({}).", other.name(), percent(lost))
                });
            }
            text += &of_law(seen, cause);
        }
    }
    text += &of_memory(seen, cause);
    let advice = cause.advice();
    if !advice.is_empty() {
        text = format!("{text} {advice}");
    }
    if seen.fit.is_some_and(|fit| !fit.is_told()) {
        text += " (Under four numbers of workers only Amdahl's law is fitted: more would tell laws apart.)";
    }
    Verdict { cause, text }
}

fn opening(seen: &Measured<'_>) -> String {
    let Measured { workers, speedup, best, .. } = *seen;
    let base = if seen.plain { "a plain loop" } else { "with the fewest" };
    let hands = |count: u32| if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") };
    if best.1 < GAIN {
        return format!(
            "Nothing was gained: {} took {} times as long as {base}.",
            hands(workers),
            times(1.0 / speedup)
        );
    }
    let mut text = match workers {
        1 => format!("1 worker was {} times as fast as {base}.", times(speedup)),
        _ => format!(
            "{} were {} times as fast ({} each).",
            hands(workers),
            times(speedup),
            percent(speedup / f64::from(workers))
        ),
    };
    if best.0 != workers && best.1 > GAIN * speedup {
        let were = if best.0 == 1 { "was" } else { "were" };
        text += &format!(" {} {were} faster: {} times.", hands(best.0), times(best.1));
    }
    text
}

fn cause_of(seen: &Measured<'_>) -> Cause {
    let efficiency = seen.speedup / f64::from(seen.workers);
    if seen.workers.min(seen.cores) == 1 && seen.speedup < GAIN && seen.cores == 1 {
        return Cause::OneCore;
    }
    if efficiency >= GOOD {
        return Cause::Nothing;
    }
    // All cores are used, and there are no more? (Work that waits may be faster than that.)
    let of_cores = seen.speedup / f64::from(seen.cores);
    if seen.workers > seen.cores && !seen.waits && (MOSTLY..1.0 / MOSTLY).contains(&of_cores) {
        return Cause::Cores;
    }
    match seen.account {
        Some(account) => of_account(seen, account),
        None => seen.fit.map_or(Cause::Unexplained, of_fit),
    }
}

fn of_account(seen: &Measured<'_>, account: &Account) -> Cause {
    let losses = account.losses();
    let lost: f64 = losses.iter().map(|(_, share)| share).sum();
    let (part, share) = losses[0];
    if share < MOST * lost {
        return Cause::Unexplained;
    }
    match part {
        Part::Transfer => Cause::Transfer,
        Part::Dispatch => Cause::Dispatch,
        Part::Start | Part::Waiting if seen.workers > seen.cores && !seen.waits => Cause::Cores,
        Part::Start => Cause::Start,
        Part::Imbalance => Cause::Imbalance,
        Part::Gil => Cause::Gil,
        Part::Bandwidth => Cause::Bandwidth,
        Part::Caller => Cause::Serial,
        Part::Waiting => Cause::Contention,
        // Nothing that was measured; a law may still say what it looks like.
        Part::Idle | Part::Unexplained | Part::Function | Part::Computing => match seen.fit {
            Some(fit) if fit.is_told() => of_fit(fit),
            _ => Cause::Unexplained,
        },
    }
}

/// What the best law says, where it describes what was measured and says it surely.
fn of_fit(fit: &Fit) -> Cause {
    let best = fit.best();
    let sure = |which: usize| best.parameters[which].low > 0.0;
    if best.misfit {
        return Cause::Unexplained;
    }
    match best.law {
        Law::Amdahl | Law::Gustafson if sure(0) => Cause::Serial,
        Law::Universal if sure(1) => Cause::Coherence,
        Law::Universal if sure(0) => Cause::Contention,
        _ => Cause::Unexplained,
    }
}

/// The part of the account that a cause stands for, with its share.
fn account_of(seen: &Measured<'_>, cause: Cause) -> Option<(Part, f64)> {
    let part = match cause {
        Cause::Transfer => Part::Transfer,
        Cause::Dispatch => Part::Dispatch,
        Cause::Start => Part::Start,
        Cause::Imbalance => Part::Imbalance,
        Cause::Gil => Part::Gil,
        Cause::Bandwidth => Part::Bandwidth,
        Cause::Serial => Part::Caller,
        Cause::Contention => Part::Waiting,
        _ => return None,
    };
    let share = seen.account?.share(part);
    (share > 0.0).then_some((part, share))
}

/// What the machine's memory gives, where it takes its share.
fn of_memory(seen: &Measured<'_>, cause: Cause) -> String {
    let (Some(memory), Some(account)) = (seen.memory, seen.account) else { return String::new() };
    if cause != Cause::Bandwidth && account.share(Part::Bandwidth) < TOLD {
        return String::new();
    }
    let rates = memory.roof.rates();
    let gives = |(threads, rate): &(u32, f64)| {
        let to = if *threads == 1 { "one thread".to_owned() } else { format!("{threads}") };
        format!("{} GB/s to {to}", digits(rate / 1e9))
    };
    let (first, last) = (gives(&rates[0]), rates.last().filter(|(threads, _)| *threads > 1).map(gives));
    let all = last.map_or(first.clone(), |last| format!("{first}, {last}"));
    let needs = match memory.needs.value {
        ..1.0 => format!("needs it for {} of its time", percent(memory.needs.value)),
        _ => "needs all that a thread can get".to_owned(),
    };
    format!(" The machine's memory gives {all}; alone, the function {needs}.")
}

/// What the best law says of this cause.
fn of_law(seen: &Measured<'_>, cause: Cause) -> String {
    let Some(best) = seen.fit.map(Fit::best).filter(|best| !best.misfit) else { return String::new() };
    let values = best.values();
    let mut text = String::new();
    match (cause, best.law) {
        (Cause::Serial, Law::Amdahl | Law::Gustafson) | (Cause::Contention, Law::Amdahl) => {
            let serial = &best.parameters[0];
            text += &format!(
                " {}'s law fits with a serial part of {} ({} to {}).",
                best.law.name(),
                percent(serial.value),
                percent(serial.low),
                percent(serial.high)
            );
        }
        (Cause::Coherence | Cause::Contention, Law::Universal) => {
            text += &format!(
                " The universal scalability law fits with contention {} and coherence {:.3}%.",
                percent(values[0]),
                100.0 * values[1]
            );
        }
        _ => return text,
    }
    match (best.law.peak(&values), best.law.limit(&values)) {
        (Some(peak), _) => {
            text += &format!(
                " By it the peak is at {peak:.0} workers, {:.3} times as fast as one.",
                best.speedup(peak)
            )
        }
        (None, Some(limit)) => {
            text += &format!(" By it no number of workers is more than {limit:.3} times as fast as one.")
        }
        (None, None) => {}
    }
    text
}

fn percent(share: f64) -> String {
    let share = 100.0 * share;
    if share < 0.95 { format!("{share:.1}%") } else { format!("{share:.0}%") }
}

/// How many times, in three digits.
fn times(factor: f64) -> String {
    match factor {
        ..10.0 => format!("{factor:.2}"),
        _ => digits(factor),
    }
}

/// Two or three digits.
fn digits(value: f64) -> String {
    match value {
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
