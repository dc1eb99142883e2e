//! Finds the programs and manifests of a control plane, and builds those that are missing.

mod build;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use build::Module;
use mizzen_go_build::{Cache, GoError, folder_from_env};

use crate::program::{ISTIO_API, KWOK, PROMETHEUS_OPERATOR, Program, Source};

/// YAML files that Go modules release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Manifests {
    /// Istio's 15 custom resource definitions.
    IstioCrds,
    /// prometheus-operator's definition of `ServiceMonitor`.
    ServiceMonitorCrd,
    /// The stages of kwok, by which nodes and pods become ready at once.
    KwokStages,
}

/// The paths of programs and manifests.
#[derive(Clone, Debug)]
pub struct Assets {
    programs: BTreeMap<Program, PathBuf>,
    manifests: BTreeMap<Manifests, Vec<PathBuf>>,
    ports: PathBuf,
}

/// Why programs or manifests are not available.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// It is missing and can't be built.
    #[error(transparent)]
    Go(#[from] GoError),
    /// It was not requested when the assets were looked up.
    #[error("{name} was not requested: name it when looking up the assets")]
    NotIncluded {
        /// The program or manifests.
        name: String,
    },
}

/// The folders of assets, from the environment.
struct Places {
    /// A folder of executables that take precedence over the cache.
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
    /// Finds everything, and builds what is missing: minutes, once. Blocks, and reports on standard error what
    /// it does.
    pub fn find_or_build() -> Result<Self, AssetsError> {
        Self::find_or_build_only(&Program::ALL, &Manifests::ALL)
    }

    /// Finds these programs and manifests, and builds those that are missing. Blocks, and reports on standard
    /// error what it does.
    pub fn find_or_build_only(programs: &[Program], manifests: &[Manifests]) -> Result<Self, AssetsError> {
        let places = Places::from_env()?;
        let cache = Cache::open(&places.cache, "controlplane")?;
        let programs = programs
            .iter()
            .map(|program| match places.provided(*program) {
                Some(path) => Ok((*program, path)),
                None => Ok((*program, built(&cache, *program)?)),
            })
            .collect::<Result<_, AssetsError>>()?;
        let manifests =
            manifests.iter().map(|set| Ok((*set, copied(&cache, *set)?))).collect::<Result<_, AssetsError>>()?;
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

    /// The folder of port locks, which all control planes on this machine share.
    pub fn ports(&self) -> &Path {
        &self.ports
    }
}

// === impl Places ===

impl Places {
    fn from_env() -> Result<Self, GoError> {
        Ok(Self { kubebuilder: folder_from_env("KUBEBUILDER_ASSETS"), cache: Cache::project()? })
    }

    /// The executable in the user's folder, if there is one.
    fn provided(&self, program: Program) -> Option<PathBuf> {
        Some(self.kubebuilder.as_ref()?.join(program.name())).filter(|path| path.is_file())
    }
}

/// Returns the executable, and builds it first if it is missing.
fn built(cache: &Cache, program: Program) -> Result<PathBuf, GoError> {
    let module = Module::read(program.source())?;
    let path = cache.folder(&module.folder()).join(program.name());
    cache.unless_there(std::slice::from_ref(&path), || module.build(program, &path))?;
    Ok(path)
}

/// Returns the files, and copies them from the Go module first if they are missing.
fn copied(cache: &Cache, set: Manifests) -> Result<Vec<PathBuf>, GoError> {
    let module = Module::read(set.source())?;
    let folder = cache.folder(&module.folder());
    let paths: Vec<_> = set.files().iter().map(|file| folder.join(file)).collect();
    cache.unless_there(&paths, || module.copy(set.files(), &folder))?;
    Ok(paths)
}
