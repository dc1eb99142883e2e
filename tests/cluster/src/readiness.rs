//! Waits until the parts of a control plane are ready, by polling conditions.

use std::process::ExitStatus;
use std::time::Duration;

use http::Request;
use k8s_openapi::api::core::v1::{Namespace, Node, ServiceAccount};
use kube::{Api, Client};
use tokio::time::{Instant, sleep};

use crate::program::Program;

/// How long a part may take to become ready: many times its time on an idle machine, since tests share theirs
/// with compilers.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// The time between two polls.
const INTERVAL: Duration = Duration::from_millis(20);

/// Why a part did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum ReadyError {
    /// A program ended.
    #[error("{program} ended with {status}; its last lines:\n{tail}")]
    Ended {
        /// The program.
        program: Program,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        tail: String,
    },
    /// It took too long.
    #[error("{what} is not ready after {} s", TIMEOUT.as_secs())]
    TimedOut {
        /// The awaited part, e.g. `the API server`.
        what: &'static str,
    },
}

/// Polls until a condition holds. `alive` fails as soon as waiting is pointless.
pub(crate) async fn until<C, F>(
    what: &'static str,
    mut alive: impl FnMut() -> Result<(), ReadyError>,
    mut condition: C,
) -> Result<(), ReadyError>
where
    C: FnMut() -> F,
    F: Future<Output = bool>,
{
    let deadline = Instant::now() + TIMEOUT;
    loop {
        alive()?;
        if tokio::time::timeout_at(deadline, condition()).await.map_err(|_| ReadyError::TimedOut { what })? {
            return Ok(());
        }
        sleep(INTERVAL).await;
    }
}

/// Whether the API server reports that it is ready, and the namespace `default` exists.
pub(crate) async fn api_server(client: Client) -> bool {
    let Ok(request) = Request::get("/readyz").body(Vec::new()) else { return false };
    client.request_text(request).await.is_ok()
        && matches!(Api::<Namespace>::all(client).get_opt("default").await, Ok(Some(_)))
}

/// Whether the controllers work: they create the account of each namespace.
pub(crate) async fn controllers(client: Client) -> bool {
    matches!(Api::<ServiceAccount>::default_namespaced(client).get_opt("default").await, Ok(Some(_)))
}

/// Whether a node is ready.
pub(crate) async fn node(client: Client, name: &str) -> bool {
    let Ok(Some(node)) = Api::<Node>::all(client).get_opt(name).await else { return false };
    let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
