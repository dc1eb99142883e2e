//! Reads of a guest that may not read: that of a `describe` call.

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::read::Level;
use mizzen_model::{AccessError, Kind, Object, ObjectRef, Query, Reads};

/// Denies every read.
pub(crate) struct NoReads;

fn denied<T>() -> Result<T, AccessError> {
    Err(AccessError::Denied("`describe` may not read: do so in `reconcile`".into()))
}

#[async_trait]
impl Reads for NoReads {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        denied()
    }
    async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        denied()
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        denied()
    }
    async fn serves(&self, _: &Kind) -> Result<bool, AccessError> {
        denied()
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}
