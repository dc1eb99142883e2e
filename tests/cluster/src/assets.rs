//! Finds the programs and manifests of a control plane, and has those built that are not there yet. One place decides where they lie.

mod build;
mod cache;

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{self, Path, PathBuf};

use cache::Cache;

use crate::program::{ISTIO_API, KWOK, PROMETHEUS_OPERATOR, Program, Source};

/// YAML files that Go modules release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Manifests {
    /// Istio's 15 custom resource definitions.
    IstioCrds,
    /// prometheus-operator's definition of `ServiceMonitor`.
    ServiceMonitorCrd,
    /// What kwok does with a node and with a pod: both become ready at once.
    KwokStages,
}

/// Programs and manifests that lie on this disk, ready to use.
#[derive(Clone, Debug)]
pub struct Assets {
    programs: BTreeMap<Program, PathBuf>,
    manifests: BTreeMap<Manifests, Vec<PathBuf>>,
    ports: PathBuf,
}

/// Why there is no control plane to start.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// Something must be built, and there is no Go.
    #[error(
        "{wanted} is not built yet and there is no `go` on the PATH: install Go 1.26 or later, or, if it is a program, set KUBEBUILDER_ASSETS to a folder that holds it"
    )]
    NoGo {
        /// What was wanted, e.g. `kube-apiserver 1.36.4`.
        wanted: String,
    },
    /// Go is there, and failed.
    #[error("`go` can't make {wanted}:\n{output}")]
    Go {
        /// What was wanted.
        wanted: String,
        /// What `go` said.
        output: String,
    },
    /// The module does not name the version of what it pins.
    #[error("{path} does not require {module}: add it with `go get`")]
    Unpinned {
        /// The go.mod.
        path: PathBuf,
        /// The Go module.
        module: &'static str,
    },
    /// No folder to build into.
    #[error("no cache folder: set MIZZEN_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    /// A file or folder can't be read or written.
    #[error("can't {action} {path}")]
    Io {
        /// What was tried, e.g. `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It was not asked for when the assets were looked up.
    #[error("{name} was not asked for: name it when looking up the assets")]
    NotIncluded {
        /// The program or manifests.
        name: String,
    },
}

/// Where assets may lie: the environment, read once.
struct Places {
    /// A folder of executables that come before the cache.
    kubebuilder: Option<PathBuf>,
    /// The project's cache folder, outside the work tree.
    cache: PathBuf,
}

// === impl Manifests ===

impl Manifests {
    /// Every set of manifests.
    pub const ALL: [Self; 3] = [Self::IstioCrds, Self::ServiceMonitorCrd, Self::KwokStages];

    fn source(self) -> Source {
        match self {
            Self::IstioCrds => ISTIO_API,
            Self::ServiceMonitorCrd => PROMETHEUS_OPERATOR,
            Self::KwokStages => KWOK,
        }
    }

    /// The files within the Go module.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::IstioCrds => &["kubernetes/customresourcedefinitions.gen.yaml"],
            Self::ServiceMonitorCrd => &["example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"],
            Self::KwokStages => &[
                "kustomize/stage/node/fast/node-initialize.yaml",
                "kustomize/stage/pod/fast/pod-complete.yaml",
                "kustomize/stage/pod/fast/pod-delete.yaml",
                "kustomize/stage/pod/fast/pod-ready.yaml",
            ],
        }
    }
}

// === impl Assets ===

impl Assets {
    /// Finds everything, and builds what is missing: minutes, once. Blocks; says on standard error what it does.
    pub fn find_or_build() -> Result<Self, AssetsError> {
        Self::find_or_build_only(&Program::ALL, &Manifests::ALL)
    }

    /// Finds these programs and manifests, and builds what is missing of them. Blocks; says on standard error what it does.
    pub fn find_or_build_only(programs: &[Program], manifests: &[Manifests]) -> Result<Self, AssetsError> {
        let places = Places::from_env()?;
        let cache = Cache::open(&places.cache)?;
        let programs = programs
            .iter()
            .map(|program| match places.provided(*program) {
                Some(path) => Ok((*program, path)),
                None => Ok((*program, cache.program(*program)?)),
            })
            .collect::<Result<_, AssetsError>>()?;
        let manifests =
            manifests.iter().map(|set| Ok((*set, cache.manifests(*set)?))).collect::<Result<_, AssetsError>>()?;
        Ok(Self { programs, manifests, ports: places.cache.join("ports") })
    }

    /// The executable of a program.
    pub fn program(&self, program: Program) -> Result<&Path, AssetsError> {
        let path = self.programs.get(&program);
        path.map(PathBuf::as_path).ok_or_else(|| AssetsError::NotIncluded { name: program.name().to_owned() })
    }

    /// The YAML files of a set.
    pub fn manifests(&self, set: Manifests) -> Result<&[PathBuf], AssetsError> {
        let files = self.manifests.get(&set);
        files.map(Vec::as_slice).ok_or_else(|| AssetsError::NotIncluded { name: format!("{set:?}") })
    }

    /// The folder in which ports are claimed; every control plane on this machine uses the same.
    pub(crate) fn ports(&self) -> &Path {
        &self.ports
    }
}

// === impl Places ===

impl Places {
    /// Paths are made absolute, since `go` runs in another folder.
    fn from_env() -> Result<Self, AssetsError> {
        let folder = |name: &str| {
            env::var_os(name).filter(|value| !value.is_empty()).and_then(|value| path::absolute(value).ok())
        };
        let cache = folder("MIZZEN_CACHE")
            .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("mizzen")))
            .or_else(|| Some(folder("HOME")?.join(".cache/mizzen")))
            .ok_or(AssetsError::NoCache)?;
        Ok(Self { kubebuilder: folder("KUBEBUILDER_ASSETS"), cache })
    }

    /// The executable that the person who runs this has provided.
    fn provided(&self, program: Program) -> Option<PathBuf> {
        Some(self.kubebuilder.as_ref()?.join(program.name())).filter(|path| path.is_file())
    }
}
