//! The state of a view: which fields are wanted, which can be read, and why its reflector fails.

use mizzen_cluster::ReadError;
use mizzen_model::{Fields, Kind};
use tokio::sync::watch;

/// The state of one view; changes wake those who wait for it.
pub(super) struct Progress {
    kind: Kind,
    state: watch::Sender<State>,
}

struct State {
    /// The fields that the newest reflector keeps.
    wanted: Fields,
    /// The generation of the newest reflector; widening a view starts another one.
    newest: u64,
    /// The fields that can be read; `None` before the first list is complete.
    kept: Option<Fields>,
    /// Why the reflector of that generation fails.
    obstacle: Option<(u64, ReadError)>,
}

impl Progress {
    pub(super) fn new(kind: Kind) -> Self {
        let state = State { wanted: Fields::identity(), newest: 0, kept: None, obstacle: None };
        Self { kind, state: watch::Sender::new(state) }
    }

    /// Requests fields. Returns generation and fields of the reflector to be started if none keeps
    /// them yet.
    pub(super) fn want(&self, fields: &Fields) -> Option<(u64, Fields)> {
        let mut begun = None;
        self.state.send_if_modified(|state| {
            if state.newest > 0 && state.wanted.covers(fields) {
                return false;
            }
            state.wanted = if state.newest == 0 { fields.clone() } else { state.wanted.union(fields) };
            state.newest += 1;
            begun = Some((state.newest, state.wanted.clone()));
            true
        });
        begun
    }

    /// The fields that the newest reflector keeps.
    pub(super) fn wanted(&self) -> Fields {
        self.state.borrow().wanted.clone()
    }

    /// Waits until `fields` can be read, or until their reflector fails.
    pub(super) async fn ready(&self, fields: &Fields) -> Result<(), ReadError> {
        let mut state = self.state.subscribe();
        let unknown = || Err(ReadError::NotSynced(self.kind.clone()));
        match state.wait_for(|state| state.outcome(fields).is_some()).await {
            Ok(state) => state.outcome(fields).unwrap_or_else(unknown),
            Err(_) => unknown(),
        }
    }

    /// Whether anything can be read.
    pub(super) fn readable(&self) -> Result<(), ReadError> {
        let state = self.state.borrow();
        match (&state.obstacle, &state.kept) {
            (Some((_, error)), _) if is_definite(error) => Err(error.clone()),
            // While the API server is unavailable, the last known objects can be read.
            (_, Some(_)) => Ok(()),
            (Some((_, error)), None) => Err(error.clone()),
            (None, None) => Err(ReadError::NotSynced(self.kind.clone())),
        }
    }

    /// Whether a list was ever complete.
    pub(super) fn has_content(&self) -> bool {
        self.state.borrow().kept.is_some()
    }

    /// The reflector of this generation failed. True if the view can't be read any longer because
    /// of it.
    pub(super) fn blocked(&self, generation: u64, error: &ReadError) -> bool {
        let mut lost = false;
        self.state.send_if_modified(|state| {
            if state.newest != generation {
                return false;
            }
            let is_new = is_definite(error) && !state.obstacle.as_ref().is_some_and(|(_, error)| is_definite(error));
            if is_new {
                tracing::warn!(kind = %self.kind, %error, "can't read a kind");
            }
            lost = is_new && state.kept.is_some();
            state.obstacle = Some((generation, error.clone()));
            true
        });
        lost
    }

    /// The reflector of this generation resumed its watch. True if the view can be read again
    /// because of it.
    pub(super) fn resumed(&self, generation: u64) -> bool {
        let mut back = false;
        self.state.send_if_modified(|state| {
            if state.newest != generation || state.obstacle.is_none() {
                return false;
            }
            back = state.obstacle.take().is_some_and(|(_, error)| is_definite(&error));
            true
        });
        back
    }

    /// A list with these fields is complete. True if the reflector had failed before.
    pub(super) fn listed(&self, generation: u64, fields: &Fields) -> bool {
        let mut back = false;
        self.state.send_modify(|state| {
            state.kept = Some(fields.clone());
            if state.newest == generation {
                back = state.obstacle.take().is_some();
            }
        });
        back
    }
}

impl State {
    /// The result of waiting for `fields`; `None`: there is none yet.
    fn outcome(&self, fields: &Fields) -> Option<Result<(), ReadError>> {
        match (&self.obstacle, &self.kept) {
            (Some((_, error)), _) if is_definite(error) => Some(Err(error.clone())),
            (_, Some(kept)) if kept.covers(fields) => Some(Ok(())),
            (Some((generation, error)), _) if *generation == self.newest => Some(Err(error.clone())),
            _ => None,
        }
    }
}

/// Whether an error is the API server's decision, and not a missing response.
pub(crate) fn is_definite(error: &ReadError) -> bool {
    matches!(error, ReadError::NotServed(_) | ReadError::Forbidden { .. })
}
