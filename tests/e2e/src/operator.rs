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

/// A running operator. Ends with its test.
pub struct Operator {
    process: Child,
    log: PathBuf,
    address: String,
    _folder: TempDir,
}

/// The folder in which the build leaves binaries and plugins: the one this test was built into.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap().to_owned()
}

fn binary() -> PathBuf {
    let binary = target().join("mizzen");
    assert!(binary.exists(), "{} is missing: `cargo build -p mizzen` first", binary.display());
    binary
}

/// The plugins, copied to a folder in which a test may replace them.
pub fn plugins() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy("plugins", folder.path());
    folder
}

/// Puts the hostile guests beside them.
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
        // A renderer has a hundred megabytes, and no test writes into one.
        let large = file.metadata().unwrap().len() > 16 << 20;
        if !(large && std::fs::hard_link(&file, &own).is_ok()) {
            std::fs::copy(&file, own).unwrap();
        }
    }
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

    /// Starts an operator as a pod has it, and waits until it serves health and metrics: with the address of the API server in its
    /// environment, and the files of this folder (`token`, `ca.crt`, `namespace`) where a service account's are mounted, which nobody
    /// can have it look for elsewhere. So it gets a file system of its own; `None`: this machine gives nobody one.
    pub async fn in_pod(server: (&str, &str), account: &Path, plugins: &Path) -> Option<Self> {
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
        command.env("KUBERNETES_SERVICE_HOST", server.0).env("KUBERNETES_SERVICE_PORT", server.1);
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
            // Compiled once for all tests.
            .arg("--cache")
            .arg(target().join("mizzen-cache"))
            .stderr(Stdio::from(std::fs::File::create(&log).unwrap()))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut operator = Self { process, log, address: String::new(), _folder: folder };
        eventually("the operator says where it listens", async || {
            operator.log().iter().any(|line| line["address"].is_string())
        })
        .await;
        let log = operator.log();
        log.iter().find_map(|line| line["address"].as_str()).unwrap().clone_into(&mut operator.address);
        operator
    }

    /// Its log, a JSON object a line.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What it serves at a path; `None` when it does not answer.
    pub async fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: test\r\n\r\n").as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    /// The sum of a metric's samples whose labels contain all these texts.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.get("/metrics").await.unwrap();
        let samples = text.lines().filter(|line| {
            line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|label| line.contains(label))
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Whether nothing waits, runs, or is to be asked once it has rested.
    pub async fn is_idle(&self) -> bool {
        let text = self.get("/metrics").await.unwrap_or_default();
        ["mizzen_waiting 0", "mizzen_running 0", "mizzen_resting 0"]
            .iter()
            .all(|sample| text.lines().any(|line| line == *sample))
    }

    /// Waits until it has nothing left to do about what it has heard of.
    pub async fn settled(&self) {
        eventually("nothing is left to do", async || self.is_idle().await).await;
    }

    /// Calls of a reconciler's plugin, or, without a name, of all.
    pub async fn calls(&self, reconciler: &str) -> u64 {
        self.metric("mizzen_calls_total", &[&format!("reconciler=\"{reconciler}")]).await
    }

    /// Its resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Ends it without warning.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Tells it to end, and waits until it has; panics when it does not end well.
    pub async fn stop(mut self) {
        let pid = self.process.id().unwrap();
        let status = Command::new("kill").arg(pid.to_string()).status().await.unwrap();
        assert!(status.success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.process.wait()).await;
        assert!(ended.unwrap().unwrap().success(), "{:?}", self.log().last());
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Operator {
    /// A test that failed says what the operator said last.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            log[log.len().saturating_sub(40)..].iter().for_each(|line| eprintln!("{line}"));
        }
    }
}
