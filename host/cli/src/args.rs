//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use mizzen_config::quantity::bytes;

use crate::revise::Candidate;

/// Runs Kubernetes reconcilers as sandboxed WebAssembly plugins.
#[derive(Debug, Parser)]
#[command(name = "mizzen", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success; 1 failure; 2 `plan` found changes, or invalid usage; 141 standard \
     output was closed by its reader, as for a program that SIGPIPE ends.";

/// The examples of a command, and its exit codes.
macro_rules! help {
    ($text:literal) => {
        help!($text, "0 success; 1 failure, with the reason on standard error; 2 invalid usage")
    };
    ($text:literal, $codes:literal) => {
        concat!($text, "\n\nExit codes: ", $codes, ".")
    };
}

/// The default filter of log lines.
const DEFAULT_LOG: &str = "info";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the operator on the cluster of the kubeconfig or, in a pod, on the pod's own
    #[command(after_help = help!("Examples:\n  \
        mizzen run --plugins ./plugins                      # configured by Reconciler objects\n  \
        mizzen run -f reconcilers.yaml --plugins ./plugins  # configured by a file; changes apply\n  \
        mizzen run --leader-elect                           # one of several hosts reconciles\n  \
        mizzen run --context staging --listen 127.0.0.1:8080",
        "0 shut down after SIGTERM or Ctrl-C; 1 failed to start, or lost the Lease; 2 invalid usage"))]
    Run(Run),
    /// Shows what the reconcilers would create, change and delete: in a folder of YAML, or in a cluster
    #[command(after_help = help!("Examples:\n  \
        mizzen plan -f deploy/ --plugins ./plugins\n  \
        mizzen plan -f reconcilers.yaml -f crds/ -f objects/ -o json | jq '.changes[].object.name'\n  \
        mizzen plan --live --plugins ./plugins --candidate mtls=target/plugins/mtls.wasm\n  \
        mizzen plan --live --plugins ./plugins -f new-team.yaml -o markdown\n\n\
        Without --live, the files hold Reconciler documents, CRDs, and the current objects of the cluster.\n\
        With it, all of these are read from the cluster of the kubeconfig, and files replace or add to them.\n\
        Nothing is written, and no plugin's HTTP request is sent: responses come from HttpResponse documents.",
        "0 no changes; 1 failure, or a reconcile would fail; 2 changes, or invalid usage"))]
    Plan(Plan),
    /// Watches a folder of YAML and the plugins, and shows how each change affects the plan
    #[command(after_help = help!("Example:\n  mizzen dev deploy/ --plugins target/plugins"))]
    Dev(Dev),
    /// Checks a configuration and its components, and reports all problems
    #[command(after_help = help!("Example:\n  mizzen check -f reconcilers.yaml --plugins ./plugins"))]
    Check(Check),
    /// Prints the least rights that a configuration needs, as roles and bindings
    #[command(after_help = help!("Examples:\n  \
        mizzen rbac -f reconcilers.yaml -f crds/ --plugins ./plugins | kubectl apply --server-side -f -\n  \
        mizzen rbac -f reconcilers.yaml --name mesh --service-account mesh-system/mizzen -o json\n\n\
        CRDs among the files give resource names and status subresources. Guesses, and what to know\n\
        before granting the rights, are noted on standard error."))]
    Rbac(Rbac),
    /// Inspects and compiles components
    #[command(subcommand)]
    Plugin(Plugin),
    /// Prints the CRDs of Reconcilers and Renderers, which `run` needs
    #[command(after_help = help!("Example:\n  mizzen crd | kubectl apply --server-side -f -"))]
    Crd,
    /// Prints the versions of the host and of its contract with plugins
    #[command(after_help = help!("Example:\n  mizzen version"))]
    Version,
    /// Prints a completion script for a shell
    #[command(after_help = help!("Example:\n  mizzen completions bash > /etc/bash_completion.d/mizzen"))]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Shows what a component declares: its subject, its needs and the reasons, its configuration
    #[command(after_help = help!("Example:\n  mizzen plugin inspect mtls.wasm -o yaml"))]
    Inspect(Inspect),
    /// Compiles plugins and renderers into the cache before `run`, each in a process of its own
    #[command(after_help = help!("Example:\n  mizzen plugin compile --cache /cache plugins/*.wasm"))]
    Compile(Compile),
    /// Compiles one component in this process
    #[command(hide = true)]
    CompileHere(CompileHere),
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Inspect {
    /// The component
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
}

/// How components are compiled, and where compiled ones are kept.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Sandbox {
    /// Folder of compiled components [default: mizzen/components in the user's cache folder]
    #[arg(long, env = "MIZZEN_CACHE_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
    /// Memory limit of the process that compiles a renderer
    #[arg(
        long,
        env = "MIZZEN_COMPILE_MEMORY",
        value_name = "BYTES",
        default_value = COMPILE_MEMORY,
        value_parser = bytes
    )]
    pub(crate) compile_memory: u64,
}

