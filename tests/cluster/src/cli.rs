//! The command line: builds the programs, or runs a control plane around a command.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use mizzen_testcluster::{Assets, ControlPlane, Manifests, Program};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// The text that marks a kubeconfig of a test cluster; a file without it has another origin.
const MARK: &str = "current-context: mizzen-testcluster";

/// A real Kubernetes control plane on loopback: etcd, the API server and the controllers.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  Start a cluster, with the mesh's kinds and some samples, until Ctrl-C:
    mizzen-testcluster up --kubeconfig /tmp/kubeconfig --crds deploy/crds --apply deploy/samples

  Run a command against a cluster that ends with it:
    mizzen-testcluster up --scheduler --kwok -- kubectl get nodes

  Build the programs and nothing else, minutes once:
    mizzen-testcluster build"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Starts a cluster, for as long as a command runs or until Ctrl-C
    Up(Up),
    /// Builds the programs of the cluster, or finds them, and prints where they are
    Build,
}

#[derive(Debug, Args)]
struct Up {
    /// Also write the kubeconfig here; the file is removed at the end
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// Install the custom resource definitions of a file or folder, besides Istio's and ServiceMonitor
    #[arg(long, value_name = "PATH")]
    crds: Vec<PathBuf>,
    /// Apply every YAML document of a file or folder
    #[arg(long, value_name = "PATH")]
    apply: Vec<PathBuf>,
    /// Leave out Istio's definitions and ServiceMonitor's
    #[arg(long)]
    no_mesh_crds: bool,
    /// Run kube-scheduler, which gives pods their node
    #[arg(long)]
    scheduler: bool,
    /// Run kwok, with a node on which every pod is ready at once
    #[arg(long)]
    kwok: bool,
    /// A command to run with KUBECONFIG set; the cluster ends with it, and so does its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

type Failure = Box<dyn Error>;

/// Runs the command line, and prints an error with its causes.
pub(crate) async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Task::Up(up) => up.run().await,
        Task::Build => build(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            eprintln!("  because: {error}");
            cause = error.source();
        }
        ExitCode::FAILURE
    })
}

fn build() -> Result<ExitCode, Failure> {
    let assets = Assets::find_or_build()?;
    for program in Program::ALL {
        println!("{}", assets.program(program)?.display());
    }
    for file in Manifests::ALL.iter().map(|set| assets.manifests(*set)).collect::<Result<Vec<_>, _>>()?.concat() {
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Up ===

impl Up {
    async fn run(self) -> Result<ExitCode, Failure> {
        let mut copy = self.kubeconfig.as_deref().map(Copy::to).transpose()?;
        let mut signals = Signals::listen()?;
        let cluster = tokio::select! {
            cluster = self.start() => cluster?,
            code = signals.received() => return Ok(code),
        };
        let mut kubeconfig = cluster.kubeconfig_path();
        if let Some(copy) = &mut copy {
            kubeconfig = copy.write(fs::read_to_string(&kubeconfig)?)?;
        }
        eprintln!("export KUBECONFIG={}", kubeconfig.display());
        let kubectl = kubectl();
        if let Some(kubectl) = &kubectl {
            eprintln!("kubectl: {}", kubectl.display());
        }
        let Some((program, arguments)) = self.command.split_first() else {
            eprintln!("running until Ctrl-C");
            return Ok(signals.received().await);
        };
        let mut command = Command::new(program);
        command.args(arguments).env("KUBECONFIG", &kubeconfig).kill_on_drop(true);
        if let Some(path) = path_with(kubectl.as_deref()) {
            command.env("PATH", path);
        }
        let child = command.spawn();
        let child = child.map_err(|error| io::Error::new(error.kind(), format!("can't run {program}: {error}")))?;
        signals.or_exit_of(child).await
    }

    async fn start(&self) -> Result<ControlPlane, Failure> {
        let began = Instant::now();
        let mut builder = ControlPlane::builder().controller_manager();
        if self.scheduler {
            builder = builder.scheduler();
        }
        if self.kwok {
            builder = builder.kwok();
        }
        if !self.no_mesh_crds {
            builder = builder.mesh_crds();
        }
        for path in &self.crds {
            builder = builder.crds(path);
        }
        let cluster = builder.start().await?;
        eprintln!("the control plane is ready at {} ({:.1} s)", cluster.url(), began.elapsed().as_secs_f32());
        for path in &self.apply {
            let applied = cluster.apply_path(path).await?;
            eprintln!("applied {} objects from {}", applied.len(), path.display());
        }
        Ok(cluster)
    }
}

/// Returns kubectl, for the user of the cluster. Nothing else needs it, so a failed build is only reported.
fn kubectl() -> Option<PathBuf> {
    let found = Assets::find_or_build_only(&[Program::Kubectl], &[]);
    let path = found.and_then(|assets| assets.program(Program::Kubectl).map(Path::to_owned));
    path.inspect_err(|error| eprintln!("no kubectl: {error}")).ok()
}

/// Returns the search path of programs with the folder of `kubectl` last, so that an installed one is used.
fn path_with(kubectl: Option<&Path>) -> Option<OsString> {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::join_paths(env::split_paths(&folders).chain([kubectl?.parent()?.to_owned()])).ok()
}

/// A copy of the kubeconfig for the user, removed at the end.
struct Copy {
    path: PathBuf,
    /// The text that was written; empty before.
    text: String,
}

impl Copy {
    /// Refuses a file that another program made: it may hold the credentials of real clusters.
    fn to(path: &Path) -> Result<Self, Failure> {
        let copy = Self { path: path.to_owned(), text: String::new() };
        match fs::read_to_string(path) {
            Ok(text) if text.contains(MARK) => Ok(copy),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(copy),
            Ok(_) => {
                Err(format!("{} holds another kubeconfig: name a file that does not exist", path.display()).into())
            }
            Err(error) => Err(format!("can't read {}: {error}", path.display()).into()),
        }
    }

    fn write(&mut self, text: String) -> Result<PathBuf, Failure> {
        let failed = |error| format!("can't write {}: {error}", self.path.display());
        let mut options = fs::File::options();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&self.path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        self.text = text;
        Ok(self.path.clone())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It may be unwritten, deleted already, or overwritten by another cluster.
        if !self.text.is_empty() && fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The signals that end this process.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for either, and returns the exit code that shells use for it.
    async fn received(&mut self) -> ExitCode {
        tokio::select! {
            _ = self.interrupt.recv() => ExitCode::from(130),
            _ = self.terminate.recv() => ExitCode::from(143),
        }
    }

    /// Waits for the command. The terminal sends it Ctrl-C itself; SIGTERM is forwarded to it.
    async fn or_exit_of(&mut self, mut child: Child) -> Result<ExitCode, Failure> {
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status?;
                    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(1);
                    return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
                }
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {
                    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
                        kill_process(pid, Signal::TERM)?;
                    }
                }
            }
        }
    }
}
