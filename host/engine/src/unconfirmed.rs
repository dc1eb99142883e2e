//! Applies without a response: each may have created its object, or may do so yet.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mizzen_cluster::WriteError;
use mizzen_model::ObjectRef;
use tokio::time::Instant;

use crate::identity::Identity;

/// How long after the missing response an apply may take effect: an API server ends each request after 60 s.
pub(crate) const IN_FLIGHT: Duration = Duration::from_secs(65);

/// The objects of applies without a response, and when that was.
#[derive(Debug, Default)]
pub(crate) struct Unconfirmed(HashMap<ObjectRef, Instant>);

/// Whether an apply without a response may still take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Possible,
    Over,
}

// === impl Unconfirmed ===

impl Unconfirmed {
    /// Notes the object of an apply, if that got no response.
    pub(crate) fn note<T>(&mut self, object: &ObjectRef, applied: &Result<T, WriteError>) {
        if matches!(applied, Err(WriteError::Unknown { .. })) {
            self.0.insert(object.clone(), Instant::now());
        }
    }

    /// The objects that are not in `keep`. Those in it are forgotten once they can't come about any more: they are
    /// applied again.
    pub(crate) fn unwanted(&mut self, keep: &HashSet<Identity<'_>>) -> Vec<(ObjectRef, Effect)> {
        let now = Instant::now();
        let effect = |since: &Instant| {
            if now.saturating_duration_since(*since) >= IN_FLIGHT { Effect::Over } else { Effect::Possible }
        };
        let is_kept = |object: &ObjectRef| keep.contains(&Identity::of(object));
        self.0.retain(|object, since| !(effect(since) == Effect::Over && is_kept(object)));
        let unwanted = self.0.iter().filter(|(object, _)| !is_kept(object));
        unwanted.map(|(object, since)| (object.clone(), effect(since))).collect()
    }

    /// Forgets an object that does not exist and can't come about any more.
    pub(crate) fn forget(&mut self, object: &ObjectRef) {
        self.0.remove(object);
    }
}

#[cfg(test)]
mod tests {
    use mizzen_model::Kind;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_apply_without_a_response_is_possible_until_the_api_server_has_ended_it() {
        let object = ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), "b");
        let unknown = WriteError::Unknown { object: object.to_string(), message: String::new() };
        let mut unconfirmed = Unconfirmed::default();
        unconfirmed.note(&object, &Ok(()));
        assert_eq!(unconfirmed.unwanted(&HashSet::new()), Vec::new());
        unconfirmed.note::<()>(&object, &Err(unknown));
        assert_eq!(unconfirmed.unwanted(&HashSet::new()), [(object.clone(), Effect::Possible)]);
        tokio::time::advance(IN_FLIGHT).await;
        assert_eq!(unconfirmed.unwanted(&HashSet::new()), [(object.clone(), Effect::Over)]);
        let keep = HashSet::from([Identity::of(&object)]);
        assert_eq!(unconfirmed.unwanted(&keep), Vec::new());
        assert_eq!(unconfirmed.unwanted(&HashSet::new()), Vec::new(), "a kept one is forgotten when its time is over");
    }
}
