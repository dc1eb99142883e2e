//! Writes, and how they fail.

use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::memory::Memory;
use mizzen_cluster::{Apply, Cluster, Target, WriteError};
use mizzen_model::{Object, ObjectRef};
use serde_json::Value;

use crate::random::Random;

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// Refused: too many requests, a quota, a webhook.
    Temporary,
    /// Not sent: there is no connection.
    Unavailable,
    /// It took effect, and the response was lost.
    Effective,
    /// It was lost, and so was the response.
    Lost,
    /// There was no response in time, and it takes effect after this time.
    Late(Duration),
}

/// A write, kept for when it takes effect.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Apply { manager: String, document: Value, target: Target, force: bool },
    Delete { object: ObjectRef, uid: String, version: Option<u64> },
    AddFinalizer(ObjectRef, String, String),
    RemoveFinalizer(ObjectRef, String, String),
}

// === impl WriteFault ===

impl WriteFault {
    pub(super) fn random(random: &mut Random) -> Self {
        match random.below(6) {
            0 | 1 => Self::Temporary,
            2 => Self::Unavailable,
            3 => Self::Effective,
            4 => Self::Lost,
            _ => Self::Late(random.millis(20_000)),
        }
    }
}

// === impl Write ===

impl Write {
    pub(super) fn of(apply: Apply<'_>) -> Self {
        let Apply { manager, document, target, force } = apply;
        Self::Apply { manager: manager.to_owned(), document: document.clone(), target, force }
    }

    /// Performs it, and returns the object as it is then.
    pub(super) async fn perform(&self, memory: &Memory) -> Result<Option<Arc<Object>>, WriteError> {
        match self {
            Self::Apply { manager, document, target, force } => {
                memory.apply(Apply { manager, document, target: *target, force: *force }).await.map(Some)
            }
            Self::Delete { object, uid, version } => memory.delete(object, uid, *version).await.map(|()| None),
            Self::AddFinalizer(object, uid, finalizer) => {
                memory.add_finalizer(object, uid, finalizer).await?;
                Ok(memory.lookup(object).await.ok().flatten().map(|found| found.object))
            }
            Self::RemoveFinalizer(object, uid, finalizer) => {
                memory.remove_finalizer(object, uid, finalizer).await?;
                Ok(memory.lookup(object).await.ok().flatten().map(|found| found.object))
            }
        }
    }

    /// Fails it.
    pub(super) async fn fail(self, fault: WriteFault, memory: &Memory) -> WriteError {
        let (object, message) = (self.object(), format!("a fault: {fault:?}"));
        match fault {
            WriteFault::Temporary => return WriteError::Temporary { object, message },
            WriteFault::Unavailable => return WriteError::Unavailable { object, message },
            WriteFault::Lost => {}
            WriteFault::Effective => {
                // A refusal is a response: it is lost, too.
                let _ = self.perform(memory).await;
            }
            WriteFault::Late(delay) => {
                let memory = memory.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _ = self.perform(&memory).await;
                });
            }
        }
        WriteError::Unknown { object, message }
    }

    fn object(&self) -> String {
        match self {
            Self::Apply { document, .. } => {
                Object::reference_of(document).map_or_else(|e| e.to_string(), |o| o.to_string())
            }
            Self::Delete { object, .. } | Self::AddFinalizer(object, ..) | Self::RemoveFinalizer(object, ..) => {
                object.to_string()
            }
        }
    }
}
