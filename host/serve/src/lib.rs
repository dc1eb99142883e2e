//! Health, readiness and metrics over HTTP.
//!
//! | path | says |
//! |---|---|
//! | `/livez` | 200 while the process answers at all |
//! | `/readyz` | 200 once every reconciler that can run has listed what it reads; else 503 and which have not |
//! | `/metrics` | OpenMetrics: calls, time, reads, bytes and writes by reconciler; how its subjects stand |

mod health;
mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use mizzen_engine::Snapshots;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use metrics::Metrics;

/// What the handlers look at.
#[derive(Clone)]
struct Shared {
    snapshots: Snapshots,
    metrics: Arc<Metrics>,
}

/// Serves on an address until it is told to stop. Gives the address it listens on, which differs when the port asked for is 0.
///
/// # Errors
/// When the address can't be listened on.
pub async fn serve(
    address: SocketAddr,
    snapshots: Snapshots,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}: choose another `--listen`"))?;
    let bound = listener.local_addr()?;
    let router = router(Shared { snapshots, metrics });
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await;
        if let Err(error) = served {
            tracing::error!(%error, "health and metrics are no longer served");
        }
    });
    Ok(bound)
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(shared)
}
