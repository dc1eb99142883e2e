//! Where the configuration of a running host comes from: files, or objects of the cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mizzen_cluster::{Change, Changes, Cluster, ReadError, Scope, Selection, View};
use mizzen_config::{Configuration, Problem, RECONCILER, RENDERER};
use mizzen_model::{Fields, Kind, Object};

use crate::assemble;

/// Where the configuration comes from.
pub(crate) enum Source {
    Files(Vec<PathBuf>),
    Cluster(Arc<dyn Cluster>, Changes),
}

// === impl Source ===

impl Source {
    /// The objects of a cluster, listed and watched from now on.
    pub(crate) async fn of_cluster(cluster: Arc<dyn Cluster>) -> anyhow::Result<Self> {
        let changes = cluster.subscribe();
        watch(&*cluster, &RECONCILER)
            .await
            .context("the configuration can't be read; apply `mizzen crd`, or give a file with `-f`")?;
        // A cluster that has been told of no renderers has none; should it be told later, `changed` notices.
        match watch(&*cluster, &RENDERER).await {
            Err(ReadError::NotServed(_)) => {
                tracing::info!("no renderers: this cluster does not know the kind; apply `mizzen crd`");
            }
            other => other.context("the renderers can't be read")?,
        }
        Ok(Self::Cluster(cluster, changes))
    }

    /// The names of all reconcilers of the configuration, also of those whose documents are wrong; `None`: not known now. Files that
    /// are wrong are not taken in at all.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        let Self::Cluster(cluster, _) = self else { return None };
        let objects = cluster.list(Scope::All, &RECONCILER, &Selection::default()).ok()?;
        Some(objects.iter().map(|object| object.reference.name.to_string()).collect())
    }

    /// The configuration as it is now.
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

    /// Waits until the configuration may have changed: for files, `FileWatch` tells.
    pub(crate) async fn changed(&mut self) {
        let Self::Cluster(cluster, changes) = self else { return std::future::pending().await };
        loop {
            match changes.recv().await {
                Some(Change::Object { before, after, .. }) => {
                    let object = after.as_ref().or(before.as_ref());
                    let ours = |object: &Arc<Object>| [&*RECONCILER, &*RENDERER].contains(&&object.reference.kind);
                    if object.is_some_and(ours) && written(before.as_deref()) != written(after.as_deref()) {
                        return;
                    }
                }
                Some(Change::Served(kind)) if kind == *RENDERER => {
                    if let Err(error) = watch(&**cluster, &RENDERER).await {
                        tracing::warn!(%error, "the renderers can't be read");
                    }
                    return;
                }
                Some(Change::Served(_) | Change::Watched(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }
}

/// How often, and after what pause, a kind is tried again that can't be listed now: the storage of one that was just defined is not there at once.
const TRIES: usize = 60;
const PAUSE: Duration = Duration::from_millis(500);

async fn watch(cluster: &dyn Cluster, kind: &Kind) -> Result<(), ReadError> {
    let mut tried = 0;
    loop {
        let view = View { kind: kind.clone(), scope: Scope::All, fields: Fields::Whole };
        match cluster.watch(view).await {
            Err(ReadError::Unavailable { .. }) if tried < TRIES => tried += 1,
            done => return done,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is its author's of an object: its status is our own doing. Labels, which renderers are chosen by, are counted in no generation.
fn written(object: Option<&Object>) -> Option<(&str, i64, &mizzen_model::Labels)> {
    object.map(|object| (&*object.uid, object.generation, &object.labels))
}
