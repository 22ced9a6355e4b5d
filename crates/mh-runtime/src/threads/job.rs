//! One job of a thread pool: its items that wait, and its answers that nobody took yet.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar};

use mh_engine::{Index, Nanos, OnError, Outcome};

use super::Trash;

/// What a caller wants of a job.
#[derive(Clone, Debug)]
pub struct ThreadJobOptions {
    pub on_error: OnError,
    /// How often an item that timed out is run again.
    pub retries: u32,
    /// The longest that one item may run.
    pub timeout: Option<Nanos>,
    /// Items that count as one task for the tasks of a thread.
    pub chunk: u64,
    /// Answers are asked for by index, one at a time, rather than taken in a row.
    pub by_index: bool,
    /// The items are there anyway (in a list, say), so that many may wait.
    pub ample: bool,
}

impl Default for ThreadJobOptions {
    fn default() -> Self {
        ThreadJobOptions {
            on_error: OnError::Raise,
            retries: 0,
            timeout: None,
            chunk: 1,
            by_index: false,
            ample: false,
        }
    }
}

/// Why an item has no answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It ran longer than it may, `attempts` times.
    TimedOut { after: Nanos, attempts: u32 },
    /// Its thread ended under it.
    ThreadEnded,
    /// The caller took it back before it had begun.
    Cancelled,
}

/// What became of an item. Failures bring the item along, to be shown.
#[derive(Debug, PartialEq, Eq)]
pub enum ThreadAnswer<I, R> {
    Done(R),
    Failed(R, Arc<I>),
    Lost(Loss, Arc<I>),
}

impl<I, R> ThreadAnswer<I, R> {
    pub fn is_failure(&self) -> bool {
        !matches!(self, ThreadAnswer::Done(_))
    }
}

/// Work of about so long may wait for the threads, where the items come from a stream.
const AHEAD: Nanos = 50_000_000;
/// Most items that may wait.
const MOST: u64 = 1 << 16;
const MOST_AMPLE: u64 = 1 << 20;

/// A job that has not been closed. Each item below `limit` is in one place: not fed (from `fed` on), waiting (in
/// `queue` or `again`), running in a thread, or ended. Items from `limit` on are nobody's business any more.
pub(crate) struct Job<C, I, R> {
    pub context: Arc<C>,
    pub options: ThreadJobOptions,
    /// Items that nobody has begun, in order, `first` being the index of the front. `None`: it was withdrawn.
    queue: VecDeque<Option<Arc<I>>>,
    first: Index,
    /// Items that were begun, timed out, and are to be run again: before anything new.
    again: BTreeMap<Index, Arc<I>>,
    attempts: HashMap<Index, u32>,
    /// How many of the queue have been withdrawn.
    withdrawn: u64,
    pub closed: bool,
    /// Items below `limit` that threads are running.
    pub running: u64,
    /// The failing item of lowest index, with `OnError::Raise`; the job waits only for what is below.
    pub limit: Index,
    /// Whether the job is in the rotation of those with something to run.
    pub in_rotation: bool,
    pub outcome: Option<Outcome>,

    pub answers: Vec<(Index, ThreadAnswer<I, R>)>,
    pub by_index: HashMap<Index, ThreadAnswer<I, R>>,
    /// Indices whose answers nobody will ask for.
    pub unwanted: HashSet<Index>,
    /// Indices (or, for `None`, the end of the job) that the delivery thread waits for.
    pub watched: HashSet<Option<Index>>,

    /// Where callers wait for answers, room, the end.
    pub news: Arc<Condvar>,
    /// Who waits there, for what; and whether they have been woken since they looked.
    pub waiting: Waiting,
    /// Whether somebody has been told of the room that there is, and has not fed since.
    offered: bool,
    /// Where callers wait for one answer each.
    pub seekers: HashMap<Index, Arc<Condvar>>,

    /// How many may wait, by the pace at which items have ended since the last look: when that was, how many had.
    window: u64,
    pub ended: u64,
    looked: (Nanos, u64),
}

/// What the callers who wait for a job's news want to hear of, besides its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waiting {
    pub callers: usize,
    pub answers: bool,
    pub room: bool,
    pub told: bool,
}

impl<C, I, R> Job<C, I, R> {
    pub fn new(context: C, options: ThreadJobOptions, threads: usize, now: Nanos) -> Self {
        let window = if options.ample { MOST_AMPLE } else { 2 * threads as u64 + 2 };
        Job {
            context: Arc::new(context),
            options,
            queue: VecDeque::new(),
            first: 0,
            again: BTreeMap::new(),
            attempts: HashMap::new(),
            withdrawn: 0,
            closed: false,
            running: 0,
            limit: Index::MAX,
            in_rotation: false,
            outcome: None,
            answers: Vec::new(),
            by_index: HashMap::new(),
            unwanted: HashSet::new(),
            watched: HashSet::new(),
            news: Arc::default(),
            waiting: Waiting::default(),
            offered: false,
            seekers: HashMap::new(),
            window,
            ended: 0,
            looked: (now, 0),
        }
    }

    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// How many items have been fed.
    pub fn fed(&self) -> Index {
        self.first + self.queue.len() as u64
    }

