//! Looks for the objects of applies without a response at the API server, since no view may have them: one is pruned
//! when it is not wanted any more, and the finalizer stays until it is known whether it exists.

use std::collections::HashSet;

use mizzen_cluster::{ReadError, WriteError};

use super::owned::{Confirmed, Owned};
use super::writer::{Writer, unavailable};
use crate::identity::Identity;
use crate::unconfirmed::Effect;

// === impl Writer ===

impl Writer {
    /// Looks up the objects of applies without a response, except those in `keep`.
    ///
    /// # Errors
    /// One can't be looked up.
    pub(super) async fn confirm(&mut self, keep: &HashSet<Identity<'_>>) -> Result<Confirmed, WriteError> {
        let mut confirmed = Confirmed::default();
        for (object, effect) in self.unconfirmed.unwanted(keep) {
            let found = match self.cluster().lookup(&object).await {
                Ok(found) => found.map(|found| found.object),
                Err(ReadError::NotServed(kind)) => match self.cluster().served_as(&kind).await {
                    Ok(None) => None,
                    Ok(Some(_)) => return Err(unavailable(&object, &ReadError::NotServed(kind))),
                    Err(error) => return Err(unavailable(&object, &error)),
                },
                Err(error) => return Err(unavailable(&object, &error)),
            };
            match found.and_then(|object| Some((self.ownership_of(&object)?, object))) {
                Some((ownership, object)) => confirmed.owned.push(Owned { object, ownership }),
                None if effect == Effect::Over => self.unconfirmed.forget(&object),
                None => confirmed.open = confirmed.open.or(Some(object)),
            }
        }
        Ok(confirmed)
    }
}
