//! One run of `go build`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::cache::create_dir;
use crate::error::GoError;

/// Statically linked: a C compiler is not needed, and the result runs in any image. Nothing of the
/// work tree's history gets into it.
const ENVIRONMENT: [(&str, &str); 3] =
    [("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "-mod=readonly -buildvcs=false")];

/// What to build, and how to report it to the user.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The name of the result, e.g. `kube-apiserver 1.36.4`.
    pub wanted: String,
    /// How long a cold build takes on two cores, e.g. `3 minutes`.
    pub takes: &'static str,
    /// An alternative to installing Go, to follow `install Go`, e.g. `, or set …`; may be empty.
    pub instead: &'static str,
    /// The Go package with the program's `main`.
    pub package: String,
    /// Flags of `go build`.
    pub flags: Vec<String>,
    /// Environment variables of `go build`, e.g. `GOOS`.
    pub environment: Vec<(&'static str, &'static str)>,
}

// === impl Build ===

impl Build {
    /// Builds the program in a module's folder; `path` exists only when all of it is written.
    /// Blocks; reports its progress on standard error.
    pub fn run(&self, folder: &Path, path: &Path) -> Result<(), GoError> {
        eprintln!("building {} from Go modules: once, about {}", self.wanted, self.takes);
        let began = Instant::now();
        let unfinished = path.with_extension("unfinished");
        if let Some(folder) = path.parent() {
            create_dir(folder)?;
        }
        let mut build = self.go(folder, &["build"]);
        run(build.args(&self.flags).arg("-o").arg(&unfinished).arg(&self.package), self)?;
        fs::rename(&unfinished, path).map_err(GoError::io("write", path))?;
        eprintln!("built {} in {} s", self.wanted, began.elapsed().as_secs());
        Ok(())
    }

    /// `go` with these arguments, in this folder.
    pub(crate) fn go(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut go = Command::new("go");
        go.args(arguments).envs(ENVIRONMENT).envs(self.environment.iter().copied()).current_dir(folder);
        go
    }
}

/// Runs `go`, returns its standard output.
pub(crate) fn run(go: &mut Command, build: &Build) -> Result<String, GoError> {
    let (wanted, instead) = (build.wanted.clone(), build.instead.to_owned());
    let output = match go.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(GoError::Missing { wanted, instead }),
        Err(error) => return Err(GoError::Failed { wanted, output: error.to_string() }),
    };
    if !output.status.success() {
        let output_text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        // `go: go.mod requires go >= 1.26.0 (running go 1.22.2; GOTOOLCHAIN=local)`
        let too_old = output_text.contains("requires go >=");
        return Err(if too_old {
            GoError::TooOld { wanted, output: output_text, instead }
        } else {
            GoError::Failed { wanted, output: output_text }
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<String, GoError> {
        let build = Build { wanted: "it".to_owned(), instead: ", or do without", ..Build::default() };
        run(Command::new("sh").args(["-c", script]), &build)
    }

    #[test]
    fn an_old_go_is_distinguished_from_a_failed_build() {
        let old = shell("echo 'go: go.mod requires go >= 1.26.0 (running go 1.22.2; GOTOOLCHAIN=local)' >&2; exit 1");
        let old = old.unwrap_err();
        assert!(old.wants_go());
        assert!(old.to_string().ends_with("install Go 1.26 or later, or do without"), "{old}");
        let failed = shell("echo 'main.go:1: undefined' >&2; exit 1").unwrap_err();
        assert!(!failed.wants_go());
        assert!(failed.to_string().contains("undefined"), "{failed}");
    }

    #[test]
    fn without_go_the_way_out_is_named() {
        let build = Build { wanted: "it".to_owned(), instead: ", or do without", ..Build::default() };
        let missing = run(&mut Command::new("there-is-no-such-program"), &build).unwrap_err();
        assert!(missing.wants_go());
        assert!(missing.to_string().contains("install Go 1.26 or later, or do without"), "{missing}");
    }
}
