//! The loop's side of paces: whose turn it is now, and when to look next.

use std::time::Duration;

use mizzen_model::ObjectRef;
use parking_lot::MutexGuard;

use crate::controller::Controller;
use crate::observe::GaveUp;
use crate::pace::{PaceEvents, Paces};

/// The longest that a timer runs: a clock that is set meanwhile is noticed after that.
const LONGEST: Duration = Duration::from_hours(1);

impl Controller {
    pub(crate) fn paces(&self) -> MutexGuard<'_, Paces> {
        self.context.paces()
    }

    /// Calls those whose turn has come. How long until the next turn; `None`: nobody waits for time to pass.
    pub(crate) fn turns(&mut self) -> Option<Duration> {
        let now = (self.context.clock)();
        let due = self.paces().due(now)?;
        if due > now {
            return Some(Duration::try_from(due.duration_since(now)).unwrap_or_default().min(LONGEST));
        }
        let news = self.paces().tick(now, &*self.context.cluster);
        self.tell_turns(news);
        let due = self.paces().due(now)?;
        // What is due and could not be called waits for those who were.
        Some(Duration::try_from(due.duration_since(now)).unwrap_or_default().clamp(Duration::from_millis(1), LONGEST))
    }

    /// An object changed: what was done to it may have come through, which is the next one's turn.
    pub(crate) fn came_through(&mut self, object: &ObjectRef) {
        let news = self.paces().changed(object, &*self.context.cluster);
        self.tell_turns(news);
    }

    fn tell_turns(&mut self, news: PaceEvents) {
        for lost in news.timed_out {
            let Some(node) = self.nodes.get(lost.pace.node) else { continue };
            let (reconciler, pace, object, why) = (&*node.name, &*lost.pace.name, &lost.object, &*lost.reason);
            self.context.observer.gave_up(&GaveUp { reconciler, pace, object, why });
        }
        for key in news.requeue {
            self.look(key);
        }
    }
}
