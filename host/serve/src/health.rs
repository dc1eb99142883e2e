//! Whether the host is ready to be relied on.

use axum::extract::State;
use axum::http::StatusCode;
use mizzen_engine::State as NodeState;

use crate::Shared;

/// 200 once every reconciler that can run has listed what it reads. One that can't run does not make the others unready: its own
/// status says so.
pub(crate) async fn ready(State(shared): State<Shared>) -> (StatusCode, String) {
    let Some(snapshot) = shared.snapshots.now().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped\n".into());
    };
    if !snapshot.configured {
        return (StatusCode::SERVICE_UNAVAILABLE, "the configuration has not been read yet\n".into());
    }
    let listing: Vec<_> =
        snapshot.nodes.iter().filter(|node| node.state == NodeState::Syncing).map(|node| &*node.name).collect();
    if listing.is_empty() {
        (StatusCode::OK, "ok\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("still listing for: {}\n", listing.join(", ")))
    }
}
