//! Do the workers compute, or do they wait for something?
//!
//! Where more workers were asked for than there are cores, the engine first lets as many run as there are cores. When
//! those are seen waiting (for a disk, a network, the time to pass), the others run too. A worker that is kept from a
//! core by others does not count as waiting: the kernel tells the one from the other.

use std::collections::HashMap;

use mh_engine::{Event, Nanos, WorkerId};

use crate::state::{State, World};

/// How long workers are watched before it is decided; doubled each time that they were seen computing.
const FIRST_LOOK: Nanos = 10_000_000;
const LONGEST_LOOK: Nanos = 160_000_000;
/// Workers that could not have used so much of the time, in percent, wait.
const WAITING: u64 = 25;

/// What busy workers had used, or would have used had a core been free, at the beginning of a look.
pub(crate) struct Look {
    begun: Nanos,
    pub until: Nanos,
    runnable: HashMap<WorkerId, Nanos>,
}

impl State {
    /// Looks at the workers if the engine holds work back for them; to be called after every round of events.
    pub fn watch_waiting(&mut self, world: &World) {
        if !self.engine.holds_back() {
            self.look = None;
            return;
        }
        let time = world.now();
        let pause = match &self.look {
            None => FIRST_LOOK,
            Some(look) if time < look.until => return,
            Some(look) => {
                if self.are_waiting(look, time) {
                    self.look = None;
                    return self.handle(world, Event::Widen);
                }
                (2 * (look.until - look.begun)).min(LONGEST_LOOK)
            }
        };
        let busy = self.workers.values().filter(|worker| worker.is_busy());
        let runnable = busy.filter_map(|worker| Some((worker.id, runnable(worker.process.id())?))).collect();
        self.look = Some(Look { begun: time, until: time + pause, runnable });
    }

    fn are_waiting(&self, look: &Look, time: Nanos) -> bool {
        let (mut used, mut watched) = (0, 0);
        for (id, before) in &look.runnable {
            let Some(worker) = self.workers.get(id).filter(|worker| worker.is_busy()) else { continue };
            let Some(now) = runnable(worker.process.id()) else { continue };
            used += now.saturating_sub(*before);
            watched += time - look.begun;
        }
        // Nothing to go by (a kernel without these counts, workers that came and went): nobody is held back for that.
        watched == 0 || used * 100 < watched * (100 - WAITING)
    }
}

/// Time for which the process's main thread has run or waited for a core.
fn runnable(process: u32) -> Option<Nanos> {
    let counts = std::fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?;
    let mut counts = counts.split_ascii_whitespace().map(str::parse::<Nanos>);
    Some(counts.next()?.ok()? + counts.next()?.ok()?)
}
