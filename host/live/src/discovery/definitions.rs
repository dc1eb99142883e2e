//! Follows the cluster's CRDs, by metadata alone: their names tell which API group changed.

use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::{self, Event, watcher};

use super::Discovery;
use crate::link::Link;
use crate::pause::Pause;

/// CRDs applied by kubectl carry themselves in an annotation, up to 256 KiB: few at a time.
const PAGE: u32 = 20;

/// How long to wait where CRDs may not be watched. Kinds that are waited for are polled all the same.
const FORBIDDEN_WAIT: Duration = Duration::from_mins(5);

/// Tells `discovery` of each CRD that comes, changes or goes.
pub(super) async fn follow(link: &Link, discovery: &Discovery) {
    let definitions: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(link.client().clone());
    let mut events = std::pin::pin!(watcher(definitions, watcher::Config::default().page_size(PAGE)));
    let mut pause = Pause::short();
    let mut listed_before = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(definition) | Event::Delete(definition)) => {
                if let Some((_, group)) = definition.metadata.name.as_deref().and_then(|name| name.split_once('.')) {
                    discovery.doubt(group);
                }
            }
            // After a gap, whatever happened in it is unknown. The first list comes before anything was known.
            Ok(Event::InitDone) if listed_before => discovery.doubt_all(),
            Ok(Event::InitDone) => listed_before = true,
            Ok(Event::Init | Event::InitApply(_)) => {}
            Err(error) => {
                let wait = if is_forbidden(&error) { FORBIDDEN_WAIT } else { pause.next() };
                tracing::debug!(%error, "CRDs can't be watched");
                tokio::time::sleep(wait).await;
                continue;
            }
        }
        pause.reset();
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
