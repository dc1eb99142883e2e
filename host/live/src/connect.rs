//! Creates the client for the API server of a kubeconfig, or of the pod that the host runs in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Config;
use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::link::{Cause, Link, root};
use crate::requests::{Count, RequestCounts};

/// How long a TCP and TLS handshake may take. A server that is down refuses at once; this is for
/// one that drops packets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which cluster to connect to.
#[derive(Clone, Debug, Default)]
pub struct LiveOptions {
    /// A kubeconfig file. `None`: the files in `KUBECONFIG`, or `~/.kube/config`, or else the pod's
    /// service account.
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig. `None`: its current one.
    pub context: Option<String>,
}

/// Why there is no connection to the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig is invalid.
    #[error("invalid kubeconfig: check it with `kubectl config view`, or name another with --kubeconfig and --context")]
    Kubeconfig(#[source] KubeconfigError),
    /// There is no kubeconfig, and the host does not run in a pod.
    #[error(
        "no cluster configured: no kubeconfig ({kubeconfig}) and not in a pod ({pod}); name a file with --kubeconfig"
    )]
    NoCluster {
        /// Why there is no kubeconfig.
        kubeconfig: KubeconfigError,
        /// Why there is no service account.
        pod: InClusterError,
    },
    /// The configuration is not valid for a client.
    #[error("can't create a client for {server}")]
    Client {
        /// The API server's address.
        server: Arc<str>,
        /// What is wrong.
        #[source]
        source: kube::Error,
    },
    /// The API server does not respond.
    #[error("{server} does not respond: {}; is the cluster up, and is this its address?", root(&**source))]
    Unreachable {
        /// The API server's address.
        server: Arc<str>,
        /// What failed.
        source: Cause,
    },
    /// The API server does not serve this, or is not ready.
    #[error("{server} responded: {message}; is this the address of an API server, and is it ready?")]
    Unready {
        /// The API server's address.
        server: Arc<str>,
        /// The API server's message.
        message: String,
    },
    /// The API server does not accept the credentials.
    #[error("{server} does not accept the credentials: {message}; log in again, or check the service account's token")]
    Unauthorized {
        /// The API server's address.
        server: Arc<str>,
        /// The API server's message.
        message: String,
    },
}

/// Creates a link; nothing is sent yet.
pub(crate) async fn link(options: &LiveOptions) -> Result<Link, ConnectError> {
    let mut config = config(options).await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // The client would retry for minutes, and views would resume late after an outage. Views and
    // writes retry by themselves.
    config.default_retry = false;
    let agent = concat!("mizzen/", env!("CARGO_PKG_VERSION"));
    if let (Ok(name), Ok(value)) = ("user-agent".parse(), agent.parse()) {
        config.headers.push((name, value));
    }
    let server: Arc<str> = config.cluster_url.to_string().trim_end_matches('/').into();
    let counts = RequestCounts::default();
    let client = ClientBuilder::try_from(config)
        .map_err(|source| ConnectError::Client { server: server.clone(), source })?
        .with_layer(&Count::new(counts.clone()))
        .build();
    Ok(Link::new(client, server, counts))
}

async fn config(options: &LiveOptions) -> Result<Config, ConnectError> {
    let chosen = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let found = match &options.kubeconfig {
        Some(path) => match Kubeconfig::read_from(path) {
            Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &chosen).await,
            Err(error) => Err(error),
        },
        None => Config::from_kubeconfig(&chosen).await,
    };
    match found {
        Err(kubeconfig) if options.kubeconfig.is_none() && options.context.is_none() && is_absent(&kubeconfig) => {
            Config::incluster().map_err(|pod| ConnectError::NoCluster { kubeconfig, pod })
        }
        found => found.map_err(ConnectError::Kubeconfig),
    }
}

/// Whether there is no kubeconfig at all, as in a pod.
fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(source, _) => source.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io::Write;

    use super::*;
    use crate::Live;

    fn kubeconfig(server: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "{{apiVersion: v1, kind: Config, current-context: c, users: [], \
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
             clusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]}}"
        );
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    async fn refused(options: LiveOptions) -> ConnectError {
        Live::connect(&options).await.err().unwrap()
    }

    #[tokio::test]
    async fn an_unavailable_api_server_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let file = kubeconfig(&server);
        let error = refused(LiveOptions { kubeconfig: Some(file.path().into()), context: None }).await.to_string();
        assert!(error.starts_with(&format!("{server} does not respond: ")) && error.contains("refused"), "{error}");
        assert_eq!(error.matches(&server).count(), 1, "{error}");
    }

    #[tokio::test]
    async fn a_missing_kubeconfig_is_named() {
        let error = refused(LiveOptions { kubeconfig: Some("/no/such/kubeconfig".into()), context: None }).await;
        assert!(error.source().unwrap().to_string().contains("/no/such/kubeconfig"), "{error:?}");
    }

    #[tokio::test]
    async fn a_missing_context_is_named() {
        let file = kubeconfig("http://127.0.0.1:1");
        let options = LiveOptions { kubeconfig: Some(file.path().into()), context: Some("nowhere".into()) };
        let error = refused(options).await;
        assert!(error.source().unwrap().to_string().contains("nowhere"), "{error:?}");
    }
}
