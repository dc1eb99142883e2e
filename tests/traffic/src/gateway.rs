//! An ingress gateway that runs: istiod, and the Envoy that it configures.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mizzen_testcluster::{ControlPlane, Launch, Port, PortError, Running};
use tempfile::TempDir;

use crate::request::get;
use crate::tools::Tools;
use crate::{envoy, istiod};

/// Both are there within seconds, except on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The ingress gateway of a test's mesh, `istio: ingressgateway` in `istio-system`. Both programs end when this is dropped, or this process ends.
///
/// It takes requests on [`port`](Self::port) as soon as a `Gateway` has a server there. That server must say `bind: 127.0.0.1`: otherwise Istio has Envoy
/// listen on every address of the machine.
#[derive(Debug)]
pub struct IngressGateway {
    // Dropped in this order: who asks before who answers, the files and ports last.
    envoy: Running<&'static str>,
    istiod: Running<&'static str>,
    port: Port,
    _others: Vec<Port>,
    _folder: TempDir,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port is free.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// A file can't be written, or a program can't be run.
    #[error("can't {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A program ended, or did not become ready.
    #[error("{program} is not ready ({why}); it said last:\n{tail}")]
    NotReady {
        /// Which.
        program: &'static str,
        /// What is known of it.
        why: String,
        /// Its last lines.
        tail: String,
    },
}

// === impl IngressGateway ===

impl IngressGateway {
    /// Starts istiod for a control plane that has Istio's definitions, and the Envoy that it configures, and waits until both are ready.
    pub async fn start(cluster: &ControlPlane, tools: &Tools) -> Result<Self, StartError> {
        let folder = TempDir::new().map_err(failed("make a folder"))?;
        let file = |name: &str| folder.path().join(name);
        let (port, admin) = (cluster.port()?, cluster.port()?);
        let [http, grpc, monitoring, introspection] =
            [cluster.port()?, cluster.port()?, cluster.port()?, cluster.port()?];
        let ports = istiod::Ports {
            http: http.number(),
            grpc: grpc.number(),
            monitoring: monitoring.number(),
            introspection: introspection.number(),
        };
        let mesh = written(file("mesh.yaml"), istiod::MESH)?;
        let launch = Launch {
            path: tools.istiod().to_owned(),
            arguments: istiod::arguments(ports, &cluster.kubeconfig_path(), &mesh),
            environment: istiod::environment(),
            log: file("istiod.log"),
        };
        let mut istiod = Running::start("istiod", launch).map_err(failed("run istiod"))?;
        ready(&mut istiod, ports.http, "/ready").await?;

        let bootstrap = envoy::bootstrap(envoy::Ports { admin: admin.number(), istiod: ports.grpc });
        let bootstrap = written(file("envoy.json"), &bootstrap.to_string())?;
        let arguments = [
            "--config-path",
            &bootstrap.display().to_string(),
            // Several on one machine share no memory.
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
        ];
        let launch = Launch {
            path: tools.envoy().to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: Vec::new(),
            log: file("envoy.log"),
        };
        let mut envoy = Running::start("Envoy", launch).map_err(failed("run Envoy"))?;
        ready(&mut envoy, admin.number(), "/ready").await?;
        let others = vec![admin, http, grpc, monitoring, introspection];
        Ok(Self { envoy, istiod, port, _others: others, _folder: folder })
    }

    /// The port for a `Gateway`'s server.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// What both said last, for a test that fails.
    pub fn tails(&self) -> String {
        format!("istiod: {}\nEnvoy: {}", self.istiod.tail(), self.envoy.tail())
    }
}

/// Waits until a program says so itself.
async fn ready(program: &mut Running<&'static str>, port: u16, path: &str) -> Result<(), StartError> {
    let since = Instant::now();
    loop {
        let why = match (get(port, "localhost", path).await, program.exited()) {
            (_, Some(status)) => format!("it ended with {status}"),
            (Ok(answer), None) if answer.status == 200 => return Ok(()),
            (_, None) if since.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            (Ok(answer), None) => format!("after {PATIENCE:?} it answers {}", answer.status),
            (Err(error), None) => format!("after {PATIENCE:?}: {error}"),
        };
        return Err(StartError::NotReady { program: program.program(), why, tail: program.tail() });
    }
}

fn written(path: PathBuf, text: &str) -> Result<PathBuf, StartError> {
    fs::write(&path, text).map_err(failed("write a configuration"))?;
    Ok(path)
}

fn failed(what: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::Io { what, source }
}
