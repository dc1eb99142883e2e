//! The command lines of the programs.

use std::path::Path;
use std::{fs, io};

use serde_json::json;

use crate::credentials::{
    ACCOUNT_KEY, ACCOUNT_PUBLIC_KEY, ADMIN, CA, Credentials, SERVER_CERTIFICATE, SERVER_KEY, TOKENS,
};

/// Room for 65,000 Services; a smaller range would end a test of thousands.
const SERVICE_ADDRESSES: &str = "10.96.0.0/16";

/// The file with the API server's egress configuration.
const EGRESS: &str = "egress.yaml";

/// Writes the files that the API server's flags name.
///
/// Nothing runs in the cluster, and its addresses may exist in the machine's network. Requests of the API
/// server to the cluster, of webhooks above all, go to a socket that does not exist, and fail at once.
pub(crate) fn write_files(folder: &Path) -> io::Result<()> {
    let nowhere = folder.join("nowhere.sock");
    let connection = json!({"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": nowhere}}});
    let closed = json!({"apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration",
                        "egressSelections": [{"name": "cluster", "connection": connection}]});
    fs::write(folder.join(EGRESS), closed.to_string())
}

pub(crate) fn etcd(folder: &Path, clients: u16, peers: u16) -> Vec<String> {
    let (clients, peers) = (loopback(clients), loopback(peers));
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // The data need not outlive a power failure, and each write would wait for the disk.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

/// Whether pods need a `ServiceAccount`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceAccounts {
    /// The controller-manager creates them.
    Required,
    /// There is no controller-manager, so the API server must admit pods without one.
    NotRequired,
}

pub(crate) fn apiserver(folder: &Path, etcd: u16, port: u16, accounts: ServiceAccounts) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut flags = vec![
        format!("--etcd-servers={}", loopback(etcd)),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // The default would be an interface's address. An EndpointSlice can't have a loopback address, so it is
        // not published.
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", file(SERVER_CERTIFICATE)),
        format!("--tls-private-key-file={}", file(SERVER_KEY)),
        format!("--token-auth-file={}", file(TOKENS)),
        format!("--service-account-key-file={}", file(ACCOUNT_PUBLIC_KEY)),
        format!("--service-account-signing-key-file={}", file(ACCOUNT_KEY)),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-cluster-ip-range={SERVICE_ADDRESSES}"),
        format!("--egress-selector-config-file={}", file(EGRESS)),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged".to_owned(),
    ];
    if accounts == ServiceAccounts::NotRequired {
        flags.push("--disable-admission-plugins=ServiceAccount".to_owned());
    }
    flags
}

pub(crate) fn controller_manager(folder: &Path, credentials: &Credentials) -> Vec<String> {
    vec![
        kubeconfig(credentials),
        format!("--service-account-private-key-file={}", folder.join(ACCOUNT_KEY).display()),
        format!("--root-ca-file={}", folder.join(CA).display()),
        "--leader-elect=false".to_owned(),
        NO_SERVER.to_owned(),
        // kwok's node reports once that it is ready: after the default 50 s, its pods would become unready.
        "--node-monitor-grace-period=24h".to_owned(),
        // The default of 20 per second would dominate a test with thousands of objects.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ]
}

pub(crate) fn scheduler(credentials: &Credentials) -> Vec<String> {
    vec![kubeconfig(credentials), "--leader-elect=false".to_owned(), NO_SERVER.to_owned()]
}

/// Turns off the server for health and metrics.
const NO_SERVER: &str = "--secure-port=0";

pub(crate) fn kubeconfig(credentials: &Credentials) -> String {
    format!("--kubeconfig={}", credentials.kubeconfig_path(ADMIN).display())
}

fn loopback(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
