//! An Envoy that istiod configures.

use mizzen_testcluster::{ControlPlane, Launch, Port, Running};
use tempfile::TempDir;

use crate::envoy::{self, Node};
use crate::request::get;
use crate::start::{StartError, failed, ready, written};
use crate::tools::Tools;

/// A proxy of the mesh. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    // Dropped in this order: the files and ports last.
    envoy: Running<&'static str>,
    port: Port,
    admin: Port,
    _folder: TempDir,
}

// === impl Proxy ===

impl Proxy {
    /// Starts an Envoy, and waits until it has its first configuration.
    pub(crate) async fn start(
        cluster: &ControlPlane,
        tools: &Tools,
        node: &Node<'_>,
        istiod: u16,
    ) -> Result<Self, StartError> {
        let folder = TempDir::new().map_err(failed("make a folder"))?;
        let (port, admin) = (cluster.port()?, cluster.port()?);
        let bootstrap = envoy::bootstrap(node, envoy::Ports { admin: admin.number(), istiod });
        let bootstrap = written(folder.path().join("envoy.json"), &bootstrap.to_string())?;
        let arguments = [
            "--config-path",
            &bootstrap.display().to_string(),
            // Several on one machine must not share memory.
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
        ];
        let launch = Launch {
            path: tools.envoy().to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: Vec::new(),
            log: folder.path().join("envoy.log"),
        };
        let mut envoy = Running::start("Envoy", launch).map_err(failed("run Envoy"))?;
        ready(&mut envoy, admin.number(), "/ready").await?;
        Ok(Self { envoy, port, admin, _folder: folder })
    }

    /// The port for its listener.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Whether its active configuration contains a text.
    pub async fn is_configured_with(&self, text: &str) -> bool {
        let dump = get(self.admin.number(), "localhost", "/config_dump?resource=dynamic_listeners").await;
        dump.is_ok_and(|dump| dump.status == 200 && dump.body.contains(text))
    }

    /// The last lines of its log, for the message of a failed test.
    pub fn tail(&self) -> String {
        self.envoy.tail()
    }
}
