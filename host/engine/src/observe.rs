//! What happens, told to whoever wants to know: the log, the metrics, `plan`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mizzen_model::{Call, Object, ObjectRef};

/// Hears of everything the engine does. Called from many tasks; must not block.
pub trait Observer: Send + Sync + 'static {
    /// The workqueue yielded a key, which is reconciled now.
    fn queued(&self, _queued: &Queued<'_>) {}
    /// A plugin was asked.
    fn called(&self, _call: &Called<'_>) {}
    /// Something was written.
    fn wrote(&self, _write: &Written<'_>) {}
    /// What a reconciler in mode `Plan` would write for a subject is different from what it was.
    fn planned(&self, _planned: &Planned<'_>) {}
    /// Something of others was patched or deleted.
    fn disrupted(&self, _disrupted: &Disrupted<'_>) {}
    /// What was patched or deleted did not come through: it keeps nobody waiting any longer.
    fn gave_up(&self, _gave_up: &GaveUp<'_>) {}
    /// One reconcile ended.
    fn reconciled(&self, _reconciled: &Reconciled<'_>) {}
}

/// A key that the workqueue yielded.
#[derive(Debug)]
pub struct Queued<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// From when the key was queued (a delayed one: from when it was due) until it was yielded.
    pub waited: Duration,
    /// Whether the key is retried after a failure.
    pub retry: bool,
}

/// One call of a plugin.
#[derive(Debug)]
pub struct Called<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// About whom.
    pub subject: &'a ObjectRef,
    /// Which function.
    pub call: Call,
    /// `Answered`, or why not.
    pub result: &'static str,
    /// From call to answer.
    pub took: Duration,
    /// Distinct reads made.
    pub reads: usize,
    /// Bytes of JSON that went into the guest.
    pub bytes: u64,
    /// Requests over HTTPS, those answered from the cache, and those where redirects led, included.
    pub requests: u64,
    /// Bytes of their answers' bodies.
    pub received: u64,
}

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// It is new.
    Create,
    /// It was another way.
    Change,
    /// It is gone.
    Delete,
    /// Its status was written.
    Status,
    /// A finalizer was added or removed.
    Finalizer,
}

/// One write.
#[derive(Debug)]
pub struct Written<'a> {
    /// The reconciler it was done for.
    pub reconciler: &'a str,
    /// About whom.
    pub subject: &'a ObjectRef,
    /// What was done.
    pub verb: Verb,
    /// To what.
    pub object: &'a ObjectRef,
    /// As it was, as far as the host knows.
    pub before: Option<Arc<Object>>,
    /// As it is.
    pub after: Option<Arc<Object>>,
}

/// What would be done to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What.
    pub verb: Verb,
    /// To what.
    pub object: ObjectRef,
}

/// What a reconciler in mode `Plan` would write for one subject.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// For whom.
    pub subject: &'a ObjectRef,
    /// All of it; empty: nothing is left that it would do.
    pub intents: &'a [Intent],
}

/// Something that was done to an object of others.
#[derive(Debug)]
pub struct Disrupted<'a> {
    /// The reconciler it was done for.
    pub reconciler: &'a str,
    /// About whom.
    pub subject: &'a ObjectRef,
    /// To what.
    pub object: &'a ObjectRef,
    /// Under which pace.
    pub pace: Option<&'a str>,
    /// Why, in the plugin's words.
    pub reason: &'a str,
}

/// Something under a pace that did not come through.
#[derive(Debug)]
pub struct GaveUp<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// The pace.
    pub pace: &'a str,
    /// Which object.
    pub object: &'a ObjectRef,
    /// What it says itself, or how long was waited.
    pub why: &'a str,
}

/// How one reconcile ended.
#[derive(Debug)]
pub struct Reconciled<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// About whom.
    pub subject: &'a ObjectRef,
    /// `Ready`, `Progressing`, …, or the class of the error.
    pub reason: &'a str,
    /// More of it, for people; empty when ready.
    pub message: &'a str,
    /// Whether it went wrong.
    pub failed: bool,
    /// Whether the plugin was asked.
    pub asked: bool,
    /// Whether the plugin said that it will want more.
    pub so_far: bool,
    /// How much was written.
    pub writes: usize,
    /// How long it took.
    pub took: Duration,
}

/// Observers, told one after the other.
#[derive(Clone, Default)]
pub struct Observers(pub Vec<Arc<dyn Observer>>);

impl Observer for Observers {
    fn queued(&self, queued: &Queued<'_>) {
        self.0.iter().for_each(|observer| observer.queued(queued));
    }
    fn called(&self, call: &Called<'_>) {
        self.0.iter().for_each(|observer| observer.called(call));
    }
    fn wrote(&self, write: &Written<'_>) {
        self.0.iter().for_each(|observer| observer.wrote(write));
    }
    fn planned(&self, planned: &Planned<'_>) {
        self.0.iter().for_each(|observer| observer.planned(planned));
    }
    fn disrupted(&self, disrupted: &Disrupted<'_>) {
        self.0.iter().for_each(|observer| observer.disrupted(disrupted));
    }
    fn gave_up(&self, gave_up: &GaveUp<'_>) {
        self.0.iter().for_each(|observer| observer.gave_up(gave_up));
    }
    fn reconciled(&self, reconciled: &Reconciled<'_>) {
        self.0.iter().for_each(|observer| observer.reconciled(reconciled));
    }
}

/// The most objects that one log line names.
const NAMED: usize = 20;

/// Writes one log line for each reconcile that did something or went wrong, for each object of others that was disrupted, and for
/// each plan that became different.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Observer for Log {
    fn planned(&self, planned: &Planned<'_>) {
        let Planned { reconciler, subject, intents } = *planned;
        if intents.is_empty() {
            return tracing::info!(reconciler, %subject, "planned: nothing to do");
        }
        let named = intents.iter().take(NAMED).map(|Intent { verb, object }| format!("{verb} {object}"));
        let more = (intents.len() > NAMED).then(|| format!("{} more", intents.len() - NAMED));
        let would = named.chain(more).collect::<Vec<_>>().join(", ");
        tracing::info!(reconciler, %subject, would, "planned, and not done: mode is Plan");
    }

    fn disrupted(&self, disrupted: &Disrupted<'_>) {
        let Disrupted { reconciler, subject, object, pace, reason } = *disrupted;
        tracing::info!(reconciler, %subject, %object, pace, reason, "disrupted");
    }

    fn gave_up(&self, gave_up: &GaveUp<'_>) {
        let GaveUp { reconciler, pace, object, why } = *gave_up;
        tracing::warn!(reconciler, %object, pace, why, "gave up waiting");
    }

    fn reconciled(&self, done: &Reconciled<'_>) {
        let Reconciled { reconciler, subject, reason, message, failed, asked, writes, took, .. } = *done;
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let why = (!message.is_empty()).then_some(message);
        if failed {
            tracing::warn!(reconciler, %subject, reason, why, writes, millis, "reconcile failed");
        } else if writes > 0 {
            tracing::info!(reconciler, %subject, reason, why, asked, writes, millis, "reconciled");
        } else {
            tracing::debug!(reconciler, %subject, reason, asked, millis, "nothing to do");
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Status => "status",
            Self::Finalizer => "finalizer",
        })
    }
}
