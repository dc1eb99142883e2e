//! How far a view is: what is wanted of it, what can be read, and what is in its way.

use mizzen_cluster::ReadError;
use mizzen_model::{Fields, Kind};
use tokio::sync::watch;

/// How far one view is. Whoever waits for it is woken when that changes.
pub(super) struct Progress {
    kind: Kind,
    state: watch::Sender<State>,
}

struct State {
    /// What the newest reflector keeps.
    wanted: Fields,
    /// Counts the reflectors of this view: a wider view is a new one.
    newest: u64,
    /// The fields that can be read; `None` before the first list is complete.
    kept: Option<Fields>,
    /// Why the reflector of that generation does not get on.
    obstacle: Option<(u64, ReadError)>,
}

impl Progress {
    pub(super) fn new(kind: Kind) -> Self {
        let state = State { wanted: Fields::identity(), newest: 0, kept: None, obstacle: None };
        Self { kind, state: watch::Sender::new(state) }
    }

    /// Asks for fields. When no reflector keeps them yet, the generation and fields of the one to be started.
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

    /// What the newest reflector keeps.
    pub(super) fn wanted(&self) -> Fields {
        self.state.borrow().wanted.clone()
    }

    /// Waits until `fields` can be read, or until the reflector that is to keep them met an obstacle.
    pub(super) async fn ready(&self, fields: &Fields) -> Result<(), ReadError> {
        let mut state = self.state.subscribe();
        let unknown = || Err(ReadError::NotSynced(self.kind.clone()));
        match state.wait_for(|state| state.answer(fields).is_some()).await {
            Ok(state) => state.answer(fields).unwrap_or_else(unknown),
            Err(_) => unknown(),
        }
    }

    /// Whether anything can be read.
    pub(super) fn readable(&self) -> Result<(), ReadError> {
        let state = self.state.borrow();
        match (&state.obstacle, &state.kept) {
            (Some((_, error)), _) if is_definite(error) => Err(error.clone()),
            // An API server that is away does not make what was read from it unknown.
            (_, Some(_)) => Ok(()),
            (Some((_, error)), None) => Err(error.clone()),
            (None, None) => Err(ReadError::NotSynced(self.kind.clone())),
        }
    }

    /// Whether a list was ever complete.
    pub(super) fn has_content(&self) -> bool {
        self.state.borrow().kept.is_some()
    }

    /// The reflector of this generation does not get on. True when what could be read till now can't be any more.
    pub(super) fn blocked(&self, generation: u64, error: &ReadError) -> bool {
        let mut lost = false;
        self.state.send_if_modified(|state| {
            if state.newest != generation {
                return false;
            }
            let is_news = is_definite(error) && !state.obstacle.as_ref().is_some_and(|(_, error)| is_definite(error));
            if is_news {
                tracing::warn!(kind = %self.kind, %error, "a kind can't be read");
            }
            lost = is_news && state.kept.is_some();
            state.obstacle = Some((generation, error.clone()));
            true
        });
        lost
    }

    /// The reflector of this generation gets on again where it was. True when that can be read again.
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

    /// A list with these fields is complete. True when there was an obstacle before.
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
    /// What to tell somebody who waits for `fields`; `None`: to wait on.
    fn answer(&self, fields: &Fields) -> Option<Result<(), ReadError>> {
        match (&self.obstacle, &self.kept) {
            (Some((_, error)), _) if is_definite(error) => Some(Err(error.clone())),
            (_, Some(kept)) if kept.covers(fields) => Some(Ok(())),
            (Some((generation, error)), _) if *generation == self.newest => Some(Err(error.clone())),
            _ => None,
        }
    }
}

/// Whether an error is the API server's considered answer, and not the lack of one.
pub(crate) fn is_definite(error: &ReadError) -> bool {
    matches!(error, ReadError::NotServed(_) | ReadError::Forbidden { .. })
}
