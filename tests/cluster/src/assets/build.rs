//! Makes programs and manifests out of Go modules. The only place that runs `go`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::AssetsError;
use super::cache::create_dir;
use crate::program::{Program, Source};

/// Where the go.mod files lie.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../controlplane");

/// Statically linked: a C compiler is not needed, and the result runs in any image.
const ENVIRONMENT: [(&str, &str); 3] =
    [("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "-mod=readonly -buildvcs=false")];

/// A pinned Go module, read from its go.mod.
pub(super) struct Module {
    source: Source,
    folder: PathBuf,
    version: String,
    sums: String,
}

impl Module {
    /// Reads go.mod and go.sum.
    pub(super) fn read(source: Source) -> Result<Self, AssetsError> {
        let folder = Path::new(SOURCES).join(source.folder);
        let requirements = read(&folder.join("go.mod"))?;
        let version = version(&requirements, source.module)
            .ok_or(AssetsError::Unpinned { path: folder.join("go.mod"), module: source.module })?;
        let sums = requirements + &read(&folder.join("go.sum"))?;
        Ok(Self { source, folder, version, sums })
    }

    /// The module's version, without its `v`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// What the result depends on: every version, the flags, the platform.
    pub(super) fn key(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for part in [self.sums.as_str(), &self.link_flags(), std::env::consts::OS, std::env::consts::ARCH] {
            hash.update(part.as_bytes()).update(&[0]);
        }
        hash.finalize().to_hex()[..12].to_owned()
    }

    /// Builds a program; the path exists only when all of it is written.
    pub(super) fn build(&self, program: Program, path: &Path) -> Result<(), AssetsError> {
        let wanted = format!("{program} {}", self.version);
        eprintln!("building {wanted} from Go modules: once, about {}", program.build_time());
        let began = Instant::now();
        let unfinished = path.with_extension("unfinished");
        if let Some(folder) = path.parent() {
            create_dir(folder)?;
        }
        let mut build = self.go(&["build", "-ldflags", &self.link_flags(), "-o"]);
        run(build.arg(&unfinished).arg(program.package()), &wanted)?;
        fs::rename(&unfinished, path).map_err(|source| AssetsError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })?;
        eprintln!("built {wanted} in {} s", began.elapsed().as_secs());
        Ok(())
    }

    /// Copies files of the module to a folder, under the same names.
    pub(super) fn copy(&self, files: &[&str], folder: &Path) -> Result<(), AssetsError> {
        let wanted = format!("{} {}", self.source.module, self.version);
        eprintln!("copying {} from the Go module {wanted}", files.join(", "));
        let answer = run(&mut self.go(&["mod", "download", "-json", self.source.module]), &wanted)?;
        let module = serde_json::from_str::<serde_json::Value>(&answer)
            .ok()
            .and_then(|answer| answer.get("Dir")?.as_str().map(PathBuf::from))
            .ok_or(AssetsError::Go { wanted, output: answer })?;
        for file in files {
            let (from, to) = (module.join(file), folder.join(file));
            if let Some(folder) = to.parent() {
                create_dir(folder)?;
            }
            let text = read(&from)?;
            fs::write(&to, text).map_err(|source| AssetsError::Io { action: "write", path: to, source })?;
        }
        Ok(())
    }

    fn go(&self, arguments: &[&str]) -> Command {
        let mut go = Command::new("go");
        go.args(arguments).envs(ENVIRONMENT).current_dir(&self.folder);
        go
    }

    /// Kubernetes takes its own version from the linker, and answers `v0.0.0` without.
    fn link_flags(&self) -> String {
        let mut flags = vec!["-s -w".to_owned()];
        let mut numbers = self.version.split('.');
        if let (true, Some(major), Some(minor)) = (self.source.stamped, numbers.next(), numbers.next()) {
            let stamp = |name: &str, value: &str| format!("-X k8s.io/component-base/version.{name}={value}");
            let version = format!("v{}", self.version);
            flags.extend([stamp("gitVersion", &version), stamp("gitMajor", major), stamp("gitMinor", minor)]);
        }
        flags.join(" ")
    }
}

/// Runs `go`, returns its standard output.
fn run(go: &mut Command, wanted: &str) -> Result<String, AssetsError> {
    let wanted = wanted.to_owned();
    let output = match go.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(AssetsError::NoGo { wanted }),
        Err(error) => return Err(AssetsError::Go { wanted, output: error.to_string() }),
    };
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(AssetsError::Go { wanted, output: String::from_utf8_lossy(&said).into_owned() });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn read(path: &Path) -> Result<String, AssetsError> {
    fs::read_to_string(path).map_err(|source| AssetsError::Io { action: "read", path: path.to_owned(), source })
}

/// The version that a go.mod requires of a module, without its `v`.
fn version(requirements: &str, module: &str) -> Option<String> {
    requirements.lines().find_map(|line| {
        let mut words = line.trim().strip_prefix("require ").unwrap_or(line).split_whitespace();
        let version = (words.next()? == module).then(|| words.next())??;
        version.strip_prefix('v').map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_names_its_version() {
        let sources = Program::ALL
            .map(Program::source)
            .into_iter()
            .chain(super::super::Manifests::ALL.map(super::super::Manifests::source));
        for source in sources {
            let module = Module::read(source).unwrap();
            assert!(module.version().starts_with(|first: char| first.is_ascii_digit()), "{}", module.version());
        }
    }

    #[test]
    fn a_version_is_found_in_a_list_and_alone() {
        assert_eq!(version("require a.b/c v1.2.3\n", "a.b/c").as_deref(), Some("1.2.3"));
        assert_eq!(
            version("require (\n\ta.b/c/d v9.9.9\n\ta.b/c v1.2.3 // indirect\n)\n", "a.b/c").as_deref(),
            Some("1.2.3")
        );
        assert_eq!(version("require a.b/c v1.2.3\n", "a.b"), None);
    }

    #[test]
    fn kubernetes_is_told_its_version() {
        let module = Module::read(Program::ApiServer.source()).unwrap();
        assert!(module.link_flags().contains(&format!("gitVersion=v{}", module.version())), "{}", module.link_flags());
    }
}
