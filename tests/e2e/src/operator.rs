//! `mizzen run`, as a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::eventually;

/// A running operator. It ends when this is dropped.
pub struct Operator {
    process: Child,
    log: PathBuf,
    address: String,
    _folder: TempDir,
}

/// Returns the folder that this test, and with it binaries and plugins, were built into.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap().to_owned()
}

fn binary() -> PathBuf {
    let binary = target().join("mizzen");
    assert!(binary.exists(), "{} is missing: `cargo build -p mizzen` first", binary.display());
    binary
}

/// Copies the plugins to a folder in which a test may replace them.
pub fn plugins() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy("plugins", folder.path());
    folder
}

/// Copies the hostile guests to a folder of plugins.
pub fn guests(plugins: &Path) {
    copy("guests-out", plugins);
}

fn copy(built: &str, folder: &Path) {
    let built = target().parent().unwrap().join(built);
    let there = std::fs::read_dir(&built)
        .unwrap_or_else(|error| panic!("{}: {error}: run `make plugins guests` first", built.display()));
    for file in
        there.map(|entry| entry.unwrap().path()).filter(|file| file.extension().is_some_and(|end| end == "wasm"))
    {
        let own = folder.join(file.file_name().unwrap());
        // A renderer has some hundred megabytes, and no test writes to one.
        let large = file.metadata().unwrap().len() > 16 << 20;
        if !(large && std::fs::hard_link(&file, &own).is_ok()) {
            std::fs::copy(&file, own).unwrap();
        }
    }
}

/// Plans on a cluster with further arguments; returns the exit code and the plan.
///
/// Panics without a plan, with the errors.
pub async fn plan(kubeconfig: &Path, plugins: &Path, more: &[&Path]) -> (i32, Value) {
    let mut command = Command::new(binary());
    command.args(["plan", "--live", "-o", "json", "--ownership-namespace", "default", "--kubeconfig"]).arg(kubeconfig);
    command.arg("--plugins").arg(plugins).arg("--cache").arg(target().join("mizzen-cache")).args(more);
    let done = command.output().await.unwrap();
    let plan = serde_json::from_slice(&done.stdout);
    (done.status.code().unwrap(), plan.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr))))
}

impl Operator {
    /// Starts an operator, and waits until it is ready.
    pub async fn start(kubeconfig: &Path, plugins: &Path) -> Self {
        let operator = Self::launch(kubeconfig, plugins).await;
        eventually("the operator is ready", async || {
            operator.get("/readyz").await.is_some_and(|text| text.starts_with("ok"))
        })
        .await;
        operator
    }

    /// Starts an operator, and waits until it serves health and metrics.
    pub async fn launch(kubeconfig: &Path, plugins: &Path) -> Self {
        let mut command = Command::new(binary());
        command.arg("run").arg("--kubeconfig").arg(kubeconfig);
        Self::spawn(command, plugins).await
    }

    /// Starts an operator that reconciles only while it holds the Lease, and waits until it is ready.
    pub async fn electing(kubeconfig: &Path, plugins: &Path) -> Self {
        let mut command = Command::new(binary());
        command.args(["run", "--leader-elect", "--kubeconfig"]).arg(kubeconfig);
        let operator = Self::spawn(command, plugins).await;
        eventually("the operator is ready", async || {
            operator.get("/readyz").await.is_some_and(|text| text.starts_with("ok"))
        })
        .await;
        operator
    }

    /// Whether it reconciles.
    pub async fn leads(&self) -> bool {
        self.metric("leader_election_master_status", &[]).await == 1
    }

    /// Starts an operator as in a pod, and waits until it serves health and metrics. The address of the
    /// API server is in its environment. The files of `account` (`token`, `ca.crt`, `namespace`) are where
    /// a kubelet mounts those of a service account; that path is fixed, so the operator gets a mount
    /// namespace of its own. `None` where `unshare` can't create one.
    pub async fn in_pod(server: &http::Uri, account: &Path, plugins: &Path) -> Option<Self> {
        const MOUNTED: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
        let apart = ["--user", "--map-root-user", "--mount"];
        if !Command::new("unshare").args(apart).arg("true").status().await.is_ok_and(|status| status.success()) {
            return None;
        }
        let mount = format!(
            "mount -t tmpfs none /var/run && mkdir -p {MOUNTED} && cp \"$1\"/* {MOUNTED} && shift && exec \"$@\""
        );
        let mut command = Command::new("unshare");
        command.args(apart).args(["sh", "-ec", &mount, "sh"]).arg(account).arg(binary()).arg("run");
        let port = server.port_u16().unwrap().to_string();
        command.env("KUBERNETES_SERVICE_HOST", server.host().unwrap()).env("KUBERNETES_SERVICE_PORT", port);
        command.env("HOME", account).env_remove("KUBECONFIG");
        Some(Self::spawn(command, plugins).await)
    }

    async fn spawn(mut command: Command, plugins: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let process = command
            .args(["--listen=127.0.0.1:0", "--log-format=json"])
            .arg("--plugins")
            .arg(plugins)
            // Components are compiled once for all tests.
            .arg("--cache")
            .arg(target().join("mizzen-cache"))
            .stderr(Stdio::from(std::fs::File::create(&log).unwrap()))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut operator = Self { process, log, address: String::new(), _folder: folder };
        eventually("the operator logs its address", async || {
            operator.log().iter().any(|line| line["address"].is_string())
        })
        .await;
        let log = operator.log();
        log.iter().find_map(|line| line["address"].as_str()).unwrap().clone_into(&mut operator.address);
        operator
    }

    /// Returns its log, one JSON object per line.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Returns the body that it serves at a path; `None` without a response.
    pub async fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: test\r\n\r\n").as_bytes()).await.ok()?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await.ok()?;
        response.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    /// Returns the sum of the samples of a metric whose labels contain all these texts.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.get("/metrics").await.unwrap();
        let samples = text.lines().filter(|line| {
            line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|label| line.contains(label))
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Whether no key is queued, running or cooling down.
    pub async fn is_idle(&self) -> bool {
        let text = self.get("/metrics").await.unwrap_or_default();
        ["mizzen_workqueue_depth 0", "mizzen_reconciles_active 0", "mizzen_workqueue_cooling_down 0"]
            .iter()
            .all(|sample| text.lines().any(|line| line == *sample))
    }

    /// Waits until it has nothing left to do about what it has heard of.
    pub async fn settled(&self) {
        eventually("nothing is left to do", async || self.is_idle().await).await;
    }

    /// Returns the number of calls of a reconciler's plugin, or, with an empty name, of all plugins.
    pub async fn calls(&self, reconciler: &str) -> u64 {
        self.metric("mizzen_calls_total", &[&format!("reconciler=\"{reconciler}")]).await
    }

    /// Kills it.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Shuts it down, and waits until it has ended; panics unless it ends with success.
    pub async fn stop(mut self) {
        let pid = self.process.id().unwrap();
        let status = Command::new("kill").arg(pid.to_string()).status().await.unwrap();
        assert!(status.success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.process.wait()).await;
        assert!(ended.unwrap().unwrap().success(), "{:?}", self.log().last());
    }

    /// Whether it is still running.
    pub fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Operator {
    /// Prints the end of the operator's log when the test has failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            log[log.len().saturating_sub(40)..].iter().for_each(|line| eprintln!("{line}"));
        }
    }
}
