//! The two operators, as processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The Gateway that both publish APIs on.
pub(crate) const GATEWAY: &str = "canvas/component-gateway";

/// How long an operator may take to become ready.
const READY: Duration = Duration::from_mins(1);

/// One of the operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A kube-rs controller.
    Native,
    /// The plugin in the host.
    Mizzen,
}

/// The input of `mizzen run`: a folder of components, and the reconcilers.
pub(crate) struct Setup<'a> {
    /// The folder of components.
    pub(crate) plugins: PathBuf,
    /// The components that are used.
    pub(crate) components: &'a [&'a str],
    /// `Reconciler` documents.
    pub(crate) configuration: &'a str,
}

/// A running operator. It ends when this is dropped.
pub(crate) struct Operator {
    process: Child,
    log: PathBuf,
    _folder: TempDir,
}

const CONFIGURATION: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: api-operator}
spec:
  component: {file: api-operator.wasm}
  subject: {apiVersion: oda.tmforum.org/v1, kind: ExposedAPI}
  config: {gateway: canvas/component-gateway}
  grants:
    read:
      - {apiVersion: v1, kind: Service}
      - {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice}
      - {apiVersion: networking.istio.io/v1, kind: Gateway}
      - {apiVersion: networking.istio.io/v1, kind: VirtualService}
    apply:
      - {apiVersion: networking.istio.io/v1, kind: VirtualService}
      - {apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor}
      - {apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter}
";

impl Setup<'_> {
    /// Only `api-operator`: the task of the native operator.
    pub(crate) fn api_operator() -> anyhow::Result<Self> {
        Ok(Self { plugins: plugins()?, components: &["api-operator.wasm"], configuration: CONFIGURATION })
    }

    /// Compiles the components, so that no measured run does.
    pub(crate) async fn compile(&self, cache: &Path) -> anyhow::Result<()> {
        for name in self.components {
            let mut inspect = Command::new(built()?.join("mizzen"));
            inspect.args(["plugin", "inspect"]).arg(self.plugins.join(name)).arg("--cache").arg(cache);
            ensure!(inspect.stdout(Stdio::null()).status().await?.success(), "{name} is not a component");
        }
        Ok(())
    }

    /// Compiles a renderer ahead, as in a deployment: the host does not have the memory for it.
    pub(crate) async fn compile_renderer(&self, name: &str, cache: &Path) -> anyhow::Result<()> {
        let file = self.plugins.join(name);
        ensure!(file.exists(), "{name} does not exist: run `make istio-clients` first");
        let mut compile = Command::new(built()?.join("mizzen"));
        compile.args(["plugin", "compile", "--cache"]).arg(cache).arg(file);
        ensure!(compile.stdout(Stdio::null()).status().await?.success(), "{name} can't be compiled");
        Ok(())
    }
}

impl Operator {
    /// Starts one of the two, each with the same task. Both are built into the folder of this program.
    pub(crate) fn start(kind: Kind, kubeconfig: &Path) -> anyhow::Result<Self> {
        match kind {
            Kind::Native => {
                let mut command = Command::new(built()?.join("native-operator"));
                command.args(["--gateway", GATEWAY]);
                Self::spawn(command, kubeconfig, tempfile::tempdir()?)
            }
            Kind::Mizzen => Self::mizzen(&Setup::api_operator()?, kubeconfig, &cache()?),
        }
    }

    /// Starts `mizzen run`, with compiled components in `cache`.
    pub(crate) fn mizzen(setup: &Setup<'_>, kubeconfig: &Path, cache: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let configuration = folder.path().join("reconcilers.yaml");
        std::fs::write(&configuration, setup.configuration)?;
        let mut command = Command::new(built()?.join("mizzen"));
        command.args([
            "run",
            "--listen=127.0.0.1:0",
            "--log=warn,mizzen::commands=info,mizzen_sandbox::render=info",
            "--log-format=json",
        ]);
        command.arg("-f").arg(configuration).arg("--plugins").arg(&setup.plugins).arg("--cache").arg(cache);
        Self::spawn(command, kubeconfig, folder)
    }

