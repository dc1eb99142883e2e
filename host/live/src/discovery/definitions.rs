//! Watches the cluster's CRDs by metadata alone: the name of each ends with its API group.

use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::{self, Event, watcher};

use crate::backoff::Backoff;
use crate::link::Link;

/// CRDs applied by kubectl carry a copy of themselves in an annotation, up to 256 KiB: a page has
/// few of them.
const PAGE: u32 = 20;

/// The delay before a retry where the host may not watch CRDs. Kinds that are not served are polled
/// anyway.
const FORBIDDEN_WAIT: Duration = Duration::from_mins(5);

/// Which API groups may serve other kinds than before.
pub(super) enum Changed {
    /// The group of one CRD.
    Group(String),
    /// Any: events may have been missed.
    Any,
}

/// Reports each CRD that is created, changed or deleted.
pub(super) async fn watch(link: &Link, report: impl Fn(Changed)) {
    let definitions: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(link.client().clone());
    let mut events = std::pin::pin!(watcher(definitions, watcher::Config::default().page_size(PAGE)));
    let mut backoff = Backoff::short();
    let mut listed_before = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(definition) | Event::Delete(definition)) => {
                if let Some((_, group)) = definition.metadata.name.as_deref().and_then(|name| name.split_once('.')) {
                    report(Changed::Group(group.to_owned()));
                }
            }
            // A later list follows a gap in the watch. The first one precedes all discovery.
            Ok(Event::InitDone) if listed_before => report(Changed::Any),
            Ok(Event::InitDone) => listed_before = true,
            Ok(Event::Init | Event::InitApply(_)) => {}
            Err(error) => {
                let wait = if is_forbidden(&error) { FORBIDDEN_WAIT } else { backoff.next() };
                tracing::debug!(%error, "can't watch CRDs");
                tokio::time::sleep(wait).await;
                continue;
            }
        }
        backoff.reset();
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status)) => status.is_forbidden(),
        _ => false,
    }
}
