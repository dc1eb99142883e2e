//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use mizzen_config::quantity::bytes;

/// Runs Kubernetes reconcilers as sandboxed WebAssembly plugins.
#[derive(Debug, Parser)]
#[command(name = "mizzen", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success; 1 failure; 2 `plan` found changes, or invalid usage; 141 the reader of standard output has \
     closed it (as for a program that SIGPIPE ends).";

/// A command's examples, with what its exit codes mean.
macro_rules! help {
    ($text:literal) => {
        help!($text, "0 success; 1 something is wrong, and said on standard error; 2 the command line is wrong")
    };
    ($text:literal, $codes:literal) => {
        concat!($text, "\n\nExit codes: ", $codes, ".")
    };
}

/// kube's client logs every request that fails; of an API server that is away, `mizzen_live` tells once.
const DEFAULT_LOG: &str = "info,kube_client=off";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the operator: against the kubeconfig's cluster, or, in a pod, the cluster it is in.
    #[command(after_help = help!("Examples:\n  \
        mizzen run --plugins ./plugins                    # configuration: the cluster's Reconciler objects\n  \
        mizzen run -f reconcilers.yaml --plugins ./plugins  # configuration: a file, read again when it changes\n  \
        mizzen run --context staging --listen 127.0.0.1:8080",
        "0 it was told to stop (SIGTERM, Ctrl-C) and has; 1 it could not start; 2 the command line is wrong"))]
    Run(Run),
    /// Shows what the reconcilers would create, change and delete, and touches nothing.
    #[command(after_help = help!("Examples:\n  \
        mizzen plan -f deploy/ --plugins ./plugins\n  \
        mizzen plan -f reconcilers.yaml -f crds/ -f objects/ -o json | jq '.changes[].object.name'\n\n\
        The files hold Reconciler documents, CRDs, and the objects of the cluster as it is. ", "0 no changes; 1 something is wrong, or a reconcile would end in an error; 2 there are changes, or the command line is wrong"))]
    Plan(Plan),
    /// Watches a folder of YAML and the plugins, plans again on each change, and shows what became different.
    #[command(after_help = help!("Example:\n  mizzen dev deploy/ --plugins target/plugins"))]
    Dev(Dev),
    /// Checks a configuration and the components it names; reports everything that is wrong with it.
    #[command(after_help = help!("Example:\n  mizzen check -f reconcilers.yaml --plugins ./plugins"))]
    Check(Check),
    /// Prints the least rights that a configuration needs: roles, and their bindings to the host's service account.
    #[command(after_help = help!("Examples:\n  \
        mizzen rbac -f reconcilers.yaml -f crds/ --plugins ./plugins | kubectl apply --server-side -f -\n  \
        mizzen rbac -f reconcilers.yaml --name mesh --service-account mesh-system/mizzen -o json\n\n\
        Definitions (CRDs) among the files say what resources are called, and whether they have a status subresource. What had to be\n\
        guessed, and what you should know before you grant it, is on standard error."))]
    Rbac(Rbac),
    /// Looks at components.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Prints the definitions of the Reconciler and Renderer kinds, to be applied before `run`.
    #[command(after_help = help!("Example:\n  mizzen crd | kubectl apply --server-side -f -"))]
    Crd,
    /// Prints the version, and that of the contract with plugins.
    #[command(after_help = help!("Example:\n  mizzen version"))]
    Version,
    /// Prints a completion script for a shell.
    #[command(after_help = help!("Example:\n  mizzen completions bash > /etc/bash_completion.d/mizzen"))]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Shows what a component says of itself: its subject, what it needs and why, its configuration.
    #[command(after_help = help!("Example:\n  mizzen plugin inspect mtls.wasm -o yaml"))]
    Inspect(Inspect),
    /// Compiles plugins and renderers ahead, each in a process of its own, so that `run` need not.
    #[command(after_help = help!("Example:\n  mizzen plugin compile --cache /cache plugins/*.wasm"))]
    Compile(Compile),
    /// Compiles one component in this process.
    #[command(hide = true)]
    CompileHere(CompileHere),
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Inspect {
    /// The component.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Output format.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
}

/// Where components come from and where compiled ones are kept.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Sandbox {
    /// Folder of compiled components; default: mizzen/components in the user's folder of caches.
    #[arg(long, env = "MIZZEN_CACHE_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
    /// Memory for compiling one renderer, in a process of its own, when it is not in the cache.
    #[arg(long, env = "MIZZEN_COMPILE_MEMORY", value_name = "BYTES", default_value = COMPILE_MEMORY, value_parser = bytes)]
    pub(crate) compile_memory: u64,
}

/// Address space that a component of 160 MB needs, and a little more.
const COMPILE_MEMORY: &str = "4Gi";

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Compile {
    /// The components.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder of compiled components; default: one beside those of other programs, as `run` has it.
    #[arg(long, env = "MIZZEN_CACHE_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
    /// Memory for compiling one of them.
    #[arg(long, env = "MIZZEN_COMPILE_MEMORY", value_name = "BYTES", default_value = COMPILE_MEMORY, value_parser = bytes)]
    pub(crate) memory: u64,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct CompileHere {
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) cache: PathBuf,
    #[arg(long)]
    pub(crate) memory: u64,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Source {
    /// File or folder of YAML; may be given several times.
    #[arg(short, long = "file", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder that `component.file` is relative to; default: the folder of the document that names it.
    #[arg(long, env = "MIZZEN_PLUGINS", value_hint = ValueHint::DirPath)]
    pub(crate) plugins: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Run {
    /// Kubeconfig; default: $KUBECONFIG, ~/.kube/config, or the pod's service account.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// File or folder with the configuration, in place of the cluster's Reconciler objects.
    #[arg(short, long = "file", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder that `component.file` is relative to.
    #[arg(long, env = "MIZZEN_PLUGINS", value_hint = ValueHint::DirPath, default_value = ".")]
    pub(crate) plugins: PathBuf,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
    /// Address of /livez, /readyz and /metrics.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// Which log lines there are, e.g. `info,mizzen_engine=debug`.
    #[arg(long, env = "MIZZEN_LOG", default_value = DEFAULT_LOG)]
    pub(crate) log: String,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) source: Source,
    /// How to print the changes.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PlanOutput,
    /// Show changes of statuses, too.
    #[arg(long)]
    pub(crate) status: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Dev {
    /// Folder with the configuration, CRDs and objects.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Folder that `component.file` is relative to; default: the folder of the document that names it.
    #[arg(long, env = "MIZZEN_PLUGINS", value_hint = ValueHint::DirPath)]
    pub(crate) plugins: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Rbac {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Name of the roles and their bindings.
    #[arg(long, default_value = "mizzen")]
    pub(crate) name: String,
    /// The service account that the host runs as.
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "mizzen-system/mizzen")]
    pub(crate) service_account: ServiceAccount,
    /// How to print them.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Manifests,
}

/// A service account, written `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceAccount {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for ServiceAccount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err("write `namespace/name`, e.g. `mizzen-system/mizzen`"),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manifests {
    /// Documents, with comments that say who needs what.
    #[default]
    Yaml,
    /// One `List`.
    Json,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanOutput {
    /// A coloured diff for each object.
    #[default]
    Diff,
    /// One line for each object.
    Wide,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