    /// Items that are to be run and that no thread has begun.
    pub fn unclaimed(&self) -> u64 {
        self.queue.len() as u64 - self.withdrawn + self.again.len() as u64
    }

    /// Whether nothing remains to be waited for.
    pub fn is_over(&self) -> bool {
        self.running == 0 && self.unclaimed() == 0 && (self.closed || self.limit < Index::MAX)
    }

    /// How many more items may be fed now.
    pub fn room(&self) -> u64 {
        if self.closed || self.limit < Index::MAX || !self.is_open() {
            return 0;
        }
        self.window.saturating_sub(self.unclaimed())
    }

    /// Adds items; `threads` and the time say how many may wait from now on.
    pub fn feed(&mut self, items: Vec<Arc<I>>, threads: usize, now: Nanos) {
        let ended = self.ended - self.looked.1;
        if ended > 0 && !self.options.ample {
            let took = now.saturating_sub(self.looked.0).max(10_000);
            let pace = u128::from(ended) * u128::from(AHEAD) / u128::from(took);
            // One step at a time: the first few may have been quick by chance.
            let most = MOST.min(4 * self.window);
            self.window = (pace.min(u128::from(most)) as u64).max(2 * threads as u64 + 2);
        }
        self.looked = (now, self.ended);
        self.offered = false;
        self.queue.extend(items.into_iter().map(Some));
    }

    /// The next item to be run.
    pub fn claim(&mut self) -> Option<(Index, Arc<I>)> {
        if let Some(found) = self.again.pop_first() {
            return Some(found);
        }
        while let Some(front) = self.queue.pop_front() {
            self.first += 1;
            match front {
                Some(item) => return Some((self.first - 1, item)),
                None => self.withdrawn -= 1,
            }
        }
        None
    }

    /// Takes back an item that no thread has begun.
    pub fn withdraw(&mut self, index: Index) -> Option<Arc<I>> {
        if let Some(item) = self.again.remove(&index) {
            return Some(item);
        }
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        let item = self.queue.get_mut(place)?.take()?;
        self.withdrawn += 1;
        Some(item)
    }

    /// Takes back all of them.
    pub fn withdraw_all(&mut self) -> Vec<(Index, Arc<I>)> {
        let mut found: Vec<_> = std::mem::take(&mut self.again).into_iter().collect();
        let queue = std::mem::take(&mut self.queue);
        let first = self.first;
        self.first += queue.len() as u64;
        self.withdrawn = 0;
        found.extend((first..).zip(queue).filter_map(|(index, item)| Some((index, item?))));
        found
    }

    /// Has a thread begun the item? (It may have finished it.)
    pub fn has_begun(&self, index: Index) -> bool {
        index < self.first && !self.again.contains_key(&index)
    }

    /// An item that was begun is to be run again, unless it was often enough: then how often it was tried.
    pub fn try_again(&mut self, index: Index, item: Arc<I>) -> Result<(), (u32, Arc<I>)> {
        let attempts = self.attempts.entry(index).or_insert(0);
        *attempts += 1;
        if *attempts > self.options.retries {
            return Err((*attempts, item));
        }
        self.again.insert(index, item);
        Ok(())
    }

    /// The job ends with this failing item, unless one below it fails too: what is above and has not begun is dropped.
    pub fn fail(&mut self, index: Index, trash: &mut Trash)
    where
        I: Send + Sync + 'static,
    {
        self.limit = index;
        let above = self.again.split_off(&index);
        self.drop_queue(trash);
        trash.push(Box::new(above));
    }

    /// Drops everything that has not begun.
    pub fn drop_unclaimed(&mut self, trash: &mut Trash)
    where
        I: Send + Sync + 'static,
    {
        self.drop_queue(trash);
        trash.push(Box::new(std::mem::take(&mut self.again)));
    }

    fn drop_queue(&mut self, trash: &mut Trash)
    where
        I: Send + Sync + 'static,
    {
        self.first += self.queue.len() as u64;
        self.withdrawn = 0;
        trash.push(Box::new(std::mem::take(&mut self.queue)));
    }

    /// Is there something that those who wait want to hear of? Room that nobody takes is offered once.
    pub fn has_news(&self, answers: bool, room: bool) -> bool {
        let other = self.outcome.is_some() || (answers && !self.answers.is_empty());
        other || (room && !self.offered && self.has_room())
    }

    /// Is it worth feeding?
    fn has_room(&self) -> bool {
        self.room() * 2 >= self.window.min(MOST)
    }

    /// The same for a caller who then goes to look.
    pub fn take_news(&mut self, answers: bool, room: bool) -> bool {
        let news = self.has_news(answers, room);
        self.offered |= news && room && self.has_room();
        news
    }

    /// Wakes those who wait, if there is something for them and they do not know it.
    pub fn tell(&mut self) {
        let Waiting { callers, answers, room, told } = self.waiting;
        if callers > 0 && !told && self.has_news(answers, room) {
            self.waiting.told = true;
            self.news.notify_all();
        }
    }

    /// Wakes everybody: the job has ended.
    pub fn tell_all(&mut self) {
        self.waiting.told = true;
        self.news.notify_all();
        for seeker in self.seekers.values() {
            seeker.notify_all();
        }
    }
}
