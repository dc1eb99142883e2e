//! The source of a running host's configuration: files, or objects of the cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mizzen_cluster::{Change, Changes, Cluster, ReadError, Scope, Selection, View};
use mizzen_config::{Configuration, Problem, RECONCILER, RENDERER};
use mizzen_model::{Fields, Kind, Object};

use crate::assemble;

/// The source of the configuration.
pub(crate) enum Source {
    /// Files and folders.
    Files(Vec<PathBuf>),
    /// Reconciler and Renderer objects.
    Cluster(Arc<dyn Cluster>, Changes),
}

// === impl Source ===

impl Source {
    /// The objects of a cluster, which are watched from this call on.
    ///
    /// # Errors
    /// The Reconciler objects can't be listed, usually because their CRD is not installed.
    pub(crate) async fn of_cluster(cluster: Arc<dyn Cluster>) -> anyhow::Result<Self> {
        let changes = cluster.subscribe();
        watch(&*cluster, &RECONCILER)
            .await
            .context("can't read the configuration: apply `mizzen crd`, or name a file with `-f`")?;
        // Without the CRD there are no renderers; `changed` notices when it is installed.
        match watch(&*cluster, &RENDERER).await {
            Err(ReadError::NotServed(_)) => {
                tracing::info!("no renderers: their CRD is not installed; apply `mizzen crd`");
            }
            other => other.context("can't read the renderers")?,
        }
        Ok(Self::Cluster(cluster, changes))
    }

    /// The names of all Reconciler objects, including invalid ones; `None`: they can't be listed,
    /// or the source is files, which are applied only as a whole.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        let Self::Cluster(cluster, _) = self else { return None };
        let objects = cluster.list(Scope::All, &RECONCILER, &Selection::default()).ok()?;
        Some(objects.iter().map(|object| object.reference.name.to_string()).collect())
    }

    /// Reads the current configuration, and the problems of documents that are left out.
    pub(crate) fn configuration(&self) -> anyhow::Result<(Configuration, Vec<Problem>)> {
        match self {
            Self::Files(files) => Ok((assemble::configuration_of(files)?, Vec::new())),
            Self::Cluster(cluster, _) => {
                let mut objects = cluster.list(Scope::All, &RECONCILER, &Selection::default())?;
                match cluster.list(Scope::All, &RENDERER, &Selection::default()) {
                    Err(ReadError::NotServed(_)) => {}
                    found => objects.extend(found?),
                }
                Ok(Configuration::lenient(objects.iter().map(|object| &**object)))
            }
        }
    }

    /// Waits until the objects may have changed. Files are watched by a `FileWatch`.
    pub(crate) async fn changed(&mut self) {
        let Self::Cluster(cluster, changes) = self else { return std::future::pending().await };
        loop {
            match changes.recv().await {
                Some(Change::Object { before, after, .. }) => {
                    let object = after.as_ref().or(before.as_ref());
                    let is_configuration =
                        |object: &Arc<Object>| [&*RECONCILER, &*RENDERER].contains(&&object.reference.kind);
                    if object.is_some_and(is_configuration) && written(before.as_deref()) != written(after.as_deref()) {
                        return;
                    }
                }
                Some(Change::Served(kind)) if kind == *RENDERER => {
                    if let Err(error) = watch(&**cluster, &RENDERER).await {
                        tracing::warn!(%error, "can't read the renderers");
                    }
                    return;
                }
                Some(Change::Served(_) | Change::Watched(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }
}

/// Retries of a kind that can't be listed: the storage of a new CRD takes some time.
const RETRIES: usize = 60;

/// The delay before each retry.
const RETRY_DELAY: Duration = Duration::from_millis(500);

async fn watch(cluster: &dyn Cluster, kind: &Kind) -> Result<(), ReadError> {
    let mut tried = 0;
    loop {
        let view = View { kind: kind.clone(), scope: Scope::All, fields: Fields::Whole };
        match cluster.watch(view).await {
            Err(ReadError::Unavailable { .. }) if tried < RETRIES => tried += 1,
            done => return done,
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// What users write of an object: not the status, but the labels, which select renderers and are in
/// no generation.
fn written(object: Option<&Object>) -> Option<(&str, i64, &mizzen_model::Labels)> {
    object.map(|object| (&*object.uid, object.generation, &object.labels))
}