    fn spawn(mut command: Command, kubeconfig: &Path, folder: TempDir) -> anyhow::Result<Self> {
        let log = folder.path().join("log");
        let output = std::fs::File::create(&log)?;
        command.arg("--kubeconfig").arg(kubeconfig).kill_on_drop(true);
        command.stdout(Stdio::from(output.try_clone()?)).stderr(Stdio::from(output));
        let process =
            command.spawn().with_context(|| format!("{}: run `make bench-build` first", command_name(&command)))?;
        Ok(Self { process, log, _folder: folder })
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        tokio::time::timeout(READY, async {
            while !self.is_ready().await? {
                self.runs()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        })
        .await
        .with_context(|| format!("not ready after {} s; its log:\n{}", READY.as_secs(), self.logged()))?
    }

    async fn is_ready(&self) -> anyhow::Result<bool> {
        if self.logged().lines().any(|line| line == "ready") {
            return Ok(true);
        }
        let Some(address) = self.address() else { return Ok(false) };
        Ok(get(&address, "/readyz").await.is_ok_and(|response| response.contains("\r\n\r\nok")))
    }

    /// The address of health and metrics, from the log of `mizzen run`.
    fn address(&self) -> Option<String> {
        let log = self.logged();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.find_map(|line| line["address"].as_str().map(str::to_owned))
    }

    /// Returns the sum of a metric over all its labels.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<u64> {
        self.sum(name, "").await
    }

    /// Returns the sum of a metric for one reconciler.
    pub(crate) async fn metric_of(&self, reconciler: &str, name: &str) -> anyhow::Result<u64> {
        self.sum(name, &format!("reconciler=\"{reconciler}\"")).await
    }

    async fn sum(&self, name: &str, label: &str) -> anyhow::Result<u64> {
        let text = get(&self.address().context("the operator serves no metrics")?, "/metrics").await?;
        let of = |line: &&str| line.split(['{', ' ']).next() == Some(name) && line.contains(label);
        Ok(text.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// Fails when it has ended.
    pub(crate) fn runs(&mut self) -> anyhow::Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the operator has ended ({status}); its log:\n{}", self.logged()),
        }
    }

    /// Its log.
    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Seconds of CPU it has used, user and system.
    #[expect(clippy::cast_precision_loss, reason = "ticks of a hundredth of a second")]
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        Ok((ticks(11) + ticks(12)) / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory in MiB.
    pub(crate) fn rss_mib(&self) -> anyhow::Result<f64> {
        self.mib("VmRSS:")
    }

    /// The maximum of its resident memory, in MiB.
    pub(crate) fn peak_rss_mib(&self) -> anyhow::Result<f64> {
        self.mib("VmHWM:")
    }

    fn mib(&self, field: &str) -> anyhow::Result<f64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let pid = self.process.id().context("the operator has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{pid}/{file}"))?)
    }
}

/// The folder that this program, and the operators, were built into.
fn built() -> anyhow::Result<PathBuf> {
    std::env::current_exe()?.parent().map(PathBuf::from).context("the path of this program has no parent")
}

/// The folder of the plugins, beside it.
pub(crate) fn plugins() -> anyhow::Result<PathBuf> {
    let plugins = built()?.parent().context("no target folder")?.join("plugins");
    ensure!(
        plugins.join("api-operator.wasm").exists(),
        "{} has no plugins: run `make bench-build` first",
        plugins.display()
    );
    Ok(plugins)
}

/// The folder of the components for benches.
pub(crate) fn guests() -> anyhow::Result<PathBuf> {
    let guests = built()?.parent().context("no target folder")?.join("bench-guests");
    ensure!(
        ["pods.wasm", "overlaps.wasm"].iter().all(|guest| guests.join(guest).exists()),
        "{} has no guests: run `make bench-build` first",
        guests.display()
    );
    Ok(guests)
}

/// The folder of compiled components, shared by runs: only `idle` measures compiling.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    Ok(built()?.join("mizzen-cache"))
}

async fn get(address: &str, path: &str) -> anyhow::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: bench\r\n\r\n").as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

fn command_name(command: &Command) -> String {
    command.as_std().get_program().to_string_lossy().into_owned()
}
