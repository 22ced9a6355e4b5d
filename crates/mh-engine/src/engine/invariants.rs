//! What must be true between two events, checked from scratch.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Engine;
use crate::worker::{Class, Ending, Recall};
use crate::{Index, JobId};

impl Engine {
    /// Asserts every invariant of the state. It walks over everything: for tests.
    ///
    /// # Panics
    ///
    /// If one does not hold.
    pub fn check(&self) {
        let held = self.check_workers();
        self.check_jobs(&held);
        assert!(self.touched.is_empty(), "a job was touched and not dealt with");
        let waiting = self.next_place().is_none() || self.rotation.is_empty();
        assert!(waiting, "something is unsent and somebody could be sent it");
        assert!(!self.broken || self.jobs.is_empty(), "a job is open in a broken engine");
        let next = self.deadlines.first().map(|&(due, _)| due);
        assert!(next.is_none_or(|due| due > self.now), "a worker is due and was not looked at");
        let asked = self.wake.unwrap_or(u64::MAX);
        assert!(next.is_none_or(|due| asked <= due), "no tick comes in time for a deadline");
        assert!(self.next_victim_at().is_none_or(|time| asked <= time), "no tick comes for an idle worker");
    }

    /// Checks the workers and the sets that they are filed in; returns the items that they hold for each job.
    fn check_workers(&self) -> BTreeMap<JobId, Vec<Range<Index>>> {
        let mut held: BTreeMap<JobId, Vec<Range<Index>>> = BTreeMap::new();
        let (mut idle, mut stealing, mut active, mut busy) = (0, 0, 0, 0);
        let (mut places, mut prey, mut deadlines) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (&id, worker) in &self.workers {
            let place = worker.place(self.settings.depth, self.settings.target);
            assert_eq!(worker.filed.place, place, "{id:?} is out of place");
            // How rich a prey is depends on an estimate that may have moved since; whether it is one does not.
            assert_eq!(worker.filed.prey.is_some(), self.prey_of(worker).is_some(), "{id:?} as prey");
            places.extend(place.map(|(class, load)| (class, load, id)));
            prey.extend(worker.filed.prey.map(|prey| (prey, id)));
            deadlines.extend(worker.due.map(|due| (due, id)));
            idle += usize::from(matches!(place, Some((Class::Idle, _))));
            let retired = worker.ending == Some(Ending::Retired);
            assert_eq!(worker.filed.active, !retired || !worker.messages.is_empty());
            active += usize::from(worker.filed.active);
            busy += usize::from(!worker.messages.is_empty());
            let timed = worker.least_timeout().is_some() && !worker.killed();
            assert_eq!(timed, worker.due.is_some() || (timed && worker.looking), "{id:?} is not watched");
            assert!(worker.messages.len() <= self.settings.depth, "{id:?} holds too many messages");
            for message in &worker.messages {
                assert!(message.first <= message.next && message.next < message.end, "{message:?}");
                assert!(message.hole.is_none() || worker.killed(), "{message:?} has a hole");
                stealing += usize::from(message.recall == Some(Recall::Steal));
                let Some(job) = self.jobs.get(&message.job) else { continue };
                assert_eq!(job.messages.get(&message.id), Some(&id), "{:?} does not know", message.job);
                let items = held.entry(message.job).or_default();
                let hole = message.hole.filter(|hole| message.items().contains(hole));
                let cut = hole.unwrap_or(message.end);
                let known = message.recall.is_some() || worker.looking || worker.killed();
                assert!(
                    job.withdrawn.range(message.items()).next().is_none() || known,
                    "{message:?}: not asked"
                );
                items.push(job.needed(message.next..cut));
                items.push(job.needed(hole.map_or(message.end, |hole| hole + 1)..message.end));
            }
        }
        assert_eq!((self.idle, self.stealing, self.active, self.busy), (idle, stealing, active, busy));
        assert_eq!(self.places, places);
        assert_eq!(self.prey, prey);
        assert_eq!(self.deadlines, deadlines);
        assert!(self.active <= self.settings.workers, "too many workers");
        held
    }

    /// Checks that every item of every job is in exactly one place.
    fn check_jobs(&self, held: &BTreeMap<JobId, Vec<Range<Index>>>) {
        let mut rotation = BTreeSet::new();
        for (&id, job) in &self.jobs {
            assert!(!job.is_over(), "{id:?} is over and was not ended");
            assert_eq!(job.turn.is_some(), job.unsent() > 0, "{id:?} in the rotation");
            rotation.extend(job.turn.map(|turn| (turn, id)));
            let mut places: Vec<Range<Index>> = job.returned.iter().collect();
            assert!(job.suspects.iter().all(|part| !part.is_empty()), "{id:?}: nothing is suspected");
            places.extend(job.suspects.iter().cloned());
            places.extend(held.get(&id).into_iter().flatten().filter(|items| !items.is_empty()).cloned());
            places.sort_by_key(|items| items.start);
            for pair in places.windows(2) {
                assert!(pair[0].end <= pair[1].start, "{id:?}: an item is in two places: {pair:?}");
            }
            let known = places.last().map_or(0, |items| items.end);
            assert!(known <= job.cursor.min(job.limit), "{id:?}: an item was sent before it was fed");
            let outstanding: u64 =
                held.get(&id).into_iter().flatten().map(|items| items.end - items.start).sum();
            assert_eq!(job.outstanding, outstanding, "{id:?}: outstanding");
            if !job.failed() {
                assert_eq!(job.ended + outstanding + job.unsent(), job.fed, "{id:?}: an item is missing");
            }
            let is_held = |index: &Index| places.iter().any(|items| items.contains(index));
            let waiting = |index: &Index| is_held(index) && !job.returned.iter().any(|r| r.contains(index));
            assert!(job.withdrawn.keys().all(waiting), "{id:?}: withdrawn, and at no worker");
            let room = job.want(&self.settings);
            assert_eq!(room, None, "{id:?} has room, and nobody was asked for input");
        }
        assert_eq!(self.rotation, rotation);
    }
}
