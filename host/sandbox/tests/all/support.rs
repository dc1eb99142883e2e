//! Shared by the sandbox's tests: the built components, and an empty cluster.

pub(crate) mod renderers;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::read::Level;
use mizzen_model::{AccessError, Kind, Object, ObjectRef, Query, Reads, Request};

/// An empty cluster.
pub(crate) struct Empty;

#[async_trait]
impl Reads for Empty {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        Ok(None)
    }
    async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        Ok(Vec::new())
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        Ok(0)
    }
    async fn serves(&self, _: &Kind) -> Result<bool, AccessError> {
        Ok(true)
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}

/// The target folder, which this test is in.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap();
    built.parent().unwrap().to_owned()
}

/// A hostile guest, from `$MIZZEN_GUESTS` or the folder of `make guests`.
pub(crate) fn guest(name: &str) -> PathBuf {
    let folder = std::env::var_os("MIZZEN_GUESTS").map_or_else(|| target().join("guests-out"), PathBuf::from);
    built(&folder.join(format!("{name}.wasm")), "make guests")
}

/// One of the shipped plugins.
pub(crate) fn plugin(name: &str) -> PathBuf {
    built(&target().join("plugins").join(format!("{name}.wasm")), "make plugins")
}

fn built(file: &Path, by: &str) -> PathBuf {
    assert!(file.exists(), "{} is missing: run `{by}` first", file.display());
    file.to_owned()
}

/// A request that every guest and `mtls` can reconcile.
pub(crate) fn request() -> Request {
    let subject = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"},"spec":{}}"#;
    Request { subject: subject.into(), config: "{}".into(), predecessors: Vec::new() }
}
