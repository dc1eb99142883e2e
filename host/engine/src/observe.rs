//! What the engine reports to the log, the metrics and `plan`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mizzen_k8s::Listed;
use mizzen_model::{Call, Object, ObjectRef};

/// Receives everything that the engine reports. Its methods are called from many tasks and must not block.
pub trait Observer: Send + Sync + 'static {
    /// The workqueue yielded a key, which is reconciled now.
    fn queued(&self, _queued: &Queued<'_>) {}
    /// A plugin was called.
    fn called(&self, _call: &Called<'_>) {}
    /// An object was written.
    fn wrote(&self, _write: &Written<'_>) {}
    /// What a reconciler in mode `Plan` would write for a subject has changed.
    fn planned(&self, _planned: &Planned<'_>) {}
    /// An object of another party was patched or deleted.
    fn disrupted(&self, _disrupted: &Disrupted<'_>) {}
    /// A disruption timed out or failed: it does not block its pace any longer.
    fn disruption_failed(&self, _failed: &DisruptionFailed<'_>) {}
    /// A reconcile ended.
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
    /// The subject that it was called for.
    pub subject: &'a ObjectRef,
    /// The function that was called.
    pub call: Call,
    /// `Answered` if it returned an outcome, `Refused` if it returned a failure, or the class of the error.
    pub result: &'static str,
    /// The time from the call to its result.
    pub duration: Duration,
    /// The number of distinct reads.
    pub reads: usize,
    /// Bytes of JSON passed to the guest.
    pub bytes: u64,
    /// Its HTTPS requests.
    pub traffic: Traffic,
}

/// The HTTPS requests of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The number of requests, including those answered from the cache and those that follow redirects.
    pub requests: u64,
    /// Bytes of the response bodies.
    pub received: u64,
}

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// It was created.
    Create,
    /// It existed before, and was adopted.
    Adopt,
    /// It was changed.
    Change,
    /// It was deleted.
    Delete,
    /// Its status was written.
    Status,
    /// A finalizer was added or removed.
    Finalizer,
}

/// One write.
#[derive(Debug)]
pub struct Written<'a> {
    /// The reconciler that the host wrote for.
    pub reconciler: &'a str,
    /// The subject that it wrote for.
    pub subject: &'a ObjectRef,
    /// What was done.
    pub verb: Verb,
    /// The object that was written.
    pub object: &'a ObjectRef,
    /// The object before, as far as the host knows.
    pub before: Option<Arc<Object>>,
    /// The object after; `None` if it was deleted.
    pub after: Option<Arc<Object>>,
}

/// A write that a reconciler in mode `Plan` would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What would be done.
    pub verb: Verb,
    /// The object that would be written.
    pub object: ObjectRef,
}

/// What a reconciler in mode `Plan` would write for one subject.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// The subject.
    pub subject: &'a ObjectRef,
    /// All writes that it would make; empty if the cluster matches its outcome.
    pub intents: &'a [Intent],
}

/// A patch or deletion of another party's object.
#[derive(Debug)]
pub struct Disrupted<'a> {
    /// The reconciler that wanted it.
    pub reconciler: &'a str,
    /// The subject that it was wanted for.
    pub subject: &'a ObjectRef,
    /// The object.
    pub object: &'a ObjectRef,
    /// The pace that it counts under, if any.
    pub pace: Option<&'a str>,
    /// The plugin's reason.
    pub reason: &'a str,
}

/// A disruption that timed out or failed.
#[derive(Debug)]
pub struct DisruptionFailed<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// The pace.
    pub pace: &'a str,
    /// The object.
    pub object: &'a ObjectRef,
    /// What the object says, or which deadline it met.
    pub reason: &'a str,
}

/// The end of a reconcile.
#[derive(Debug)]
pub struct Reconciled<'a> {
    /// The reconciler.
    pub reconciler: &'a str,
    /// The subject.
    pub subject: &'a ObjectRef,
    /// The reason of the condition: `Ready`, `Progressing`, …, or the class of the error.
    pub reason: &'a str,
    /// The message of the condition.
    pub message: &'a str,
    /// Whether it ended with an error.
    pub failed: bool,
    /// Whether it called the plugin.
    pub called: bool,
    /// Whether the outcome has the desired objects only so far: the plugin will want more.
    pub partial: bool,
    /// The number of writes.
    pub writes: usize,
    /// How long it took.
    pub duration: Duration,
}

/// Several observers, called one after the other.
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
    fn disruption_failed(&self, failed: &DisruptionFailed<'_>) {
        self.0.iter().for_each(|observer| observer.disruption_failed(failed));
    }
    fn reconciled(&self, reconciled: &Reconciled<'_>) {
        self.0.iter().for_each(|observer| observer.reconciled(reconciled));
    }
}

/// The most objects that a log line names.
const NAMED: usize = 20;

/// Logs each reconcile that wrote something or failed, each disruption, and each plan that changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Observer for Log {
    fn planned(&self, planned: &Planned<'_>) {
        let Planned { reconciler, subject, intents } = *planned;
        if intents.is_empty() {
            return tracing::info!(reconciler, %subject, "mode is Plan: nothing to write");
        }
        let writes = Listed::first(NAMED, intents);
        tracing::info!(reconciler, %subject, %writes, "mode is Plan: these writes are not made");
    }

    fn disrupted(&self, disrupted: &Disrupted<'_>) {
        let Disrupted { reconciler, subject, object, pace, reason } = *disrupted;
        tracing::info!(reconciler, %subject, %object, pace, reason, "disrupted");
    }

    fn disruption_failed(&self, failed: &DisruptionFailed<'_>) {
        let DisruptionFailed { reconciler, pace, object, reason } = *failed;
        tracing::warn!(reconciler, %object, pace, reason, "disruption timed out or failed");
    }

    fn reconciled(&self, reconciled: &Reconciled<'_>) {
        let Reconciled { reconciler, subject, reason, message, failed, called, writes, duration, .. } = *reconciled;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        if failed {
            tracing::warn!(reconciler, %subject, reason, error = message, writes, duration_ms, "reconcile failed");
        } else if writes > 0 {
            tracing::info!(reconciler, %subject, reason, detail = message, called, writes, duration_ms, "reconciled");
        } else {
            tracing::debug!(reconciler, %subject, reason, called, duration_ms, "nothing to write");
        }
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.object)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Status => "status",
            Self::Finalizer => "finalizer",
        })
    }
}
