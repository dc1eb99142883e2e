//! The validating commands of `istioctl`, built from Istio's Go module.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mizzen_go_build::{Build, Cache, GoError, GoModule};
use serde::Deserialize;
use serde_json::Value;

use crate::document::objects;

/// Where go.mod and the program's sources lie.
const SOURCES: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = include_str!("../cmd/istioctl/main.go");

/// `istioctl manifest generate`, `istioctl validate` and `istioctl analyze` of one version.
#[derive(Clone, Debug)]
pub struct Istioctl {
    program: PathBuf,
}

/// Why `istioctl` failed.
#[derive(Debug, thiserror::Error)]
pub enum IstioctlError {
    /// It can't be built.
    #[error(transparent)]
    Go(#[from] GoError),
    /// It refused its input.
    #[error("istioctl refused it: {0}")]
    Refused(String),
    /// It did not run, or its output can't be parsed.
    #[error("istioctl failed: {0}")]
    Failed(String),
}

/// A finding of `istioctl analyze` about one or several objects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// The severity.
    pub level: Level,
    /// The code of the finding, e.g. `IST0101`: a reference to a missing object.
    pub code: String,
    /// The object, e.g. `VirtualService store/web`; empty if it is not about a single one.
    #[serde(default)]
    pub origin: String,
    /// The message.
    pub message: String,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Level {
    /// Information.
    Info,
    /// It may behave differently from what was intended.
    Warning,
    /// It does not work.
    Error,
}

// === impl Istioctl ===

impl Istioctl {
    /// Finds it in the project's cache, or builds it there, which takes minutes, once. Blocks; reports
    /// its progress on standard error.
    pub fn find_or_build(version: &str) -> Result<Self, IstioctlError> {
        let module = GoModule::read(Path::new(SOURCES))?;
        let stamp = |name: &str, value: &str| format!("-X istio.io/istio/pkg/version.{name}={value}");
        let stamps = [stamp("buildVersion", version), stamp("buildTag", version), stamp("buildHub", "docker.io/istio")]
            .join(" ");
        let build = Build {
            wanted: format!("istioctl {version}"),
            takes: "6 minutes",
            package: "./cmd/istioctl".to_owned(),
            flags: vec!["-trimpath".to_owned(), "-ldflags".to_owned(), format!("-s -w {stamps}")],
            ..Build::default()
        };
        let cache = Cache::open(&Cache::project()?, "istioctl")?;
        let program = cache.folder(&format!("istioctl-{version}-{}", module.key(&[&stamps, PROGRAM])));
        cache.unless_there(std::slice::from_ref(&program), || build.run(module.folder(), &program))?;
        Ok(Self { program })
    }

    /// The same, for a test. `None`, with a line on standard error, if it can't be built because Go
    /// is missing; the test then has nothing to check.
    ///
    /// # Panics
    ///
    /// If it can't be built for any other reason, or if Go is missing and the environment has
    /// `CI=true`: there no test may be skipped.
    #[expect(clippy::panic, reason = "it is called by tests alone, which have no other way to fail")]
    pub fn for_test(version: &str) -> Option<Self> {
        match Self::find_or_build(version) {
            Ok(istioctl) => Some(istioctl),
            Err(IstioctlError::Go(error))
                if error.wants_go() && std::env::var_os("CI").is_none_or(|ci| ci != "true") =>
            {
                eprintln!("SKIPPED: {error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The objects that `istioctl manifest generate` prints for an `IstioOperator`.
    pub fn generate(&self, operator: &Value) -> Result<Vec<Value>, IstioctlError> {
        let printed = self.run(&["manifest", "generate", "-f", "-"], &operator.to_string())?;
        objects(&printed).map_err(|error| IstioctlError::Failed(error.to_string()))
    }

    /// Has `istioctl validate` judge YAML documents. It judges Istio's own kinds, Services and
    /// Deployments, and accepts others. Returns its output, which may contain warnings.
    pub fn validate(&self, yaml: &str) -> Result<String, IstioctlError> {
        self.run(&["validate", "-f", "-"], yaml)
    }

    /// Has `istioctl analyze` judge YAML documents of all namespaces together, as if nothing else
    /// were in the cluster but Istio's own defaults.
    pub fn analyze(&self, yaml: &str) -> Result<Vec<Finding>, IstioctlError> {
        let printed = self.run(&["analyze", "--use-kube=false", "--all-namespaces", "--output", "json", "-"], yaml)?;
        serde_json::from_str(&printed).map_err(|error| IstioctlError::Failed(format!("{error}: {printed}")))
    }

    fn run(&self, arguments: &[&str], input: &str) -> Result<String, IstioctlError> {
        let failed = |error: std::io::Error| IstioctlError::Failed(error.to_string());
        let mut command = Command::new(&self.program);
        // No cluster: neither command may contact one.
        command.args(arguments).env("KUBECONFIG", "/dev/null");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        // It reads all before it prints anything; dropping the pipe ends its input.
        child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes())).map_err(failed)?;
        let output = child.wait_with_output().map_err(failed)?;
        let errors = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        // `analyze` skips a document that it can't read, and succeeds.
        if output.status.success() && !errors.contains("Error(s) adding files") {
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(if printed.is_empty() { errors } else { printed })
        } else {
            Err(IstioctlError::Refused(errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_of_the_same_istio_as_the_client_that_it_judges() {
        let version = |folder: &str| {
            GoModule::read(&Path::new(SOURCES).join(folder)).unwrap().version_of("istio.io/istio").unwrap()
        };
        assert_eq!(version("."), version("../../plugins/istio-client"));
    }
}
