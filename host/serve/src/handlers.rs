//! The handlers of `/readyz` and `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use mizzen_engine::{Snapshots, State as ReconcilerState};

use crate::metrics::Metrics;

/// What the handlers read.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) snapshots: Snapshots,
    pub(crate) metrics: Arc<Metrics>,
}

/// 200 once every reconciler that can run has listed what it reads. One that can't run does not
/// make the host unready: its own status reports it.
pub(crate) async fn ready(State(shared): State<Shared>) -> (StatusCode, String) {
    let Some(snapshot) = shared.snapshots.now().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped\n".into());
    };
    if !snapshot.configured {
        return (StatusCode::SERVICE_UNAVAILABLE, "the configuration has not been read yet\n".into());
    }
    let nodes = snapshot.nodes.iter();
    let listing: Vec<_> = nodes.filter(|node| node.state == ReconcilerState::Syncing).map(|node| &*node.name).collect();
    if listing.is_empty() {
        (StatusCode::OK, "ok\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("still listing for: {}\n", listing.join(", ")))
    }
}

pub(crate) async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let snapshot = shared.snapshots.now().await;
    let text = shared.metrics.encode(snapshot.as_ref());
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
