//! The two operators, as processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A kube-rs controller.
    Native,
    /// The plugin in the host.
    Mizzen,
}

/// A running operator.
pub(crate) struct Operator {
    process: Child,
    _folder: TempDir,
}

const CONFIGURATION: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: api-operator}
spec:
  component: {file: api-operator.wasm}
  config: {gateway: canvas/component-gateway}
  grants:
    read:
      - {apiVersion: v1, kind: Service}
      - {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice}
      - {apiVersion: networking.istio.io/v1, kind: Gateway}
    apply:
      - {apiVersion: networking.istio.io/v1, kind: VirtualService}
      - {apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor}
";

impl Operator {
    /// Starts one from the folder that this program was built into.
    pub(crate) fn start(kind: Kind, kubeconfig: &Path) -> anyhow::Result<Self> {
        let built = std::env::current_exe()?.parent().map(PathBuf::from).context("this program is in no folder")?;
        let folder = tempfile::tempdir()?;
        let mut command = match kind {
            Kind::Native => Command::new(built.join("native-operator")),
            Kind::Mizzen => {
                let configuration = folder.path().join("reconcilers.yaml");
                std::fs::write(&configuration, CONFIGURATION)?;
                let plugins = built.parent().map(|target| target.join("plugins")).context("no target folder")?;
                ensure!(
                    plugins.join("api-operator.wasm").exists(),
                    "{} has no plugins: run `make plugins` first",
                    plugins.display()
                );
                let mut command = Command::new(built.join("mizzen"));
                command.args(["run", "--listen=127.0.0.1:0", "--log=warn", "--cache"]).arg(built.join("mizzen-cache"));
                command.arg("-f").arg(configuration).arg("--plugins").arg(plugins);
                command
            }
        };
        command.env("KUBECONFIG", kubeconfig).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command
            .spawn()
            .with_context(|| format!("{kind:?}: build it first: cargo build --release -p mizzen -p mizzen-bench"))?;
        Ok(Self { process, _folder: folder })
    }

    /// Seconds of CPU it has used, user and system.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        Ok((ticks(11) + ticks(12)) / 100.0)
    }

    /// Resident memory in MiB.
    pub(crate) fn rss_mib(&self) -> anyhow::Result<f64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let pid = self.process.id().context("the operator has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{pid}/{file}"))?)
    }
}
