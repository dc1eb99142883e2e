//! The command lines of the programs.

use std::path::Path;
use std::{fs, io};

use serde_json::json;

use crate::credentials::{
    ACCOUNT_KEY, ACCOUNT_PUBLIC_KEY, ADMIN, CA, Credentials, SERVER_CERTIFICATE, SERVER_KEY, TOKENS,
};

/// Room for 65,000 Services; a smaller range would end a test of thousands.
const SERVICE_ADDRESSES: &str = "10.96.0.0/16";

/// The file that says how the API server reaches what runs in the cluster.
const EGRESS: &str = "egress.yaml";

/// Writes the files that the API server's flags name.
///
/// Nothing really runs in the cluster, and its addresses may be somebody's: what the API server would send there, webhooks' requests above
/// all, goes to a socket that does not exist, and fails at once.
pub(crate) fn write_files(folder: &Path) -> io::Result<()> {
    let nowhere = folder.join("nowhere.sock");
    let closed = json!({"apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration", "egressSelections": [
        {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": nowhere}}}}]});
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
        // Nothing is to outlive a power failure here, and each write would wait for the disk.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

/// `service_accounts`: whether a controller-manager makes the accounts that pods need; without one the API server must not ask for them.
pub(crate) fn apiserver(folder: &Path, etcd: u16, port: u16, service_accounts: bool) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut flags = vec![
        format!("--etcd-servers={}", loopback(etcd)),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // No interface is looked for, and the address of loopback, which no EndpointSlice may hold, is not published.
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
    if !service_accounts {
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
        // kwok's node says once that it is ready, and then no more: after 50 s its pods would no longer be ready.
        "--node-monitor-grace-period=24h".to_owned(),
        // Its own 20 a second would be what a test of thousands measures.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ]
}

pub(crate) fn scheduler(credentials: &Credentials) -> Vec<String> {
    vec![kubeconfig(credentials), "--leader-elect=false".to_owned(), NO_SERVER.to_owned()]
}

/// Health and metrics of these programs are asked for by nobody.
const NO_SERVER: &str = "--secure-port=0";

pub(crate) fn kubeconfig(credentials: &Credentials) -> String {
    format!("--kubeconfig={}", credentials.kubeconfig_path(ADMIN).display())
}

fn loopback(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