/// Enough address space for a component of 160 MB.
const COMPILE_MEMORY: &str = "4Gi";

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Compile {
    /// The components
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder of compiled components [default: mizzen/components in the user's cache folder]
    #[arg(long, env = "MIZZEN_CACHE_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
    /// Memory limit of the process that compiles one component
    #[arg(
        long,
        env = "MIZZEN_COMPILE_MEMORY",
        value_name = "BYTES",
        default_value = COMPILE_MEMORY,
        value_parser = bytes
    )]
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

/// The files of a configuration and its components.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Source {
    /// File or folder of YAML; can be repeated
    #[arg(short, long = "file", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder that `component.file` is relative to [default: the folder of the document that names it]
    #[arg(long, env = "MIZZEN_PLUGINS", value_hint = ValueHint::DirPath)]
    pub(crate) plugins: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Run {
    /// Kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context]
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// File or folder with the configuration, instead of the cluster's Reconciler objects; can be repeated
    #[arg(short, long = "file", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder that `component.file` is relative to
    #[arg(long, env = "MIZZEN_PLUGINS", value_hint = ValueHint::DirPath, default_value = ".")]
    pub(crate) plugins: PathBuf,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
    #[command(flatten)]
    pub(crate) election: Election,
    #[command(flatten)]
    pub(crate) ownership: Ownership,
    /// Address of /livez, /readyz and /metrics
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Format of log lines
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// Filter of log lines, e.g. `info,mizzen_engine=debug`
    #[arg(long, env = "MIZZEN_LOG", default_value = DEFAULT_LOG)]
    pub(crate) log: String,
}

/// The name of the Secret with the ownership keys, also in the generated roles.
pub(crate) const OWNERSHIP_SECRET: &str = "mizzen-ownership";

/// The keys by which the host recognizes what it applied.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Ownership {
    /// File with the keys by which the host recognizes what it applied, one in each line; the first signs
    /// [default: a Secret, created at the first start]
    #[arg(long = "ownership-key", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// Namespace of the Secret with these keys [default: the pod's or the context's]
    #[arg(long = "ownership-namespace", value_name = "NAMESPACE", conflicts_with = "key_file")]
    pub(crate) namespace: Option<String>,
    /// Name of the Secret with these keys, in its entry `keys`
    #[arg(
        long = "ownership-secret",
        value_name = "NAME",
        default_value = OWNERSHIP_SECRET,
        conflicts_with = "key_file"
    )]
    pub(crate) secret: String,
}

/// The name of the Lease, also in the generated roles.
pub(crate) const LEASE: &str = "mizzen";

/// Whether this host shares its work with others.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Election {
    /// Reconcile only while holding the Lease, of which several hosts elect one holder
    #[arg(long)]
    pub(crate) leader_elect: bool,
    /// Namespace of the Lease, which is named `mizzen` [default: the pod's or the context's]
    #[arg(long, value_name = "NAMESPACE", requires = "leader_elect")]
    pub(crate) leader_elect_namespace: Option<String>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Plan {
    /// File or folder of YAML; can be repeated
    #[arg(short, long = "file", required_unless_present = "live", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
    /// Folder that `component.file` is relative to [default: the folder of the document that names it, or with
    /// --live the current folder]
    #[arg(long, env = "MIZZEN_PLUGINS", value_hint = ValueHint::DirPath)]
    pub(crate) plugins: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Component to try in the place of a reconciler's own; can be repeated
    #[arg(long = "candidate", value_name = "RECONCILER=FILE")]
    pub(crate) candidates: Vec<Candidate>,
    /// Show what would be adopted if every grant had `adopt`
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PlanOutput,
    /// Also show changes of statuses
    #[arg(long)]
    pub(crate) status: bool,
}

/// The cluster of a plan.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Target {
    /// Plan on the cluster of the kubeconfig, which is read and not written
    #[arg(long)]
    pub(crate) live: bool,
    /// Kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, requires = "live", value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context]
    #[arg(long, requires = "live")]
    pub(crate) context: Option<String>,
    /// File with the keys by which the host recognizes what it applied [default: the Secret]
    #[arg(long = "ownership-key", value_name = "FILE", requires = "live", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// Namespace of the Secret `mizzen-ownership` with these keys: the host's
    #[arg(
        long = "ownership-namespace",
        value_name = "NAMESPACE",
        requires = "live",
        conflicts_with = "key_file",
        default_value = "mizzen-system"
    )]
    pub(crate) ownership_namespace: String,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Dev {
    /// Folder with the configuration, CRDs and objects
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Folder that `component.file` is relative to [default: the folder of the document that names it]
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
    /// Name of the roles and bindings
    #[arg(long, default_value = "mizzen")]
    pub(crate) name: String,
    /// Service account of the host
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "mizzen-system/mizzen")]
    pub(crate) service_account: ServiceAccount,
    /// Output format
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
    /// Documents with comments that say why
    #[default]
    Yaml,
    /// One `List`
    Json,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For programs and people
    Yaml,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanOutput {
    /// A coloured diff of each object
    #[default]
    Diff,
    /// One line for each object
    Wide,
    /// One JSON document
    Json,
    /// The same document as YAML
    Yaml,
    /// A section with a diff for each object, for a pull request
    Markdown,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}
