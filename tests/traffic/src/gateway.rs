//! A running ingress gateway: istiod, and the Envoy that it configures.

use mizzen_testcluster::{ControlPlane, Launch, Port, Running};
use tempfile::TempDir;

use crate::envoy::{Label, Node, Role};
use crate::istiod;
use crate::proxy::Proxy;
use crate::start::{StartError, failed, ready, written};
use crate::tools::Tools;

/// The ingress gateway of a test's mesh, `istio: ingressgateway` in `istio-system`. Both programs end when
/// this is dropped, or when this process ends.
///
/// It accepts requests on [`port`](Self::port) as soon as a `Gateway` has a server there. That server must
/// have `bind: 127.0.0.1`: without it, Envoy listens on every address of the machine.
#[derive(Debug)]
pub struct IngressGateway {
    // Dropped in this order: clients before their servers, the files and ports last.
    envoy: Proxy,
    istiod: Running<&'static str>,
    /// The port on which istiod serves configuration.
    grpc: u16,
    _others: Vec<Port>,
    _folder: TempDir,
}

// === impl IngressGateway ===

impl IngressGateway {
    /// Starts istiod for a control plane that has Istio's definitions, and the Envoy that it configures.
    /// Waits until both are ready.
    pub async fn start(cluster: &ControlPlane, tools: &Tools) -> Result<Self, StartError> {
        let folder = TempDir::new().map_err(failed("make a folder"))?;
        let file = |name: &str| folder.path().join(name);
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

        let label = Label { key: "istio", value: "ingressgateway" };
        let node = Node { role: Role::Gateway, name: "istio-ingressgateway", namespace: "istio-system", label };
        let envoy = Proxy::start(cluster, tools, &node, ports.grpc).await?;
        let others = vec![http, grpc, monitoring, introspection];
        Ok(Self { envoy, istiod, grpc: ports.grpc, _others: others, _folder: folder })
    }

    /// Starts another Envoy that the same istiod configures: the sidecar of a workload with this label.
    ///
    /// It accepts requests on its port as soon as a `Sidecar` has an `ingress` listener there, which must have
    /// `bind: 127.0.0.1`.
    pub async fn sidecar(
        &self,
        cluster: &ControlPlane,
        tools: &Tools,
        namespace: &str,
        label: Label<'_>,
    ) -> Result<Proxy, StartError> {
        let node = Node { role: Role::Sidecar, name: label.value, namespace, label };
        Proxy::start(cluster, tools, &node, self.grpc).await
    }

    /// The port for a `Gateway`'s server.
    pub fn port(&self) -> u16 {
        self.envoy.port()
    }

    /// The last lines of both logs, for the message of a failed test.
    pub fn tails(&self) -> String {
        format!("istiod: {}\nEnvoy: {}", self.istiod.tail(), self.envoy.tail())
    }
}
