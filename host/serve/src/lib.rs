//! Health, readiness and metrics over HTTP.
//!
//! | path | response |
//! |---|---|
//! | `/livez` | 200 while the process responds at all |
//! | `/readyz` | 200 once every reconciler that can run has listed what it reads; else 503 and the ones that have not |
//! | `/metrics` | OpenMetrics: the cost and the subjects of each reconciler; the standard metrics of controllers |
//!
//! Metrics observe an engine. They are encoded with a snapshot of it, or without one:
//!
//! ```
//! use std::sync::Arc;
//!
//! use mizzen_engine::Snapshot;
//! use mizzen_serve::{Metrics, RequestCount};
//!
//! let requests = || vec![RequestCount { method: "GET", code: 200, count: 3 }];
//! let metrics = Metrics::new(Arc::new(requests));
//! let text = metrics.encode(Some(&Snapshot { queued: 2, ..Snapshot::default() }));
//! assert!(text.contains("mizzen_workqueue_depth 2"));
//! assert!(text.contains(r#"rest_client_requests_total{code="200",method="GET"} 3"#));
//! ```

mod handlers;
mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use mizzen_engine::Snapshots;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use metrics::{Metrics, RequestCount, RequestSource};

use self::handlers::Shared;

/// Why health and metrics can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, or not one of this machine.
    #[error("can't listen on {address}: choose another `--listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Serves on an address until `shutdown` is cancelled. Returns the address it listens on, which has
/// the actual port if the requested one is 0.
///
/// # Errors
/// The address can't be listened on.
pub async fn serve(
    address: SocketAddr,
    snapshots: Snapshots,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<SocketAddr, ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let router = router(Shared { snapshots, metrics });
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "stopped serving health and metrics");
        }
    });
    Ok(bound)
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(handlers::ready))
        .route("/metrics", get(handlers::metrics))
        .with_state(shared)
}
