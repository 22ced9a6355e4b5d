//! The judge: what has happened to every item, from the instructions alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use mh_engine::{Fault, Index, JobId, JobOptions, OnError, Outcome};

/// One bit for each item.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn get(&self, i: Index) -> bool {
        self.0.get((i / 64) as usize).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }

    fn set(&mut self, i: Index) {
        let word = (i / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (i % 64);
    }
}

/// What is known of one job.
#[derive(Debug)]
pub struct Account {
    pub options: JobOptions,
    pub fed: u64,
    pub closed: bool,
    pub cancelled: bool,
    pub taken: u64,
    pub outcome: Option<Outcome>,
    /// How many items have ended.
    pub count: u64,
    ended: Bits,
    /// Every item below this one has ended.
    pub prefix: Index,
    failed: BTreeSet<Index>,
    withdrawn: BTreeSet<Index>,
    /// How many of them ended as cancelled.
    pub cancellations: u64,
    /// The most items that were ever fed and had not ended.
    pub widest: u64,
}

/// All jobs.
#[derive(Debug, Default)]
pub struct Ledger {
    pub accounts: BTreeMap<JobId, Account>,
}

impl Ledger {
    pub fn open(&mut self, job: JobId, options: JobOptions) {
        let account = Account {
            options,
            fed: 0,
            closed: false,
            cancelled: false,
            taken: 0,
            outcome: None,
            count: 0,
            ended: Bits::default(),
            prefix: 0,
            failed: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            cancellations: 0,
            widest: 0,
        };
        self.accounts.insert(job, account);
    }

    pub fn account(&mut self, job: JobId) -> &mut Account {
        self.accounts.get_mut(&job).expect("an instruction names a job that was never opened")
    }

    /// The items are sent: each has been fed and has not ended.
    pub fn send(&mut self, job: JobId, items: Range<Index>) {
        let account = self.account(job);
        assert!(account.outcome.is_none(), "{job:?} was sent from after its end");
        assert!(!items.is_empty() && items.end <= account.fed, "{job:?}: sent {items:?} before it was fed");
        for i in items {
            assert!(!account.ended.get(i), "{job:?}: item {i} was sent after it had ended");
        }
    }

    /// The items' answers are kept: they came with the event just handled, and no item ended before.
    pub fn accept(&mut self, job: JobId, items: Range<Index>, answered: &Range<Index>, failed: &[Index]) {
        let within = answered.start <= items.start && items.end <= answered.end;
        assert!(within, "{job:?}: accepted {items:?} of {answered:?}");
        let account = self.account(job);
        account.failed.extend(failed.iter().filter(|i| items.contains(i)));
        for i in items {
            account.end(job, i);
        }
    }

    /// The item ended without an answer, with all its attempts used up.
    pub fn lose(&mut self, job: JobId, index: Index, fault: Fault) {
        let account = self.account(job);
        let (Fault::Died { attempts, .. } | Fault::TimedOut { attempts, .. }) = fault else {
            assert!(account.withdrawn.contains(&index), "{job:?}: item {index} was not withdrawn");
            account.cancellations += 1;
            return account.end(job, index);
        };
        assert_eq!(attempts, account.options.retries + 1, "{job:?}: item {index} lost too early or too late");
        if let (Fault::TimedOut { after, .. }, timeout) = (fault, account.options.timeout) {
            assert!(timeout.is_some_and(|timeout| after >= timeout), "{job:?}: item {index} had time left");
        }
        account.failed.insert(index);
        account.end(job, index);
    }

    /// The caller no longer wants the item.
    pub fn withdraw(&mut self, job: JobId, index: Index) {
        self.account(job).withdrawn.insert(index);
    }

    pub fn finish(&mut self, job: JobId, outcome: Outcome) {
        let account = self.account(job);
        assert_eq!(account.outcome, None, "{job:?} ended twice");
        account.outcome = Some(outcome);
        match outcome {
            Outcome::Complete => {
                assert!(account.closed, "{job:?} is complete with its input open");
                assert_eq!(account.count, account.fed, "{job:?} is complete with items unanswered");
            }
            Outcome::Failed { index } => {
                assert_eq!(account.options.on_error, OnError::Raise);
                assert_eq!(account.failed.first(), Some(&index), "{job:?}: not the lowest failure");
                assert!(account.prefix > index, "{job:?}: an item below the failure has not ended");
            }
            Outcome::Cancelled => assert!(account.cancelled, "{job:?} was not cancelled"),
            Outcome::Broken => {}
        }
    }

    pub fn all_finished(&self) -> bool {
        self.accounts.values().all(|account| account.outcome.is_some())
    }
}

impl Account {
    /// Whether an item has failed with which the job will end.
    pub fn failing(&self) -> bool {
        self.options.on_error == OnError::Raise && !self.failed.is_empty()
    }

    fn end(&mut self, job: JobId, i: Index) {
        assert!(self.outcome.is_none(), "{job:?}: item {i} ended after its job");
        assert!(i < self.fed, "{job:?}: item {i} ended before it was fed");
        assert!(!self.ended.get(i), "{job:?}: item {i} ended twice");
        self.ended.set(i);
        self.count += 1;
        while self.ended.get(self.prefix) {
            self.prefix += 1;
        }
    }
}
